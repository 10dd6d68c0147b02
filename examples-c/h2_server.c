/* h2_server.c - https_server.c, and HTTP/2 for clients that choose it. */
#include "http.h"

int main(int argc, char **argv)
{
    return serve(argc, argv, "serves files, and /echo, over HTTP/2 or HTTP/1.1 and TLS", "h2,http/1.1", &http2);
}

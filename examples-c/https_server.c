/*
 * https_server.c - files and an echo over HTTP/1.1 and TLS, in the library's own loops.
 *
 * The program is in http_server.c and in what http.h names. h2_server.c is the same and HTTP/2 besides.
 */
#include "http.h"

int main(int argc, char **argv)
{
    return serve(argc, argv, "serves files, and /echo, over HTTP/1.1 and TLS", "http/1.1", NULL);
}

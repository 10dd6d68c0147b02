/* main.c - the load generator's command line; see load.h. */
#define _GNU_SOURCE
#include "load.h"
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct options options = { .host = "127.0.0.1", .connections = 1, .seconds = 1, .size = 64 };

void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    exit(1);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "host", 1, NULL, 'h' }, { "port", 1, NULL, 'p' }, { "pid", 1, NULL, 'i' },
        { "connections", 1, NULL, 'c' }, { "size", 1, NULL, 's' }, { "seconds", 1, NULL, 't' },
        { "requests", 1, NULL, 'r' }, { "plain", 0, NULL, 'n' }, { "sleep", 0, NULL, 'z' }, { 0 } };
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        switch (c) {
        case 'h': options.host = optarg; break;
        case 'p': options.port = atoi(optarg); break;
        case 'i': options.pids = optarg; break;
        case 'c': options.connections = atoi(optarg); break;
        case 's': options.size = strtoul(optarg, NULL, 10); break;
        case 't': options.seconds = atof(optarg); break;
        case 'r': options.requests = strtoull(optarg, NULL, 10); break;
        case 'n': options.plain = 1; break;
        case 'z': options.sleep = 1; break;
        default: return 1;
        }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const char *work = optind < argc ? argv[optind] : "";
    if (strcmp(work, "echo") == 0 || strcmp(work, "http") == 0)
        run_echo(strcmp(work, "http") == 0);
    else if (strcmp(work, "download") == 0)
        run_download();
    else if (strcmp(work, "upload") == 0)
        run_upload();
    else if (strcmp(work, "full") == 0 || strcmp(work, "resumed") == 0)
        run_handshakes(strcmp(work, "resumed") == 0);
    else if (strcmp(work, "idle") == 0)
        run_idle();
    else
        fail("echo, http, download, upload, full, resumed or idle");
    return 0;
}

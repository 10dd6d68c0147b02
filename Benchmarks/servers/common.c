/* common.c - options and work of the benchmark servers; see common.h. */
#define _GNU_SOURCE
#include "common.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct options options = { .host = "127.0.0.1", .loops = 1, .size = 65536 };
char *block;

void fail(const char *what)
{
    fprintf(stderr, "%s: %s (%s)\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

static enum work work_named(const char *name)
{
    static const char *const names[] = { "echo", "download", "sink", "http" };
    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0)
            return (enum work)i;
    fail("--work echo|download|sink|http");
}

void parse_options(int argc, char **argv)
{
    static const struct option longs[] = { { "host", 1, NULL, 'h' }, { "port", 1, NULL, 'p' }, { "cert", 1, NULL, 'c' },
        { "key", 1, NULL, 'k' }, { "work", 1, NULL, 'w' }, { "size", 1, NULL, 's' }, { "loops", 1, NULL, 'l' },
        { "read-ahead", 0, NULL, 'r' }, { 0 } };
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        switch (c) {
        case 'h': options.host = optarg; break;
        case 'p': options.port = atoi(optarg); break;
        case 'c': options.cert = optarg; break;
        case 'k': options.key = optarg; break;
        case 'w': options.work = work_named(optarg); break;
        case 's': options.size = strtoul(optarg, NULL, 10); break;
        case 'l': options.loops = atoi(optarg); break;
        case 'r': options.read_ahead = 1; break;
        default: exit(1);
        }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    block = malloc(options.size);
    if (block == NULL)
        fail("no memory");
    memset(block, 'x', options.size);
}

void say_listening(int port)
{
    printf("listening on %s:%d\n", options.host, port);
    fflush(stdout);
}

/* As long as what nginx says, with the same body. */
#define RESPONSE "HTTP/1.1 200 OK\r\nServer: benchmark\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n" \
    "Content-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, world\n"
#define TWICE(x) x x
#define RESPONSES_MOST 16
static const char responses[] = TWICE(TWICE(TWICE(TWICE(RESPONSE))));

struct answer answer_to(unsigned *matched, const char *bytes, size_t n)
{
    static const char end[] = "\r\n\r\n";
    size_t count = 0;
    switch (options.work) {
    case WORK_ECHO: return (struct answer) { bytes, n };
    case WORK_HTTP: break;
    default: return (struct answer) { bytes, 0 };
    }
    for (size_t i = 0; i < n; i++) {
        *matched = bytes[i] == end[*matched] ? *matched + 1 : bytes[i] == '\r';
        if (*matched == 4)
            *matched = 0, count++;
    }
    if (count > RESPONSES_MOST)
        fail("more requests at once than a client of ours sends");
    return (struct answer) { responses, count * (sizeof RESPONSE - 1) };
}

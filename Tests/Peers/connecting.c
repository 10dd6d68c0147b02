/*
 * connecting.c - connects to a name, and says what that took: each attempt, the time, how regularly the loop turned.
 *
 *   connecting CA-FILE HOST PORT CONNECT_MS
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsmem.h>

enum { TICK_MS = 10 };

static int64_t began, last_tick, longest_gap;
static long ticks;

static void on_tick(tlsmem_timer *timer, void *user)
{
    int64_t now = tlsmem_now();
    (void)user;
    ticks++;
    if (now - last_tick > longest_gap)
        longest_gap = now - last_tick;
    last_tick = now;
    tlsmem_timer_set(timer, TICK_MS);
}

static void on_attempt(tlsmem *c, const struct sockaddr *to, socklen_t n, int sys_errno, void *user)
{
    char text[INET6_ADDRSTRLEN] = "?";
    (void)c, (void)n, (void)user;
    if (to->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)to)->sin6_addr, text, sizeof text);
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)to)->sin_addr, text, sizeof text);
    printf("attempt %s %s %ld ms\n", text, sys_errno == 0 ? "connected" : strerror(sys_errno),
           (long)(tlsmem_now() - began));
}

static void on_established(tlsmem *c, void *user)
{
    (void)user;
    printf("established %ld ms\n", (long)(tlsmem_now() - began));
    tlsmem_close(c);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(c, &error);
    printf("closed %s %ld ms: %s\n", tlsmem_status_name(report->status), (long)(tlsmem_now() - began), error.sentence);
    tlsmem_loop_stop(user);
}

int main(int argc, char **argv)
{
    tlsmem_callbacks callbacks = TLSMEM_CALLBACKS_INIT;
    tlsmem_connect_options to = TLSMEM_CONNECT_OPTIONS_INIT;
    if (argc != 5)
        return 1;
    callbacks.on_established = on_established;
    callbacks.on_close = on_close;
    to.host = argv[2];
    to.port = atoi(argv[3]);
    to.connect_ms = (uint32_t)atoi(argv[4]);
    to.on_attempt = on_attempt;
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (loop == NULL || tlsmem_ctx_set_ca_file(ctx, argv[1]) != TLSMEM_OK)
        return 1;
    tlsmem *c = tlsmem_new(ctx, &callbacks, loop);
    began = last_tick = tlsmem_now();
    tlsmem_timer *timer = tlsmem_loop_timer(loop, TICK_MS, on_tick, NULL);
    if (tlsmem_set_server_name(c, "localhost") != TLSMEM_OK || tlsmem_loop_connect(loop, c, &to) != TLSMEM_OK
        || tlsmem_loop_run(loop) != TLSMEM_OK)
        return 1;
    printf("turning %ld ticks of %d ms, the longest after %ld ms\n", ticks, TICK_MS, (long)longest_gap);
    tlsmem_timer_free(timer);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(ctx);
    return 0;
}

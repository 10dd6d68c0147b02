/*
 * settings_facts.c - what is printed of a connection: one line for each fact.
 */
#include "settings.h"
#include <stdio.h>
#include <string.h>

void fact(const char *name, const char *value)
{
    printf("%s=%s\n", name, value != NULL ? value : "");
}

void number(const char *name, long value)
{
    printf("%s=%ld\n", name, value);
}

/* A fact that is copied out, text. */
static void copied(const char *name, ptrdiff_t (*get)(const tlsmem *c, char *text, size_t n), const tlsmem *c)
{
    char text[1024] = "";
    if (get(c, text, sizeof text) < 0)
        text[0] = '\0';
    fact(name, text);
}

static void print_alpn(const tlsmem *c)
{
    const char *name = "";
    size_t n = 0;
    if (tlsmem_alpn(c, &name, &n) != TLSMEM_OK)
        n = 0;
    printf("alpn=%.*s\n", (int)n, name);
}

static void print_end(const tlsmem *c, const tlsmem_report_info *report)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_error(c, &error);
    fact("status", tlsmem_status_name(report->status));
    number("alert_sent", error.alert_sent);
    number("alert_received", error.alert_received);
    number("verify_result", error.verify_result);
    number("verify_depth", error.verify_depth);
    fact("sentence", error.sentence);
}

void print_facts(const tlsmem *c, const tlsmem_report_info *report, const char *received)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    tlsmem_stats(c, &stats);
    number("established", tlsmem_is_established(c));
    fact("protocol", tlsmem_protocol_name(c));
    fact("cipher", tlsmem_cipher_name(c));
    fact("group", tlsmem_group_name(c));
    print_alpn(c);
    fact("sni", tlsmem_server_name(c));
    number("resumed", tlsmem_is_resumed(c));
    copied("subject", tlsmem_peer_subject, c);
    number("renegotiations", (long)stats.key_updates_in);
    fact("received", received);
    print_end(c, report);
    printf("\n");
    fflush(stdout);
}

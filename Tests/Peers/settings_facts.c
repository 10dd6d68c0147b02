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

/* All names for which the certificate is, with commas between them. */
static void print_names(const tlsmem *c)
{
    char name[300];
    printf("san=");
    for (size_t i = 0; tlsmem_peer_san(c, i, name, sizeof name) >= 0; i++)
        printf("%s%s", i > 0 ? "," : "", name);
    printf("\n");
}

static void print_peer(const tlsmem *c)
{
    tlsmem_peer_details peer = TLSMEM_PEER_DETAILS_INIT;
    tlsmem_verify_details verified = TLSMEM_VERIFY_DETAILS_INIT;
    tlsmem_ocsp_details stapled = TLSMEM_OCSP_DETAILS_INIT;
    static const char *const says[] = { "nothing", "good", "revoked", "unknown" };
    int is_there = tlsmem_peer_info(c, &peer) == TLSMEM_OK;
    copied("subject", tlsmem_peer_subject, c);
    copied("issuer", tlsmem_peer_issuer, c);
    copied("serial", tlsmem_peer_serial, c);
    print_names(c);
    number("not_before", (long)peer.not_before);
    number("not_after", (long)peer.not_after);
    printf("sha256=");
    for (size_t i = 0; is_there && i < sizeof peer.sha256; i++)
        printf("%02X", peer.sha256[i]);
    printf("\n");
    fact("ocsp", tlsmem_ocsp_info(c, &stapled) == TLSMEM_OK ? says[stapled.status + 1] : "none");
    number("verified", tlsmem_verify_result(c, &verified) == TLSMEM_OK ? verified.result : -1);
}

/* Digits, or no line at all where there is nothing to compare. */
static int print_bytes(const char *name, const unsigned char *bytes, ptrdiff_t n)
{
    if (n <= 0)
        return 0;
    printf("%s=", name);
    for (ptrdiff_t i = 0; i < n; i++)
        printf("%02x", bytes[i]);
    printf("\n");
    return 1;
}

/* What ties something else to the connection; how many of these there are. */
static void print_bindings(const tlsmem *c)
{
    static const char *const names[] = { "tls_exporter", "tls_server_end_point", "tls_unique" };
    unsigned char bytes[64];
    int status = tlsmem_export_keying_material(c, "EXPERIMENTAL tlsmem", NULL, 0, bytes, 32);
    int count = print_bytes("exported", bytes, status == TLSMEM_OK ? 32 : 0);
    for (int i = 0; i < 3; i++)
        count += print_bytes(names[i], bytes,
                             tlsmem_channel_binding(c, (tlsmem_binding)(TLSMEM_BINDING_EXPORTER + i), bytes, sizeof bytes));
    number("bindings", count);
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
    number("cipher_id", tlsmem_cipher_id(c));
    number("group_id", tlsmem_group_id(c));
    fact("signature", tlsmem_signature_name(c));
    number("signature_id", tlsmem_signature_id(c));
    fact("own_signature", tlsmem_own_signature_name(c));
    number("own_signature_id", tlsmem_own_signature_id(c));
    print_alpn(c);
    fact("sni", tlsmem_server_name(c));
    number("resumed", tlsmem_is_resumed(c));
    fact("psk", tlsmem_psk_identity(c));
    print_peer(c);
    number("renegotiations", (long)stats.key_updates_in);
    print_bindings(c);
    print_told(tlsmem_user(c));
    fact("received", received);
    print_end(c, report);
    printf("\n");
    fflush(stdout);
}

/* facts.c - a connection and its peer, for a person; see facts.h. */
#include "facts.h"
#include <string.h>
#include <time.h>

/* What one of the functions that copy text has to say, with its name in front. */
static void print_text(const char *name, const tlsmem *c, ptrdiff_t (*get)(const tlsmem *c, char *text, size_t n))
{
    ptrdiff_t n = get(c, NULL, 0);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (text != NULL && get(c, text, (size_t)n + 1) == n)
        fprintf(stderr, "%s%s\n", name, text);
    free(text);
}

static void print_date(const char *name, int64_t seconds)
{
    char text[40] = "is none";
    time_t moment = (time_t)seconds;
    struct tm utc;
    if (seconds != INT64_MIN && gmtime_r(&moment, &utc) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fprintf(stderr, "%s: %s\n", name, text);
}

static void print_digest(const char *name, const uint8_t digest[32])
{
    fprintf(stderr, "%s: ", name);
    for (int i = 0; i < 32; i++)
        fprintf(stderr, "%02X", digest[i]);
    fputc('\n', stderr);
}

static void print_names(const tlsmem *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t n = tlsmem_peer_san(c, i, NULL, 0);
        char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
        if (text != NULL && tlsmem_peer_san(c, i, text, (size_t)n + 1) == n)
            fprintf(stderr, "name: %s\n", text);
        free(text);
    }
}

static void print_agreement(const tlsmem *c)
{
    fprintf(stderr, "protocol: %s\ncipher: %s (0x%04x)\n", tlsmem_protocol_name(c), tlsmem_cipher_name(c),
            (unsigned)tlsmem_cipher_id(c));
    if (tlsmem_group_id(c) != 0)
        fprintf(stderr, "group: %s (%d)\n", tlsmem_group_name(c), tlsmem_group_id(c));
    if (tlsmem_signature_id(c) != 0)
        fprintf(stderr, "signature: %s (0x%04x)\n", tlsmem_signature_name(c), (unsigned)tlsmem_signature_id(c));
    if (tlsmem_own_signature_id(c) != 0)
        fprintf(stderr, "our signature: %s (0x%04x)\n", tlsmem_own_signature_name(c), (unsigned)tlsmem_own_signature_id(c));
    fprintf(stderr, "resumed: %s\n", tlsmem_is_resumed(c) ? "yes" : "no");
}

void show_certificates(const tlsmem *c)
{
    tlsmem_peer_details peer = TLSMEM_PEER_DETAILS_INIT;
    tlsmem_verify_details verified = TLSMEM_VERIFY_DETAILS_INIT;
    if (tlsmem_peer_info(c, &peer) != TLSMEM_OK) {
        fputs("certificate: none\n", stderr);
        return;
    }
    if (tlsmem_verify_result(c, &verified) == TLSMEM_OK)
        fprintf(stderr, "verification: %ld, %s\n", verified.result, verified.sentence);
    else
        fputs("verification: off\n", stderr);
    print_text("subject: ", c, tlsmem_peer_subject);
    print_text("issuer: ", c, tlsmem_peer_issuer);
    print_text("serial: ", c, tlsmem_peer_serial);
    print_date("not before", peer.not_before);
    print_date("not after", peer.not_after);
    fprintf(stderr, "key: %s, %d bits\n", peer.key_type, peer.key_bits);
    print_digest("sha256", peer.sha256);
    print_digest("key sha256", peer.key_sha256);
    print_names(c, peer.san_count);
    fprintf(stderr, "certificates: %zu\n", peer.chain_count);
    print_text("", c, tlsmem_peer_pem);
}

void show_peer(const tlsmem *c)
{
    print_agreement(c);
    show_certificates(c);
}

/* manual: trace */
/* Threads may trace at once: each piece is one line, printed in one
   piece. */
static void on_trace(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    char text[512];
    (void)user;
    if (tlsmem_trace(c, info, TLSMEM_TRACE_AS_TEXT, text, sizeof text) > 0)
        say("%s", text);
}

static void on_trace_json(tlsmem *c, const tlsmem_trace_info *info,
                          void *user)
{
    char text[512];
    (void)user;
    if (tlsmem_trace(c, info, TLSMEM_TRACE_AS_JSON, text, sizeof text) > 0)
        fprintf(stderr, "%s\n", text);
}
/* end of trace */

int trace_messages(tlsmem_ctx *ctx, int on)
{
    (void)on;
    return tlsmem_ctx_set_trace_cb(ctx, on_trace, NULL);
}

int trace_as_json(tlsmem_ctx *ctx, int on)
{
    (void)on;
    return tlsmem_ctx_set_trace_cb(ctx, on_trace_json, NULL);
}

static void on_secret(tlsmem *c, const char *line, void *user)
{
    (void)c, (void)user;
    fprintf(stderr, "%s\n", line);
}

int print_secrets(tlsmem_ctx *ctx, int on)
{
    (void)on;
    return tlsmem_ctx_set_keylog_cb(ctx, on_secret, NULL);
}

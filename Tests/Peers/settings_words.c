/*
 * settings_words.c - the table from words to setters: one line for each.
 */
#define _POSIX_C_SOURCE 200809L
#include "settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A word, "name" or "name=value", is one of these. */
struct word {
    const char *name;
    int (*text)(tlsmem_ctx *ctx, const char *value);
    int (*count)(tlsmem_ctx *ctx, int value);
    int (*bytes)(tlsmem_ctx *ctx, const void *bytes, size_t n); /* the value is a file with them */
    int (*alone)(tlsmem_ctx *ctx);
    size_t limit;       /* where in tlsmem_limits, for a size_t */
    size_t own_text;    /* where in struct settings */
    size_t own_number;
};

/* Returns which of the names, separated by blanks, it is, from 0; -1 for none. */
static int which(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; *names != '\0'; i++) {
        size_t length = strcspn(names, " ");
        if (length == n && memcmp(names, name, n) == 0)
            return i;
        names += length + strspn(names + length, " ");
    }
    return -1;
}

static int verify(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_verify(ctx, (tlsmem_verify)which("none optional required later", value));
}

static int crl_check(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_crl_check(ctx, (tlsmem_crl_check)which("none leaf chain", value));
}

static int purpose(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_purpose(ctx, (tlsmem_purpose)which("peer any", value));
}

static int pin(tlsmem_ctx *ctx, const char *value) /* 64 hexadecimal digits */
{
    uint8_t sha256[32] = { 0 };
    for (int i = 0; i < 32 && strlen(value) == 64; i++) {
        char digits[] = { value[2 * i], value[2 * i + 1], '\0' };
        sha256[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return tlsmem_ctx_add_pin(ctx, sha256);
}

static int version(const char *value)
{
    return TLSMEM_TLS1_2 + which("1.2 1.3", value);
}

static int min_version(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_min_version(ctx, version(value));
}

static int max_version(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_max_version(ctx, version(value));
}

static int only_version(tlsmem_ctx *ctx, const char *value)
{
    int status = min_version(ctx, value);
    return status == TLSMEM_OK ? max_version(ctx, value) : status;
}

static int preset(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_preset(ctx, which("modern", value) == 0 ? TLSMEM_PRESET_MODERN : TLSMEM_PRESET_INTERMEDIATE);
}

static int alpn_policy(tlsmem_ctx *ctx, const char *value)
{
    static const tlsmem_alpn_policy policies[] = { TLSMEM_ALPN_STRICT, TLSMEM_ALPN_LENIENT, TLSMEM_ALPN_REQUIRED };
    int i = which("strict lenient required", value);
    return i < 0 ? TLSMEM_EINVAL : tlsmem_ctx_set_alpn_policy(ctx, policies[i]);
}

static int ticket_mode(tlsmem_ctx *ctx, const char *value)
{
    static const tlsmem_ticket_mode modes[] = { TLSMEM_TICKETS_WITH_WRITE, TLSMEM_TICKETS_WITH_HANDSHAKE, TLSMEM_TICKETS_NEVER };
    int i = which("write handshake never", value);
    return i < 0 ? TLSMEM_EINVAL : tlsmem_ctx_set_ticket_mode(ctx, modes[i]);
}

static int ticket_key(tlsmem_ctx *ctx, int begin) /* it seals from this second on, for an hour */
{
    tlsmem_ticket_key key = TLSMEM_TICKET_KEY_INIT;
    memset(key.secret, 7, sizeof key.secret);
    key.encrypt_from = begin;
    key.encrypt_until = key.decrypt_until = key.encrypt_from + 3600;
    return tlsmem_ctx_add_ticket_key(ctx, &key);
}

/* Cuts "a,b,c" at its commas; what is missing is "". */
static void cut(const char *value, char *copy, size_t size, const char **parts, int n)
{
    snprintf(copy, size, "%s", value);
    for (int i = 0; i < n; i++) {
        char *end = copy + strcspn(copy, ",");
        parts[i] = copy;
        copy = *end == '\0' ? end : end + 1;
        *end = '\0';
    }
}

size_t read_file(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_USAGE);
    }
    size_t n = fread(bytes, 1, size, file);
    fclose(file);
    return n;
}

static int keypair(tlsmem_ctx *ctx, const char *value) /* NAME,CERT,KEY; without a name it is one more of the default */
{
    char copy[2048];
    const char *parts[3];
    cut(value, copy, sizeof copy, parts, 3);
    return tlsmem_ctx_add_keypair(ctx, parts[0][0] != '\0' ? parts[0] : NULL, parts[1], parts[2]);
}

static int keypair_mem(tlsmem_ctx *ctx, const char *value) /* the same */
{
    static char cert[1 << 16], key[1 << 16];
    char copy[2048];
    const char *parts[3];
    cut(value, copy, sizeof copy, parts, 3);
    size_t cert_n = read_file(parts[1], cert, sizeof cert), key_n = read_file(parts[2], key, sizeof key);
    return tlsmem_ctx_add_keypair_mem(ctx, parts[0][0] != '\0' ? parts[0] : NULL, cert, cert_n, key, key_n);
}

static int pkcs12(tlsmem_ctx *ctx, const char *value) /* FILE,PASSWORD */
{
    char copy[2048];
    const char *parts[2];
    cut(value, copy, sizeof copy, parts, 2);
    return tlsmem_ctx_set_pkcs12(ctx, parts[0], parts[1]);
}

static int pkcs12_mem(tlsmem_ctx *ctx, const char *value)
{
    static char bytes[1 << 16];
    char copy[2048];
    const char *parts[2];
    cut(value, copy, sizeof copy, parts, 2);
    return tlsmem_ctx_set_pkcs12_mem(ctx, bytes, read_file(parts[0], bytes, sizeof bytes), parts[1]);
}

static ptrdiff_t tell(char *password, size_t size, const char *subject, void *user)
{
    (void)subject;
    size_t n = strlen(user);
    if (n > size)
        return -1;
    memcpy(password, user, n);
    return (ptrdiff_t)n;
}

static int password(tlsmem_ctx *ctx, const char *value)
{
    return tlsmem_ctx_set_password_cb(ctx, tell, (void *)(size_t)value);
}

#define LIMIT(field) { #field, .limit = offsetof(tlsmem_limits, field) }

static const struct word words[] = {
    /* identity */
    { "cert", .text = tlsmem_ctx_set_cert_file },
    { "cert_mem", .bytes = tlsmem_ctx_set_cert_mem },
    { "key", .text = tlsmem_ctx_set_key_file },
    { "key_mem", .bytes = tlsmem_ctx_set_key_mem },
    { "keypair", .text = keypair },
    { "keypair_mem", .text = keypair_mem },
    { "pkcs12", .text = pkcs12 },
    { "pkcs12_mem", .text = pkcs12_mem },
    { "password", .text = password },
    { "sni_strict", .count = tlsmem_ctx_set_sni_strict },
    { "hello", .text = hello },
    { "staple", .text = tlsmem_ctx_set_ocsp_response },
    { "staple_mem", .bytes = tlsmem_ctx_set_ocsp_response_mem },
    { "staple_cb", .text = staple_cb },
    { "psk", .text = psk },
    { "psk_cb", .text = psk_cb },
    /* trust */
    { "ca", .text = tlsmem_ctx_set_ca_file },
    { "ca_dir", .text = tlsmem_ctx_set_ca_dir },
    { "ca_mem", .bytes = tlsmem_ctx_set_ca_mem },
    { "ca_system", .alone = tlsmem_ctx_set_ca_system },
    { "accepted_ca", .text = tlsmem_ctx_set_accepted_ca_file },
    { "accepted_ca_mem", .bytes = tlsmem_ctx_set_accepted_ca_mem },
    { "verify", .text = verify },
    { "verdict", .text = verdict },
    { "crl", .text = tlsmem_ctx_add_crl },
    { "crl_mem", .bytes = tlsmem_ctx_add_crl_mem },
    { "crl_check", .text = crl_check },
    { "pin", .text = pin },
    { "request_ocsp", .alone = tlsmem_ctx_request_ocsp },
    { "require_ocsp", .alone = tlsmem_ctx_require_ocsp },
    { "depth", .count = tlsmem_ctx_set_verify_depth },
    { "partial_chain", .count = tlsmem_ctx_set_partial_chain },
    { "purpose", .text = purpose },
    { "security_level", .count = tlsmem_ctx_set_security_level },
    { "insecure", .alone = tlsmem_ctx_insecure_no_verify },
    /* negotiation */
    { "min", .text = min_version },
    { "max", .text = max_version },
    { "version", .text = only_version },
    { "ciphers", .text = tlsmem_ctx_set_ciphers },
    { "groups", .text = tlsmem_ctx_set_groups },
    { "sigalgs", .text = tlsmem_ctx_set_signature_algorithms },
    { "preset", .text = preset },
    { "alpn", .text = tlsmem_ctx_set_alpn },
    { "alpn_policy", .text = alpn_policy },
    /* sessions, limits, facts */
    { "tickets", .count = tlsmem_ctx_set_tickets },
    { "ticket_mode", .text = ticket_mode },
    { "ticket_key", .count = ticket_key },
    { "ticket_keys", .text = tlsmem_ctx_set_ticket_keys_file },
    { "ticket_keys_mem", .bytes = tlsmem_ctx_set_ticket_keys_mem },
    { "renegotiation", .count = tlsmem_ctx_set_renegotiation },
    { "post_handshake_auth", .count = tlsmem_ctx_set_post_handshake_auth },
    { "keylog", .text = tlsmem_ctx_set_keylog },
    { "keylog_cb", .text = keylog_cb },
    { "trace", .text = trace },
    LIMIT(cert_list_max),
    /* what the program does, and is not the context's */
    { "host", .own_text = offsetof(struct settings, host) },
    { "name", .own_text = offsetof(struct settings, name) },
    { "port", .own_number = offsetof(struct settings, port) },
    { "again", .own_number = offsetof(struct settings, again) },
    { "request", .own_number = offsetof(struct settings, request) },
    { "renegotiate", .own_number = offsetof(struct settings, renegotiate) },
    { "rekey", .own_number = offsetof(struct settings, rekey) },
};

static void refused(const struct settings *s, const char *word, int status)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_ctx_error(s->ctx, &error);
    fact("refused", word);
    fact("status", tlsmem_status_name(status));
    fact("sentence", error.sentence);
    exit(EXIT_REFUSED);
}

static int from_file(const struct word *word, tlsmem_ctx *ctx, const char *path)
{
    static char bytes[1 << 20];
    return word->bytes(ctx, bytes, read_file(path, bytes, sizeof bytes));
}

void apply(struct settings *s, char *text)
{
    char *value = strchr(text, '=');
    if (value != NULL)
        *value++ = '\0';
    else
        value = text + strlen(text);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct word *word = &words[i];
        int status = TLSMEM_OK;
        if (strcmp(word->name, text) != 0)
            continue;
        if (word->text != NULL)
            status = word->text(s->ctx, value);
        else if (word->count != NULL)
            status = word->count(s->ctx, atoi(value));
        else if (word->bytes != NULL)
            status = from_file(word, s->ctx, value);
        else if (word->alone != NULL)
            status = word->alone(s->ctx);
        else if (word->own_text != 0)
            memcpy((char *)s + word->own_text, &value, sizeof value);
        else if (word->own_number != 0)
            *(int *)(void *)((char *)s + word->own_number) = atoi(value);
        else
            *(size_t *)(void *)((char *)&s->limits + word->limit) = (size_t)atol(value);
        if (status != TLSMEM_OK)
            refused(s, text, status);
        return;
    }
    fprintf(stderr, "settings: there is no word \"%s\"\n", text);
    exit(EXIT_USAGE);
}

void apply_limits(struct settings *s)
{
    int status = tlsmem_ctx_set_limits(s->ctx, &s->limits);
    if (status != TLSMEM_OK)
        refused(s, "limits", status);
}

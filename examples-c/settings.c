/* settings.c - from words to setters: one line for each; see settings.h, and docs/settings.md for what they mean. */
#include "settings.h"
#include "facts.h"
#include "questions.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

static int pkcs12(tlsmem_ctx *ctx, const char *path)
{
    return tlsmem_ctx_set_pkcs12(ctx, path, NULL); /* --password-file's */
}

static int keypair(tlsmem_ctx *ctx, const char *text)
{
    char *name = strdup(text), *cert = name != NULL ? strchr(name, '=') : NULL;
    char *key = cert != NULL ? strchr(cert, ',') : NULL;
    if (key == NULL)
        usage_error("--keypair: %s is not NAME=CERT,KEY", text);
    *cert++ = '\0';
    *key++ = '\0';
    int status = tlsmem_ctx_add_keypair(ctx, name[0] != '\0' ? name : NULL, cert, key);
    free(name);
    return status;
}

static int client_verify(tlsmem_ctx *ctx, int which)
{
    static const tlsmem_verify words[] = { TLSMEM_VERIFY_NONE, TLSMEM_VERIFY_OPTIONAL, TLSMEM_VERIFY_REQUIRED };
    int status = tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_OPTIONAL); /* which a client refuses */
    return status == TLSMEM_OK ? tlsmem_ctx_set_verify(ctx, words[which]) : status;
}

static int client_ca(tlsmem_ctx *ctx, const char *path)
{
    int status = client_verify(ctx, 2);
    return status == TLSMEM_OK ? tlsmem_ctx_set_ca_file(ctx, path) : status;
}

/* Returns how many bytes the digits stand for, or -1. */
static int from_hex(const char *hex, uint8_t *bytes, size_t most)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = strlen(hex);
    if (n % 2 != 0 || n / 2 > most || strspn(hex, "0123456789abcdefABCDEF") != n)
        return -1;
    for (size_t i = 0; i < n; i++)
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (strchr(digits, tolower((unsigned char)hex[i])) - digits));
    return (int)(n / 2);
}

static int pin(tlsmem_ctx *ctx, const char *hex)
{
    uint8_t sha256[32];
    if (from_hex(hex, sha256, sizeof sha256) != sizeof sha256)
        usage_error("--pin: %s is not 64 hexadecimal digits", hex);
    return tlsmem_ctx_add_pin(ctx, sha256);
}

static int psk(tlsmem_ctx *ctx, const char *text)
{
    uint8_t key[512];
    char *identity = strdup(text), *hex = identity != NULL ? strrchr(identity, ':') : NULL;
    if (hex == NULL)
        usage_error("--psk: %s is not IDENTITY:HEX", text);
    *hex++ = '\0';
    int n = from_hex(hex, key, sizeof key);
    if (n < 0)
        usage_error("--psk: %s: the key is not in hexadecimal digits, or longer than 512 bytes", identity);
    int status = tlsmem_ctx_set_psk(ctx, identity, key, (size_t)n);
    if (status == TLSMEM_EINVAL && ctx != NULL)
        context_refused(ctx); /* and says why, which is not that it is for the other role */
    free(identity);
    return status;
}

static int crl_check(tlsmem_ctx *ctx, int which)
{
    static const tlsmem_crl_check checks[] = { TLSMEM_CRL_NONE, TLSMEM_CRL_LEAF, TLSMEM_CRL_CHAIN };
    return tlsmem_ctx_set_crl_check(ctx, checks[which]);
}

/* It goes with a certificate, which comes later: see set_responses. */
static int ocsp_response(tlsmem_ctx *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return TLSMEM_OK;
}

static int request_ocsp(tlsmem_ctx *ctx, int on)
{
    return on ? tlsmem_ctx_request_ocsp(ctx) : TLSMEM_OK;
}

static int require_ocsp(tlsmem_ctx *ctx, int on)
{
    return on ? tlsmem_ctx_require_ocsp(ctx) : TLSMEM_OK;
}

static int any_purpose(tlsmem_ctx *ctx, int on)
{
    return tlsmem_ctx_set_purpose(ctx, on ? TLSMEM_PURPOSE_INSECURE_ANY : TLSMEM_PURPOSE_PEER);
}

static int preset(tlsmem_ctx *ctx, int which)
{
    return tlsmem_ctx_set_preset(ctx, which == 0 ? TLSMEM_PRESET_MODERN : TLSMEM_PRESET_INTERMEDIATE);
}

static int only_version(tlsmem_ctx *ctx, int which)
{
    int version = which == 0 ? TLSMEM_TLS1_2 : TLSMEM_TLS1_3, status = tlsmem_ctx_set_min_version(ctx, version);
    return status == TLSMEM_OK ? tlsmem_ctx_set_max_version(ctx, version) : status;
}

static int alpn_policy(tlsmem_ctx *ctx, int which)
{
    static const tlsmem_alpn_policy policies[] = { TLSMEM_ALPN_STRICT, TLSMEM_ALPN_LENIENT, TLSMEM_ALPN_REQUIRED };
    return tlsmem_ctx_set_alpn_policy(ctx, policies[which]);
}

static int ticket_mode(tlsmem_ctx *ctx, int which)
{
    static const tlsmem_ticket_mode modes[] = { TLSMEM_TICKETS_WITH_WRITE, TLSMEM_TICKETS_WITH_HANDSHAKE, TLSMEM_TICKETS_NEVER };
    return tlsmem_ctx_set_ticket_mode(ctx, modes[which]);
}

static int key_update(tlsmem_ctx *ctx, int bytes)
{
    return tlsmem_ctx_set_key_update(ctx, (uint64_t)bytes, 0);
}

static int early_data(tlsmem_ctx *ctx, int most)
{
    return tlsmem_ctx_set_early_data(ctx, (size_t)most);
}

/* The level before the certificates, which are held against it; the password before what is locked; the preset before what
   it would set over; the version before the ciphers, which have to be for it. */
const struct setting settings[] = {
    { "security-level", "N", NULL, tlsmem_ctx_set_security_level, 1, 5, "least strength of keys and signatures, 1 to 5 (2)" },
    { "password-file", "FILE", ask_password_file, NULL, 0, 0, "its first line opens encrypted keys" },
    { "pkcs12", "FILE", pkcs12, NULL, 0, 0, "certificate, chain and key in one file, in place of --cert and --key" },
    { "keypair", "NAME=CERT,KEY", keypair, NULL, 0, 0,
      "server: for clients that ask for NAME, or \"*.NAME\"; without NAME: beside --cert. Repeatable" },
    { "psk", "IDENTITY:HEX", psk, NULL, 0, 0, "a key in common, in place of certificates. Repeatable by a server" },
    { "sni-strict", NULL, NULL, tlsmem_ctx_set_sni_strict, 0, 1, "server: refuse clients that ask for another name" },
    { "ocsp-response", "FILE", ocsp_response, NULL, 0, 0, "server: what the authority says of our certificate. Repeatable" },
    { "client-ca", "FILE", client_ca, NULL, 0, 0, "server: clients must have a certificate of these authorities. Repeatable" },
    { "client-verify", "none|optional|required", NULL, client_verify, 0, 0, "server: whether clients must have one" },
    { "ca-dir", "DIR", tlsmem_ctx_set_ca_dir, NULL, 0, 0, "the authorities in a directory (openssl rehash)" },
    { "accepted-ca", "FILE", tlsmem_ctx_set_accepted_ca_file, NULL, 0, 0, "server: ask for certificates of these authorities" },
    { "crl", "FILE", tlsmem_ctx_add_crl, NULL, 0, 0, "revocation lists. Repeatable" },
    { "crl-check", "none|leaf|chain", NULL, crl_check, 0, 0, "which certificates must not be revoked" },
    { "request-ocsp", NULL, NULL, request_ocsp, 0, 1, "client: ask for an OCSP response, and refuse a bad one" },
    { "require-ocsp", NULL, NULL, require_ocsp, 0, 1, "client: the server must have a good OCSP response" },
    { "verify-depth", "N", NULL, tlsmem_ctx_set_verify_depth, 0, 100, "certificates between the peer's and a trusted one (100)" },
    { "partial-chain", NULL, NULL, tlsmem_ctx_set_partial_chain, 0, 1, "let a chain end at any certificate that is trusted" },
    { "insecure-any-purpose", NULL, NULL, any_purpose, 0, 1, "take certificates that were made for something else: for tests" },
    { "pin", "HEX", pin, NULL, 0, 0, "SHA-256 of a public key that the peer must have. Repeatable" },
    { "show-verdict", NULL, NULL, show_verdicts, 0, 1, "print on stderr what verification finds, and the certificates" },
    { "insecure-accept", "N", NULL, accept_verdict, 1, 999,
      "the same, and take a certificate with this result: 10 expired, 18 self-signed, 62 of another name" },
    { "preset", "modern|intermediate", NULL, preset, 0, 0, "versions, ciphers, groups, by Mozilla's guide" },
    { "tls", "1.2|1.3", NULL, only_version, 0, 0, "speak only this version" },
    { "ciphers", "LIST", tlsmem_ctx_set_ciphers, NULL, 0, 0, "ciphers, \"TLS_AES_128_GCM_SHA256:HIGH\"" },
    { "groups", "LIST", tlsmem_ctx_set_groups, NULL, 0, 0, "groups for the key exchange, \"?X25519MLKEM768:X25519\"" },
    { "signature-algorithms", "LIST", tlsmem_ctx_set_signature_algorithms, NULL, 0, 0,
      "signature algorithms, \"ecdsa_secp256r1_sha256:RSA-PSS+SHA256\"" },
    { "alpn-policy", "strict|lenient|required", NULL, alpn_policy, 0, 0, "without an application protocol in common" },
    { "tickets", "N", NULL, tlsmem_ctx_set_tickets, 0, 16, "server: session tickets for a client of TLS 1.3 (2)" },
    { "ticket-mode", "write|handshake|never", NULL, ticket_mode, 0, 0, "server: when it sends them (write)" },
    { "ticket-keys", "FILE", tlsmem_ctx_set_ticket_keys_file, NULL, 0, 0, "server: keys of tickets, shared with other servers" },
    { "renegotiation", "never|always|once", NULL, tlsmem_ctx_set_renegotiation, 0, 0, "in TLS 1.2 (never)" }, /* by number */
    { "key-update", "BYTES", NULL, key_update, 0, 1 << 30, "change our key of TLS 1.3 after so many bytes (0: never)" },
    { "early-data", "BYTES", NULL, early_data, 0, 1 << 30, "server: take so much before the handshake (0)" },
    { "trace", NULL, NULL, trace_messages, 0, 1, "print a line on stderr for every record and message of TLS" },
    { "trace-json", NULL, NULL, trace_as_json, 0, 1, "the same, each line an object of JSON: for programs" },
    { "keylog-stderr", NULL, NULL, print_secrets, 0, 1, "print the secrets on stderr: for debugging" },
    { 0 },
};

long number(const char *name, const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < 0)
        usage_error("--%s: %s is no number", name, text);
    return value;
}

/* Returns the place of a word among "a|b|c". */
static int place(const struct setting *s, const char *word)
{
    const char *at = s->argument;
    for (int i = 0; *at != '\0'; i++) {
        size_t n = strcspn(at, "|");
        if (strlen(word) == n && memcmp(at, word, n) == 0)
            return i;
        at += n + (at[n] == '|');
    }
    usage_error("--%s: %s is none of %s", s->name, word, s->argument);
}

static int value(const struct setting *s, const char *text)
{
    if (s->argument == NULL)
        return 1;
    if (strchr(s->argument, '|') != NULL)
        return place(s, text);
    long n = number(s->name, text);
    if (n < s->least || n > s->most)
        usage_error("--%s: %d to %d", s->name, s->least, s->most);
    return (int)n;
}

void note_setting(struct options *o, const char *name, const char *text)
{
    const struct setting *s = settings;
    while (strcmp(s->name, name) != 0)
        s++;
    if (o->given_n == GIVEN_MAX)
        usage_error("--%s: %d settings are the most", name, GIVEN_MAX);
    o->given[o->given_n++] = (struct given) { s, text, s->number != NULL ? value(s, text) : 0 };
}

int is_given(const struct options *o, const char *name)
{
    for (size_t i = 0; i < o->given_n; i++)
        if (strcmp(o->given[i].setting->name, name) == 0)
            return 1;
    return 0;
}

int set_responses(tlsmem_ctx *ctx, const struct options *o)
{
    int status = TLSMEM_OK;
    for (size_t i = 0; i < o->given_n && status == TLSMEM_OK; i++)
        if (o->given[i].setting->text == ocsp_response)
            status = tlsmem_ctx_set_ocsp_response(ctx, o->given[i].text);
    return status;
}

int apply_settings(tlsmem_ctx *ctx, const struct options *o)
{
    for (const struct setting *s = settings; s->name != NULL; s++)
        for (const struct given *g = o->given; g < o->given + o->given_n; g++) {
            int status = g->setting != s ? TLSMEM_OK : s->text != NULL ? s->text(ctx, g->text) : s->number(ctx, g->number);
            if (status == TLSMEM_EINVAL && ctx != NULL)
                usage_error("--%s: this is for the other role", s->name); /* the values are good: note_setting */
            if (status != TLSMEM_OK)
                return status;
        }
    return TLSMEM_OK;
}

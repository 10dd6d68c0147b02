/* The corpus: a line of its manifest is a chain that is shown, how it is looked at, and what must come of that. */
#include "trust.h"

#include <openssl/ssl.h>

/* The fields of a line, in its order; "." is an empty one. */
typedef struct row {
    char *name, *verifier, *settings, *status, *result, *depth, *alert;
} row;

static char host[256];
static int verifies;

/** Returns the path of a file of the corpus. */
static const char *in_corpus(const char *name, const char *suffix)
{
    char path[256];
    snprintf(path, sizeof path, "corpus/%s%s", name, suffix);
    return certificate(path);
}

static void apply(tlsmem_ctx *ctx, const char *key, char *value)
{
    char *rest;
    if (strcmp(key, "host") == 0)
        snprintf(host, sizeof host, "%s", value);
    else if (strcmp(key, "ca") == 0)
        MUST(*value == 0 || tlsmem_ctx_set_ca_file(ctx, in_corpus(value, "")) == TLSMEM_OK);
    else if (strcmp(key, "ca_dir") == 0)
        MUST(tlsmem_ctx_set_ca_dir(ctx, in_corpus(value, "")) == TLSMEM_OK);
    else if (strcmp(key, "crl") == 0)
        MUST(tlsmem_ctx_add_crl(ctx, in_corpus(value, "")) == TLSMEM_OK);
    else if (strcmp(key, "crl_check") == 0)
        MUST(tlsmem_ctx_set_crl_check(ctx, strcmp(value, "none") == 0 ? TLSMEM_CRL_NONE : strcmp(value, "leaf") == 0
                                      ? TLSMEM_CRL_LEAF : TLSMEM_CRL_CHAIN) == TLSMEM_OK);
    else if (strcmp(key, "depth") == 0)
        MUST(tlsmem_ctx_set_verify_depth(ctx, atoi(value)) == TLSMEM_OK);
    else if (strcmp(key, "partial") == 0)
        MUST(tlsmem_ctx_set_partial_chain(ctx, atoi(value)) == TLSMEM_OK);
    else if (strcmp(key, "purpose") == 0)
        MUST(tlsmem_ctx_set_purpose(ctx, TLSMEM_PURPOSE_INSECURE_ANY) == TLSMEM_OK);
    else if (strcmp(key, "level") == 0)
        MUST(tlsmem_ctx_set_security_level(ctx, atoi(value)) == TLSMEM_OK);
    else if (strcmp(key, "pin") == 0)
        for (char *digits = strtok_r(value, ",", &rest); digits != NULL; digits = strtok_r(NULL, ",", &rest))
            pin(ctx, digits);
    else if (strcmp(key, "verify") == 0)
        verifies = 0;
    else if (strcmp(key, "tls") == 0)
        return; /* see try_row */
    else
        CHECK(0, "nobody knows the setting %s", key);
}

static tlsmem_ctx *verifier(const row *r, tlsmem_role role)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    char settings[512], *rest;
    snprintf(settings, sizeof settings, "%s", r->settings);
    snprintf(host, sizeof host, "server.example");
    verifies = 1;
    for (char *word = strtok_r(settings, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');
        MUST(value != NULL);
        *value = 0;
        apply(ctx, word, value + 1);
    }
    if (!verifies)
        MUST(tlsmem_ctx_insecure_no_verify(ctx) == TLSMEM_OK);
    else if (role == TLSMEM_SERVER)
        MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

static int show(tlsmem_ctx *ctx, const char *name)
{
    int status = tlsmem_ctx_set_cert_file(ctx, in_corpus(name, ".pem"));
    return status != TLSMEM_OK ? status : tlsmem_ctx_set_key_file(ctx, in_corpus(name, ".key"));
}

/** What the one who verifies says, and what the other hears. */
static void compare(const row *r, const end *judge, const end *judged)
{
    tlsmem_error_info said = error_of(judge->c), heard = error_of(judged->c);
    CHECK(strcmp(tlsmem_status_name(said.status), r->status) == 0, "%s (%s), expected %s",
          tlsmem_status_name(said.status), said.sentence, r->status);
    CHECK(said.verify_result == atol(r->result) && said.verify_depth == atoi(r->depth),
          "result %ld at depth %d, expected %s at %s", said.verify_result, said.verify_depth, r->result, r->depth);
    tlsmem_verify_details details = TLSMEM_VERIFY_DETAILS_INIT;
    CHECK(SSL_get_verify_result(tlsmem_native(judge->c)) == said.verify_result, "OpenSSL has %ld as the result of it",
          SSL_get_verify_result(tlsmem_native(judge->c)));
    CHECK(tlsmem_verify_result(judge->c, &details) != TLSMEM_OK || details.result == said.verify_result,
          "result %ld in another place", details.result);
    CHECK(*r->alert == '-' || said.alert_sent == atoi(r->alert), "alert %d, expected %s", said.alert_sent, r->alert);
    CHECK(heard.alert_received == said.alert_sent, "the other side heard %d", heard.alert_received);
    CHECK(judge->closes == 1 && judge->report.status == said.status && judge->received == 0,
          "ended %d times, with %s, after %llu bytes", judge->closes, tlsmem_status_name(judge->report.status),
          (unsigned long long)judge->received);
    /* Without verification there is no chain to name somebody of. */
    int names = strstr(said.sentence, "): CN=") != NULL;
    CHECK(names == (said.verify_result != 0 && verifies), "it says: %s", said.sentence);
}

static void try_row(const row *r, int version)
{
    int by_server = strcmp(r->verifier, "server") == 0;
    if (version == TLSMEM_TLS1_2 && strstr(r->settings, "tls=1.3") != NULL)
        return;
    tlsmem_ctx *shows = tlsmem_ctx_new(by_server ? TLSMEM_CLIENT : TLSMEM_SERVER);
    situation("%s, TLS 1.%d", r->name, version - 0x0301);
    without_scruples(shows);
    MUST(tlsmem_ctx_set_max_version(shows, version) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_min_version(shows, version) == TLSMEM_OK);
    if (strcmp(r->verifier, "setting") == 0) {
        CHECK_STATUS(show(shows, r->name), TLSMEM_ECONFIG);
        CHECK(strcmp(r->status, "TLSMEM_ECONFIG") == 0, "expected %s", r->status);
        tlsmem_ctx_free(shows);
        return;
    }
    tlsmem_ctx *looks = verifier(r, by_server ? TLSMEM_SERVER : TLSMEM_CLIENT);
    if (by_server) {
        MUST(show(looks, "good") == TLSMEM_OK);
        MUST(tlsmem_ctx_set_ca_file(shows, in_corpus("root", ".pem")) == TLSMEM_OK);
    }
    if (!by_server || strcmp(r->status, "TLSMEM_ENOCERT") != 0)
        MUST(show(shows, r->name) == TLSMEM_OK);
    meet(by_server ? shows : looks, by_server ? looks : shows, host, NULL);
    if (strcmp(r->status, "TLSMEM_OK") == 0) {
        CHECK(error_of(client.c).status == TLSMEM_OK && error_of(server.c).status == TLSMEM_OK, "client: %s; server: %s",
              error_of(client.c).sentence, error_of(server.c).sentence);
        CHECK(client.received == 100 && server.received == 100, "not everything arrived");
    } else {
        compare(r, by_server ? &server : &client, by_server ? &client : &server);
    }
    part();
    tlsmem_ctx_free(shows);
    tlsmem_ctx_free(looks);
}

void corpus(int version)
{
    FILE *manifest = fopen(in_corpus("manifest", ".tsv"), "r");
    char line[1024];
    int rows = 0;
    MUST(manifest != NULL);
    while (fgets(line, sizeof line, manifest) != NULL) {
        char *rest, *field[7];
        if (*line == '#')
            continue;
        for (int i = 0; i < 7; i++)
            MUST((field[i] = strtok_r(i == 0 ? line : NULL, "\t\n", &rest)) != NULL);
        const row r = { field[0], field[1], field[2], field[3], field[4], field[5], field[6] };
        if (!short_run() || rows % 8 == 0)
            try_row(&r, version);
        rows++;
    }
    fclose(manifest);
    CHECK(rows > 150, "only %d cases", rows);
}

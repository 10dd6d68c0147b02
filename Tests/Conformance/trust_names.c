/* Whose certificates a server asks for: the names that arrive at the client, in the order in which they were set. */
#include "trust.h"

#include <openssl/ssl.h>

/** A server that trusts ca.pem and accepts, for all that it says, those of the files. */
static tlsmem_ctx *server_accepting(int version, const char *file)
{
    tlsmem_ctx *ctx = context(TLSMEM_SERVER, version);
    MUST(file == NULL || tlsmem_ctx_set_accepted_ca_file(ctx, certificate(file)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
    return ctx;
}

static void told(int version, const char *file, const char *expected)
{
    char text[256] = "";
    situation("names of %s, TLS 1.%d", file == NULL ? "those who are trusted" : file, version - 0x0301);
    tlsmem_ctx *from = context(TLSMEM_CLIENT, version), *to = server_accepting(version, file);
    MUST(tlsmem_ctx_set_cert_file(from, certificate("client.pem")) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_key_file(from, certificate("client.key")) == TLSMEM_OK);
    meet(from, to, NULL, NULL);
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(tlsmem_native(client.c));
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        size_t length = strlen(text);
        X509_NAME_oneline(sk_X509_NAME_value(names, i), text + length, (int)(sizeof text - length));
    }
    CHECK(strcmp(text, expected) == 0, "told were \"%s\", expected \"%s\"", text, expected);
    /* They decide nothing: the certificate is of the authority that is trusted. */
    CHECK_STATUS(failure_of(server.c), TLSMEM_OK);
    part();
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

void names_told(int version)
{
    told(version, NULL, "/CN=tlsmem test authority");
    told(version, "ca.pem", "/CN=tlsmem test authority");
    told(version, "other-ca.pem", "/CN=another test authority");
    told(version, "full.pem", "/CN=localhost/CN=tlsmem test intermediate");
}

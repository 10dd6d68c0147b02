/* What says whom to trust: wrong values, wrong files, the wrong role, and too late. */
#include "misuse.h"

static const uint8_t digest[32] = { 1, 2, 3 };

static void values(tlsmem_ctx *ctx)
{
    situation("values of trust");
    CHECK_STATUS(tlsmem_ctx_set_crl_check(ctx, (tlsmem_crl_check)3), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_crl_check(ctx, (tlsmem_crl_check)-1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_crl_check(ctx, (tlsmem_crl_check)258), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_purpose(ctx, (tlsmem_purpose)2), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_purpose(ctx, (tlsmem_purpose)-1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_pin(ctx, NULL), TLSMEM_EINVAL);
    static const int depths[] = { -1, 101, 2147483647, -2147483647 - 1 };
    for (int i = 0; i < 4; i++)
        CHECK_STATUS(tlsmem_ctx_set_verify_depth(ctx, depths[i]), TLSMEM_EINVAL);
    static const int levels[] = { -1, 6, 2147483647, -2147483647 - 1 };
    for (int i = 0; i < 4; i++)
        CHECK_STATUS(tlsmem_ctx_set_security_level(ctx, levels[i]), TLSMEM_EINVAL);
    REFUSED(ctx, tlsmem_ctx_set_security_level(ctx, 0));
    for (int level = 1; level <= 5; level++)
        CHECK_STATUS(tlsmem_ctx_set_security_level(ctx, level), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_verify_depth(ctx, 0), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_verify_depth(ctx, 100), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_partial_chain(ctx, -1), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_partial_chain(ctx, 0), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_purpose(ctx, TLSMEM_PURPOSE_INSECURE_ANY), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_purpose(ctx, TLSMEM_PURPOSE_PEER), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_crl_check(ctx, TLSMEM_CRL_CHAIN), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_crl_check(ctx, TLSMEM_CRL_NONE), TLSMEM_OK);
}

static void files(tlsmem_ctx *ctx, tlsmem_role role)
{
    static const char garbage[] = "-----BEGIN X509 CRL-----\nnot base64!\n-----END X509 CRL-----\n";
    situation("files of trust");
    REFUSED(ctx, tlsmem_ctx_add_crl(ctx, "/nonexistent/list.crl"));
    REFUSED(ctx, tlsmem_ctx_add_crl(ctx, "/"));
    REFUSED(ctx, tlsmem_ctx_add_crl(ctx, certificate("ca.pem"))); /* there is no list in it */
    REFUSED(ctx, tlsmem_ctx_add_crl_mem(ctx, garbage, sizeof garbage - 1));
    REFUSED(ctx, tlsmem_ctx_add_crl_mem(ctx, "\x30\x03\x02\x01\x00", 5)); /* DER of something else */
    REFUSED(ctx, tlsmem_ctx_add_crl_mem(ctx, "", 0));
    REFUSED(ctx, tlsmem_ctx_set_accepted_ca_file(ctx, "/nonexistent/ca.pem"));
    REFUSED(ctx, tlsmem_ctx_set_accepted_ca_file(ctx, certificate("server.key")));
    REFUSED(ctx, tlsmem_ctx_set_accepted_ca_mem(ctx, "", 0));
    if (role == TLSMEM_CLIENT)
        REFUSED(ctx, tlsmem_ctx_set_accepted_ca_file(ctx, certificate("ca.pem")));
    else
        CHECK_STATUS(tlsmem_ctx_set_accepted_ca_file(ctx, certificate("ca.pem")), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_add_crl(ctx, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_accepted_ca_file(ctx, NULL), TLSMEM_EINVAL);
    static const size_t bad[] = { NEGATIVE, TOO_LONG };
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(tlsmem_ctx_add_crl_mem(ctx, garbage, bad[i]), TLSMEM_EINVAL);
        CHECK_STATUS(tlsmem_ctx_set_accepted_ca_mem(ctx, garbage, bad[i]), TLSMEM_EINVAL);
    }
    CHECK_STATUS(tlsmem_ctx_add_crl_mem(ctx, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_accepted_ca_mem(ctx, NULL, 1), TLSMEM_EINVAL);
}

static void too_late(tlsmem_ctx *ctx)
{
    situation("trust after the first connection");
    CHECK_STATUS(tlsmem_ctx_set_accepted_ca_file(ctx, certificate("ca.pem")), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_accepted_ca_mem(ctx, "x", 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_add_crl(ctx, "/nonexistent/list.crl"), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_add_crl_mem(ctx, "x", 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_crl_check(ctx, TLSMEM_CRL_NONE), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_add_pin(ctx, digest), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_verify_depth(ctx, 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_partial_chain(ctx, 1), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_purpose(ctx, TLSMEM_PURPOSE_PEER), TLSMEM_ESTATE);
    CHECK_STATUS(tlsmem_ctx_set_security_level(ctx, 1), TLSMEM_ESTATE);
}

void wrong_trust(void)
{
    for (int role = TLSMEM_CLIENT; role <= TLSMEM_SERVER; role++) {
        tlsmem_ctx *ctx = context((tlsmem_role)role, 0);
        files(ctx, (tlsmem_role)role);
        values(ctx);
        MUST(tlsmem_ctx_set_security_level(ctx, 2) == TLSMEM_OK);

        situation("a context that has refused much");
        tlsmem_ctx *other = context(role == TLSMEM_CLIENT ? TLSMEM_SERVER : TLSMEM_CLIENT, 0);
        end_open(&client, role == TLSMEM_CLIENT ? ctx : other, FACE_BUFFERS, NULL, 0, 0);
        end_open(&server, role == TLSMEM_CLIENT ? other : ctx, FACE_BUFFERS, NULL, 1, 0);
        wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
        CHECK(wire_run(&pair_wire, both_established), "it was changed by what it refused");
        end_finish(&client);
        end_finish(&server);
        too_late(ctx);
        tlsmem_ctx_free(ctx);
        tlsmem_ctx_free(other);
    }
}

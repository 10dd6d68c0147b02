/* Everything that a connection can be asked, in every state that an input brings it to. */
#include "fuzz.h"

#include <poll.h>

static void ask_copies(tlsmem *c)
{
    char some[64], all[20000];
    tlsmem_peer_details details = TLSMEM_PEER_DETAILS_INIT;
    ptrdiff_t (*const texts[])(const tlsmem *, char *, size_t) = { tlsmem_peer_subject, tlsmem_peer_issuer,
                                                                   tlsmem_peer_serial, tlsmem_peer_pem };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ptrdiff_t n = texts[i](c, NULL, 0);
        MUST(texts[i](c, some, sizeof some) == n);
        if (n >= 0 && (size_t)n < sizeof all)
            MUST(texts[i](c, all, sizeof all) == n && strlen(all) == (size_t)n);
    }
    int known = tlsmem_peer_info(c, &details);
    MUST((known == TLSMEM_OK) == (tlsmem_peer_certificate(c, NULL, 0) > 0));
    for (size_t i = 0; i < details.san_count && i < 20; i++)
        MUST(tlsmem_peer_san(c, i, all, sizeof all) >= 0);
    MUST(tlsmem_peer_san(c, details.san_count, all, sizeof all) < 0);
    for (size_t i = 0; i < details.chain_count && i < 5; i++)
        MUST(tlsmem_peer_chain(c, i, NULL, 0) > 0);
    MUST(tlsmem_peer_chain(c, details.chain_count, NULL, 0) < 0);
    IGNORE(tlsmem_peer_verified_chain(c, 0, all, sizeof all));
    IGNORE(tlsmem_ocsp_response(c, all, sizeof all));
}

static void ask_facts(tlsmem *c)
{
    uint8_t bytes[64];
    const char *name;
    size_t n;
    tlsmem_verify_details verified = TLSMEM_VERIFY_DETAILS_INIT;
    tlsmem_ocsp_details stapled = TLSMEM_OCSP_DETAILS_INIT;
    int version = tlsmem_protocol(c);
    MUST(version == 0 || version == TLSMEM_TLS1_2 || version == TLSMEM_TLS1_3);
    MUST((tlsmem_cipher_id(c) == 0) == (*tlsmem_cipher_name(c) == 0));
    MUST((tlsmem_group_id(c) == 0) == (*tlsmem_group_name(c) == 0));
    MUST((tlsmem_signature_id(c) == 0) == (*tlsmem_signature_name(c) == 0));
    MUST((tlsmem_own_signature_id(c) == 0) == (*tlsmem_own_signature_name(c) == 0));
    MUST(tlsmem_protocol_name(c) != NULL);
    if (tlsmem_alpn(c, &name, &n) == TLSMEM_OK)
        MUST(n > 0 && n < 256);
    if (tlsmem_is_established(c)) /* a renegotiation begins without a cipher */
        MUST(version != 0 && (version == TLSMEM_TLS1_2 || tlsmem_cipher_id(c) != 0));
    IGNORE(tlsmem_is_resumed(c));
    IGNORE(tlsmem_server_name(c) == NULL);
    IGNORE(tlsmem_psk_identity(c) == NULL);
    IGNORE(tlsmem_verify_result(c, &verified));
    IGNORE(tlsmem_ocsp_info(c, &stapled));
    IGNORE(tlsmem_early_data_status(c));
    for (int type = 0; type < 5; type++)
        IGNORE(tlsmem_channel_binding(c, type, bytes, sizeof bytes));
    if (tlsmem_export_keying_material(c, "EXPERIMENTAL fuzz", "x", 1, bytes, sizeof bytes) == TLSMEM_OK)
        MUST(tlsmem_is_established(c));
}

void ask_everything(tlsmem *c)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    MUST(tlsmem_want(c, &want) == TLSMEM_OK && tlsmem_report(c, &report) == TLSMEM_OK);
    MUST(tlsmem_error(c, &error) == TLSMEM_OK && tlsmem_stats(c, &stats) == TLSMEM_OK);
    MUST(want.state >= TLSMEM_STATE_NEW && want.state <= TLSMEM_STATE_CONNECTING);
    MUST(want.has_ciphertext || want.outgoing_bytes == 0);
    MUST(want.has_plaintext == (want.incoming_bytes > 0));
    MUST(report.bytes_encrypted <= report.bytes_accepted);
    MUST((error.status == TLSMEM_OK) == (error.sentence[0] == 0));
    MUST((tlsmem_interest(c) & ~(POLLIN | POLLOUT)) == 0);
    MUST(want.deadline_ms == tlsmem_deadline(c) && want.congested == tlsmem_is_congested(c));
    char paragraph[2048];
    MUST(tlsmem_explain(c, paragraph, sizeof paragraph) == (ptrdiff_t)strlen(paragraph));
    ask_copies(c);
    ask_facts(c);
    tlsmem_session *session = tlsmem_session_get(c);
    if (session != NULL) {
        uint8_t bytes[20000];
        ptrdiff_t n = tlsmem_session_to_bytes(session, bytes, sizeof bytes);
        tlsmem_session *again = NULL;
        MUST(n > 0);
        if ((size_t)n <= sizeof bytes)
            MUST(tlsmem_session_from_bytes(bytes, (size_t)n, &again) == TLSMEM_OK);
        tlsmem_session_free(again);
    }
    tlsmem_session_free(session);
}

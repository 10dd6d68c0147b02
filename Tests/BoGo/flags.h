/* flags.h - what the runner asks of a shim, flag by flag. */
#ifndef BOGO_FLAGS_H
#define BOGO_FLAGS_H

#include <stdbool.h>

#define FLAG_LIST_MAX 32

/** Numbers from a flag that is given once for each. */
struct flag_list {
    int count;
    int values[FLAG_LIST_MAX];
};

/** The flags of one connection. Each field is the flag of its name, with "_" for "-". Texts belong to argv. */
struct flags {
    /* what a context is made of */
    bool server, async;
    const char *key_file, *cert_file, *psk, *psk_identity;
    bool require_any_client_certificate, verify_peer, use_custom_verify_callback;
    bool use_early_callback, fail_early_callback, install_ddos_callback, use_old_client_cert_callback;
    int min_version, max_version, max_cert_list, max_send_fragment;
    bool no_tls1, no_tls11, no_tls12, no_tls13, fallback_scsv, server_preference, no_ticket;
    struct flag_list curves, signing_prefs, verify_prefs;
    const char *cipher, *advertise_alpn;
    bool decline_alpn, reject_alpn, enable_early_data, enable_ocsp_stapling;
    bool renegotiate_once, renegotiate_freely;
    /* what concerns one connection: first of all, how the verification of its peer ends */
    bool verify_fail, fail_ddos_callback;
    int port, resume_count;
    const char *host_name, *select_alpn;
    /* what is done */
    bool implicit_handshake, shim_writes_first, shim_shuts_down, check_close_notify, peek_then_read, partial_write, key_update;
    bool write_different_record_sizes, no_op_extra_handshake, tls_unique, use_export_context, use_exporter_between_reads;
    int read_size, export_keying_material;
    const char *export_label, *export_context;
    /* what has to come of it */
    int expect_version, expect_cipher, expect_curve_id, expect_peer_signature_algorithm, expect_total_renegotiations;
    const char *expect_server_name, *expect_alpn, *expect_early_data_reason, *expect_advertised_alpn;
    const char *expect_ocsp_response, *expect_peer_cert_file;
    bool expect_session_miss, expect_extended_master_secret, expect_verify_result, expect_hrr, expect_no_hrr;
    bool expect_secure_renegotiation, expect_no_secure_renegotiation, expect_no_session, expect_ticket_supports_early_data;
    bool expect_accept_early_data, expect_reject_early_data, expect_no_offer_early_data;
    /* of all the flags but the port: the same in each run of a test */
    unsigned sum;
};

/** Whether both are made of the same context. */
bool flags_share_context(const struct flags *one, const struct flags *other);

/** What the process ends with, as the runner understands it. */
enum { EXIT_UNIMPLEMENTED = 89 };

/**
 * Reads the flags of the first connection and of those after it, which are made with its session. Ends the process, as one
 * that does not implement it, at a flag that is unknown.
 */
void flags_parse(int argc, char **argv, struct flags *first, struct flags *resumed);

/** Ends the process as one that does not implement a test. */
_Noreturn void unimplemented(const char *what);

#endif

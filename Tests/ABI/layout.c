/*
 * What a compiled program has baked into it: sizes and places of every public struct, the number of every status and
 * constant, on 64-bit systems (LP64). Nothing here may change; a struct that grows at its end raises its size here and
 * nothing else. Compiled, not run, as C99, C11, C17 and C++17.
 */
#include <tlsmem.h>

#if defined(__cplusplus)
#define HOLDS(claim) static_assert(claim, #claim)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define HOLDS(claim) _Static_assert(claim, #claim)
#else
/* C99 has no static assertion: an array of -1 elements is an error too. */
#define HOLDS_LINE(claim, line) typedef char holds_##line[(claim) ? 1 : -1]
#define HOLDS_AT(claim, line) HOLDS_LINE(claim, line)
#define HOLDS(claim) HOLDS_AT(claim, __LINE__)
#endif

#define SIZE(type, bytes) HOLDS(sizeof(type) == (bytes))
#define PLACE(type, member, bytes) HOLDS(offsetof(type, member) == (bytes))

HOLDS(sizeof(void *) == 8 && sizeof(long) == 8 && sizeof(int) == 4);
HOLDS(sizeof(tlsmem_status) == 4 && sizeof(tlsmem_role) == 4 && sizeof(tlsmem_verify) == 4);
HOLDS(sizeof(tlsmem_state) == 4 && sizeof(tlsmem_protocol_version) == 4);
HOLDS(sizeof(tlsmem_timeout) == 4);
HOLDS(sizeof(tlsmem_preset) == 4 && sizeof(tlsmem_alpn_policy) == 4);
HOLDS(sizeof(tlsmem_trace_kind) == 4);
HOLDS(sizeof(tlsmem_ticket_mode) == 4);

SIZE(tlsmem_session_entry, 64);
PLACE(tlsmem_session_entry, id, 8);
PLACE(tlsmem_session_entry, id_length, 16);
PLACE(tlsmem_session_entry, bytes, 24);
PLACE(tlsmem_session_entry, length, 32);
PLACE(tlsmem_session_entry, expires, 40);
PLACE(tlsmem_session_entry, once, 48);
PLACE(tlsmem_session_entry, token, 56);
SIZE(tlsmem_session_callbacks, 32);
HOLDS(TLSMEM_QUESTION_SESSION == 5);

SIZE(tlsmem_ticket_key, 112);
PLACE(tlsmem_ticket_key, name, 8);
PLACE(tlsmem_ticket_key, secret, 24);
PLACE(tlsmem_ticket_key, encrypt_from, 88);
PLACE(tlsmem_ticket_key, encrypt_until, 96);
PLACE(tlsmem_ticket_key, decrypt_until, 104);

SIZE(tlsmem_error_info, 304);
PLACE(tlsmem_error_info, size, 0);
PLACE(tlsmem_error_info, status, 8);
PLACE(tlsmem_error_info, alert_sent, 12);
PLACE(tlsmem_error_info, alert_received, 16);
PLACE(tlsmem_error_info, verify_depth, 20);
PLACE(tlsmem_error_info, verify_result, 24);
PLACE(tlsmem_error_info, openssl_code, 32);
PLACE(tlsmem_error_info, sys_errno, 40);
PLACE(tlsmem_error_info, sentence, 44);

SIZE(tlsmem_limits, 112);
PLACE(tlsmem_limits, size, 0);
PLACE(tlsmem_limits, outgoing_max, 8);
PLACE(tlsmem_limits, outgoing_low, 16);
PLACE(tlsmem_limits, incoming_max, 24);
PLACE(tlsmem_limits, control_max, 32);
PLACE(tlsmem_limits, wake_max, 40);
PLACE(tlsmem_limits, cert_list_max, 48);
PLACE(tlsmem_limits, update_rate, 56);
PLACE(tlsmem_limits, update_burst, 60);
PLACE(tlsmem_limits, handshake_ms, 64);
PLACE(tlsmem_limits, idle_ms, 68);
PLACE(tlsmem_limits, close_ms, 72);
PLACE(tlsmem_limits, read_ms, 76);
PLACE(tlsmem_limits, write_ms, 80);
PLACE(tlsmem_limits, outgoing_high, 88);
PLACE(tlsmem_limits, incoming_low, 96);
PLACE(tlsmem_limits, buffers_ms, 104);

SIZE(tlsmem_report_info, 72);
PLACE(tlsmem_report_info, size, 0);
PLACE(tlsmem_report_info, status, 8);
PLACE(tlsmem_report_info, close_notify_sent, 12);
PLACE(tlsmem_report_info, close_notify_received, 16);
PLACE(tlsmem_report_info, bytes_accepted, 24);
PLACE(tlsmem_report_info, bytes_encrypted, 32);
PLACE(tlsmem_report_info, bytes_received, 40);
PLACE(tlsmem_report_info, ciphertext_sent, 48);
PLACE(tlsmem_report_info, ciphertext_unsent, 56);
PLACE(tlsmem_report_info, ciphertext_received, 64);

SIZE(tlsmem_callbacks, 48);
PLACE(tlsmem_callbacks, size, 0);
PLACE(tlsmem_callbacks, on_established, 8);
PLACE(tlsmem_callbacks, on_data, 16);
PLACE(tlsmem_callbacks, on_drain, 24);
PLACE(tlsmem_callbacks, on_eof, 32);
PLACE(tlsmem_callbacks, on_close, 40);

SIZE(tlsmem_want_info, 80);
PLACE(tlsmem_want_info, size, 0);
PLACE(tlsmem_want_info, state, 8);
PLACE(tlsmem_want_info, needs_ciphertext, 12);
PLACE(tlsmem_want_info, has_ciphertext, 16);
PLACE(tlsmem_want_info, has_plaintext, 20);
PLACE(tlsmem_want_info, accepts_plaintext, 24);
PLACE(tlsmem_want_info, peer_closed, 28);
PLACE(tlsmem_want_info, paused, 32);
PLACE(tlsmem_want_info, incoming_bytes, 40);
PLACE(tlsmem_want_info, outgoing_bytes, 48);
PLACE(tlsmem_want_info, deferred_bytes, 56);
PLACE(tlsmem_want_info, deadline_ms, 64);
PLACE(tlsmem_want_info, congested, 72);

SIZE(tlsmem_stats_info, 80);
PLACE(tlsmem_stats_info, size, 0);
PLACE(tlsmem_stats_info, recv_calls, 8);
PLACE(tlsmem_stats_info, send_calls, 16);
PLACE(tlsmem_stats_info, records_in, 24);
PLACE(tlsmem_stats_info, records_out, 32);
PLACE(tlsmem_stats_info, plaintext_in, 40);
PLACE(tlsmem_stats_info, plaintext_out, 48);
PLACE(tlsmem_stats_info, ciphertext_in, 56);
PLACE(tlsmem_stats_info, ciphertext_out, 64);
PLACE(tlsmem_stats_info, key_updates_in, 72);

SIZE(tlsmem_accepted, 64);
PLACE(tlsmem_accepted, size, 0);
PLACE(tlsmem_accepted, connection, 8);
PLACE(tlsmem_accepted, fd, 16);
PLACE(tlsmem_accepted, peer, 24);
PLACE(tlsmem_accepted, peer_length, 32);
PLACE(tlsmem_accepted, callbacks, 40);
PLACE(tlsmem_accepted, user, 48);
PLACE(tlsmem_accepted, loop, 56);

SIZE(tlsmem_listen_options, 96);
PLACE(tlsmem_listen_options, size, 0);
PLACE(tlsmem_listen_options, host, 8);
PLACE(tlsmem_listen_options, port, 16);
PLACE(tlsmem_listen_options, backlog, 20);
PLACE(tlsmem_listen_options, reuse_port, 24);
PLACE(tlsmem_listen_options, connections_max, 28);
PLACE(tlsmem_listen_options, on_accept, 32);
PLACE(tlsmem_listen_options, on_error, 40);
PLACE(tlsmem_listen_options, user, 48);
PLACE(tlsmem_listen_options, path, 56);
PLACE(tlsmem_listen_options, fd, 64);
PLACE(tlsmem_listen_options, ipv6_only, 68);
PLACE(tlsmem_listen_options, accepts_per_turn, 72);
PLACE(tlsmem_listen_options, user_size, 80);
PLACE(tlsmem_listen_options, on_filter, 88);

SIZE(tlsmem_loop_options, 24);
PLACE(tlsmem_loop_options, size, 0);
PLACE(tlsmem_loop_options, edge_triggered, 8);
PLACE(tlsmem_loop_options, handshakes_per_turn, 12);
PLACE(tlsmem_loop_options, runs_empty, 16);

SIZE(tlsmem_connect_options, 64);
PLACE(tlsmem_connect_options, size, 0);
PLACE(tlsmem_connect_options, host, 8);
PLACE(tlsmem_connect_options, port, 16);
PLACE(tlsmem_connect_options, path, 24);
PLACE(tlsmem_connect_options, bind_host, 32);
PLACE(tlsmem_connect_options, connect_ms, 40);
PLACE(tlsmem_connect_options, attempt_delay_ms, 44);
PLACE(tlsmem_connect_options, resolution_delay_ms, 48);
PLACE(tlsmem_connect_options, on_attempt, 56);

SIZE(tlsmem_loop_stats_info, 80);
PLACE(tlsmem_loop_stats_info, size, 0);
PLACE(tlsmem_loop_stats_info, turns, 8);
PLACE(tlsmem_loop_stats_info, events, 16);
PLACE(tlsmem_loop_stats_info, epoll_waits, 24);
PLACE(tlsmem_loop_stats_info, epoll_ctls, 32);
PLACE(tlsmem_loop_stats_info, added, 40);
PLACE(tlsmem_loop_stats_info, established, 48);
PLACE(tlsmem_loop_stats_info, connections, 56);
PLACE(tlsmem_loop_stats_info, handshaking, 64);
PLACE(tlsmem_loop_stats_info, deadlines, 72);

SIZE(tlsmem_trace_info, 72);
PLACE(tlsmem_trace_info, size, 0);
PLACE(tlsmem_trace_info, kind, 8);
PLACE(tlsmem_trace_info, sent, 12);
PLACE(tlsmem_trace_info, version, 16);
PLACE(tlsmem_trace_info, content_type, 20);
PLACE(tlsmem_trace_info, handshake_type, 24);
PLACE(tlsmem_trace_info, name, 32);
PLACE(tlsmem_trace_info, bytes, 40);
PLACE(tlsmem_trace_info, length, 48);
PLACE(tlsmem_trace_info, record_length, 56);
PLACE(tlsmem_trace_info, lost, 64);

SIZE(tlsmem_peer_details, 144);
PLACE(tlsmem_peer_details, size, 0);
PLACE(tlsmem_peer_details, not_before, 8);
PLACE(tlsmem_peer_details, not_after, 16);
PLACE(tlsmem_peer_details, sha256, 24);
PLACE(tlsmem_peer_details, key_sha256, 56);
PLACE(tlsmem_peer_details, key_type, 88);
PLACE(tlsmem_peer_details, key_bits, 120);
PLACE(tlsmem_peer_details, san_count, 128);
PLACE(tlsmem_peer_details, chain_count, 136);

SIZE(tlsmem_verify_details, 184);
PLACE(tlsmem_verify_details, size, 0);
PLACE(tlsmem_verify_details, result, 8);
PLACE(tlsmem_verify_details, depth, 16);
PLACE(tlsmem_verify_details, sentence, 20);

SIZE(tlsmem_ocsp_request, 40);
PLACE(tlsmem_ocsp_request, size, 0);
PLACE(tlsmem_ocsp_request, server_name, 8);
PLACE(tlsmem_ocsp_request, certificate, 16);
PLACE(tlsmem_ocsp_request, certificate_n, 24);
PLACE(tlsmem_ocsp_request, token, 32);

SIZE(tlsmem_psk_request, 32);
PLACE(tlsmem_psk_request, size, 0);
PLACE(tlsmem_psk_request, identity, 8);
PLACE(tlsmem_psk_request, hint, 16);
PLACE(tlsmem_psk_request, token, 24);

SIZE(tlsmem_ocsp_details, 216);
PLACE(tlsmem_ocsp_details, size, 0);
PLACE(tlsmem_ocsp_details, is_good, 8);
PLACE(tlsmem_ocsp_details, status, 12);
PLACE(tlsmem_ocsp_details, reason, 16);
PLACE(tlsmem_ocsp_details, revoked_at, 24);
PLACE(tlsmem_ocsp_details, produced_at, 32);
PLACE(tlsmem_ocsp_details, this_update, 40);
PLACE(tlsmem_ocsp_details, next_update, 48);
PLACE(tlsmem_ocsp_details, sentence, 56);

SIZE(tlsmem_sign_request, 96);
PLACE(tlsmem_sign_request, size, 0);
PLACE(tlsmem_sign_request, key_sha256, 8);
PLACE(tlsmem_sign_request, key_type, 16);
PLACE(tlsmem_sign_request, scheme, 24);
PLACE(tlsmem_sign_request, scheme_name, 32);
PLACE(tlsmem_sign_request, message, 40);
PLACE(tlsmem_sign_request, message_bytes, 48);
PLACE(tlsmem_sign_request, hash, 56);
PLACE(tlsmem_sign_request, digest, 64);
PLACE(tlsmem_sign_request, digest_bytes, 72);
PLACE(tlsmem_sign_request, signature_max, 80);
PLACE(tlsmem_sign_request, token, 88);

SIZE(tlsmem_cert_request, 48);
PLACE(tlsmem_cert_request, size, 0);
PLACE(tlsmem_cert_request, authorities, 8);
PLACE(tlsmem_cert_request, authorities_bytes, 16);
PLACE(tlsmem_cert_request, schemes, 24);
PLACE(tlsmem_cert_request, schemes_bytes, 32);
PLACE(tlsmem_cert_request, token, 40);

HOLDS(TLSMEM_QUESTION_SIGN == 6 && TLSMEM_QUESTION_CLIENT_CERT == 7);

HOLDS(TLSMEM_OK == 0);
HOLDS(TLSMEM_AGAIN == -1);
HOLDS(TLSMEM_CLOSED == -2);
HOLDS(TLSMEM_EINVAL == -3);
HOLDS(TLSMEM_ESTATE == -4);
HOLDS(TLSMEM_ENOMEM == -5);
HOLDS(TLSMEM_ESYSTEM == -6);
HOLDS(TLSMEM_ECONFIG == -7);
HOLDS(TLSMEM_ENAME == -8);
HOLDS(TLSMEM_ENOTRUST == -9);
HOLDS(TLSMEM_ENOIDENTITY == -10);
HOLDS(TLSMEM_ELIMIT == -11);
HOLDS(TLSMEM_ETIMEOUT == -12);
HOLDS(TLSMEM_EABORTED == -13);
HOLDS(TLSMEM_ERESET == -14);
HOLDS(TLSMEM_ETRUNCATED == -15);
HOLDS(TLSMEM_EHANDSHAKEEOF == -16);
HOLDS(TLSMEM_ENOTTLS == -17);
HOLDS(TLSMEM_EPROTOCOL == -18);
HOLDS(TLSMEM_EALERT == -19);
HOLDS(TLSMEM_EVERSION == -20);
HOLDS(TLSMEM_ECIPHER == -21);
HOLDS(TLSMEM_EALPN == -22);
HOLDS(TLSMEM_EVERIFY == -23);
HOLDS(TLSMEM_EHOST == -24);
HOLDS(TLSMEM_EEXPIRED == -25);
HOLDS(TLSMEM_ENOCERT == -26);
HOLDS(TLSMEM_EREJECTED == -27);
HOLDS(TLSMEM_EINTERNAL == -28);
HOLDS(TLSMEM_ERESOLVE == -29);
HOLDS(TLSMEM_ECONNECT == -30);
HOLDS(TLSMEM_ESESSION == -31);
HOLDS(TLSMEM_EPIN == -32);
HOLDS(TLSMEM_ESIGN == -37);
HOLDS(TLSMEM_CRL_NONE == 0 && TLSMEM_CRL_LEAF == 1 && TLSMEM_CRL_CHAIN == 2);
HOLDS(TLSMEM_PURPOSE_PEER == 0 && TLSMEM_PURPOSE_INSECURE_ANY == 1);

HOLDS(TLSMEM_CLIENT == 1);
HOLDS(TLSMEM_SERVER == 2);

HOLDS(TLSMEM_TLS1_2 == 0x0303);
HOLDS(TLSMEM_TLS1_3 == 0x0304);

HOLDS(TLSMEM_VERIFY_NONE == 0);
HOLDS(TLSMEM_VERIFY_OPTIONAL == 1);
HOLDS(TLSMEM_VERIFY_REQUIRED == 2);
HOLDS(TLSMEM_PRESET_MODERN == 1 && TLSMEM_PRESET_INTERMEDIATE == 2);
HOLDS(TLSMEM_ALPN_STRICT == 0 && TLSMEM_ALPN_LENIENT == 1 && TLSMEM_ALPN_REQUIRED == 2);

HOLDS(TLSMEM_STATE_NEW == 0);
HOLDS(TLSMEM_STATE_HANDSHAKING == 1);
HOLDS(TLSMEM_STATE_OPEN == 2);
HOLDS(TLSMEM_STATE_CLOSING == 3);
HOLDS(TLSMEM_STATE_CLOSED == 4);
HOLDS(TLSMEM_STATE_CONNECTING == 5);

HOLDS(TLSMEM_TRACE_RECORD == 1);
HOLDS(TLSMEM_TRACE_CONTENT == 2);
HOLDS(TLSMEM_TRACE_MESSAGE == 3);

HOLDS(TLSMEM_TIMEOUT_HANDSHAKE == 1);
HOLDS(TLSMEM_TIMEOUT_IDLE == 2);
HOLDS(TLSMEM_TIMEOUT_READ == 3);
HOLDS(TLSMEM_TIMEOUT_WRITE == 4);
HOLDS(TLSMEM_TIMEOUT_CLOSE == 5);

HOLDS(TLSMEM_VERIFY_LATER == 3);
HOLDS(TLSMEM_RENEGOTIATE_NEVER == 0);
HOLDS(TLSMEM_RENEGOTIATE_ALWAYS == 1);
HOLDS(TLSMEM_RENEGOTIATE_ONCE == 2);

HOLDS(TLSMEM_BINDING_EXPORTER == 1);
HOLDS(TLSMEM_BINDING_SERVER_END_POINT == 2);
HOLDS(TLSMEM_BINDING_UNIQUE == 3);

HOLDS(TLSMEM_VERSION_NUMBER == ((TLSMEM_VERSION_MAJOR << 16) | (TLSMEM_VERSION_MINOR << 8) | TLSMEM_VERSION_PATCH));

/* The _INIT macros are constant, complete, and say the right size. */
typedef struct every_init {
    tlsmem_error_info error;
    tlsmem_limits limits;
    tlsmem_report_info report;
    tlsmem_callbacks callbacks;
    tlsmem_want_info want;
    tlsmem_stats_info stats;
    tlsmem_listen_options options;
    tlsmem_loop_options loop_options;
    tlsmem_connect_options connect_options;
    tlsmem_loop_stats_info loop_stats;
    tlsmem_peer_details peer;
    tlsmem_verify_details verified;
    tlsmem_ocsp_details stapled;
} every_init;
extern const every_init tlsmem_layout_inits;
const every_init tlsmem_layout_inits = {
    TLSMEM_ERROR_INFO_INIT, TLSMEM_LIMITS_INIT, TLSMEM_REPORT_INFO_INIT, TLSMEM_CALLBACKS_INIT, TLSMEM_WANT_INFO_INIT,
    TLSMEM_STATS_INFO_INIT, TLSMEM_LISTEN_OPTIONS_INIT, TLSMEM_LOOP_OPTIONS_INIT, TLSMEM_CONNECT_OPTIONS_INIT,
    TLSMEM_LOOP_STATS_INFO_INIT, TLSMEM_PEER_DETAILS_INIT, TLSMEM_VERIFY_DETAILS_INIT, TLSMEM_OCSP_DETAILS_INIT
};

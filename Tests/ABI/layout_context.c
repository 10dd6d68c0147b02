/* Sizes and places of the structs of a context, and of what it asks and tells; see layout.h. */
#include "layout.h"

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

SIZE(tlsmem_ticket_key, 112);
PLACE(tlsmem_ticket_key, size, 0);
PLACE(tlsmem_ticket_key, name, 8);
PLACE(tlsmem_ticket_key, secret, 24);
PLACE(tlsmem_ticket_key, encrypt_from, 88);
PLACE(tlsmem_ticket_key, encrypt_until, 96);
PLACE(tlsmem_ticket_key, decrypt_until, 104);

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

SIZE(tlsmem_reply, 56);
PLACE(tlsmem_reply, size, 0);
PLACE(tlsmem_reply, ctx, 8);
PLACE(tlsmem_reply, alpn, 16);
PLACE(tlsmem_reply, bytes, 24);
PLACE(tlsmem_reply, length, 32);
PLACE(tlsmem_reply, identity, 40);
PLACE(tlsmem_reply, insecure_accept, 48);

SIZE(tlsmem_client_hello, 64);
PLACE(tlsmem_client_hello, size, 0);
PLACE(tlsmem_client_hello, server_name, 8);
PLACE(tlsmem_client_hello, alpn, 16);
PLACE(tlsmem_client_hello, alpn_bytes, 24);
PLACE(tlsmem_client_hello, cipher_suites, 32);
PLACE(tlsmem_client_hello, cipher_suites_bytes, 40);
PLACE(tlsmem_client_hello, version, 48);
PLACE(tlsmem_client_hello, token, 56);

SIZE(tlsmem_verdict, 32);
PLACE(tlsmem_verdict, size, 0);
PLACE(tlsmem_verdict, result, 8);
PLACE(tlsmem_verdict, depth, 16);
PLACE(tlsmem_verdict, insecure_accept, 20);
PLACE(tlsmem_verdict, token, 24);

SIZE(tlsmem_ocsp_request, 40);
PLACE(tlsmem_ocsp_request, size, 0);
PLACE(tlsmem_ocsp_request, server_name, 8);
PLACE(tlsmem_ocsp_request, certificate, 16);
PLACE(tlsmem_ocsp_request, certificate_bytes, 24);
PLACE(tlsmem_ocsp_request, token, 32);

SIZE(tlsmem_psk_request, 32);
PLACE(tlsmem_psk_request, size, 0);
PLACE(tlsmem_psk_request, identity, 8);
PLACE(tlsmem_psk_request, hint, 16);
PLACE(tlsmem_psk_request, token, 24);

SIZE(tlsmem_ticket_key_request, 24);
PLACE(tlsmem_ticket_key_request, size, 0);
PLACE(tlsmem_ticket_key_request, name, 8);
PLACE(tlsmem_ticket_key_request, token, 16);

SIZE(tlsmem_session_entry, 64);
PLACE(tlsmem_session_entry, size, 0);
PLACE(tlsmem_session_entry, id, 8);
PLACE(tlsmem_session_entry, id_length, 16);
PLACE(tlsmem_session_entry, bytes, 24);
PLACE(tlsmem_session_entry, length, 32);
PLACE(tlsmem_session_entry, expires, 40);
PLACE(tlsmem_session_entry, once, 48);
PLACE(tlsmem_session_entry, token, 56);

SIZE(tlsmem_session_callbacks, 32);
PLACE(tlsmem_session_callbacks, size, 0);
PLACE(tlsmem_session_callbacks, on_new, 8);
PLACE(tlsmem_session_callbacks, on_find, 16);
PLACE(tlsmem_session_callbacks, on_remove, 24);

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

SIZE(tlsmem_ctx_stats_info, 32);
PLACE(tlsmem_ctx_stats_info, size, 0);
PLACE(tlsmem_ctx_stats_info, generation, 8);
PLACE(tlsmem_ctx_stats_info, connections, 16);
PLACE(tlsmem_ctx_stats_info, connections_old, 24);

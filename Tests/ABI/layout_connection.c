/* Sizes and places of the structs of connections and loops; see layout.h. */
#include "layout.h"

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
PLACE(tlsmem_want_info, waits_for, 76);

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

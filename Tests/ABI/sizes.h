/*
 * Every size that a struct of the program's has had in a version: ROW(type, what the program puts into it, bytes, a call that
 * takes it). A struct that grows gets another row; none goes while the soname stays. It is included several times.
 */
/* 0.1.0 */
ROW(tlsmem_error_info, TLSMEM_ERROR_INFO_INIT, 304, tlsmem_error(c, it))
ROW(tlsmem_limits, TLSMEM_LIMITS_INIT, 112, tlsmem_ctx_set_limits(unfrozen, it))
ROW(tlsmem_ticket_key, TLSMEM_TICKET_KEY_INIT, 112, tlsmem_ctx_add_ticket_key(unfrozen, it))
ROW(tlsmem_reply, TLSMEM_REPLY_INIT, 56, tlsmem_answer(c, 1, TLSMEM_OK, it))
ROW(tlsmem_session_callbacks, keeping(), 32, tlsmem_ctx_set_session_callbacks(unfrozen, it, NULL))
ROW(tlsmem_ctx_stats_info, TLSMEM_CTX_STATS_INFO_INIT, 32, tlsmem_ctx_stats(unfrozen, it))
ROW(tlsmem_report_info, TLSMEM_REPORT_INFO_INIT, 72, tlsmem_report(c, it))
ROW(tlsmem_callbacks, TLSMEM_CALLBACKS_INIT, 48, tlsmem_set_callbacks(c, it, NULL))
ROW(tlsmem_want_info, TLSMEM_WANT_INFO_INIT, 80, tlsmem_want(c, it))
ROW(tlsmem_peer_details, TLSMEM_PEER_DETAILS_INIT, 144, tlsmem_peer_info(c, it))
ROW(tlsmem_verify_details, TLSMEM_VERIFY_DETAILS_INIT, 184, tlsmem_verify_result(c, it))
ROW(tlsmem_ocsp_details, TLSMEM_OCSP_DETAILS_INIT, 216, tlsmem_ocsp_info(c, it))
ROW(tlsmem_stats_info, TLSMEM_STATS_INFO_INIT, 80, tlsmem_stats(c, it))
ROW(tlsmem_loop_options, TLSMEM_LOOP_OPTIONS_INIT, 24, made(tlsmem_loop_new_with(it)))
ROW(tlsmem_connect_options, connecting(), 64, tlsmem_loop_connect(loop, c, it))
ROW(tlsmem_listen_options, listening(), 96, tlsmem_loop_listen(loop, server, it, NULL))
ROW(tlsmem_loop_stats_info, TLSMEM_LOOP_STATS_INFO_INIT, 80, tlsmem_loop_stats(loop, it))
ROW(tlsmem_wire_faults, TLSMEM_WIRE_FAULTS_INIT, 88, tlsmem_wire_set_faults(wire, it))
ROW(tlsmem_wire_stats_info, TLSMEM_WIRE_STATS_INFO_INIT, 72, tlsmem_wire_stats(wire, it))

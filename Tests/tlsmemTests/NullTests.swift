import CTLSMem
import TestSupport
import Testing

@Suite struct `NULL` {
    private let invalid = status(TLSMEM_EINVAL)

    @Test func `for a context is refused`() {
        var error = tlsmem_error_info()
        error.size = MemoryLayout<tlsmem_error_info>.size
        var limits = tlsmem_limits.usual
        #expect(tlsmem_ctx_ref(nil) == nil)
        tlsmem_ctx_free(nil)
        for found in [
            tlsmem_ctx_set_cert_file(nil, "x"), tlsmem_ctx_set_cert_mem(nil, "x", 1), tlsmem_ctx_set_key_file(nil, "x"),
            tlsmem_ctx_set_key_mem(nil, "x", 1), tlsmem_ctx_set_ca_file(nil, "x"), tlsmem_ctx_set_ca_dir(nil, "x"),
            tlsmem_ctx_set_ca_mem(nil, "x", 1), tlsmem_ctx_set_ca_system(nil),
            tlsmem_ctx_set_verify(nil, TLSMEM_VERIFY_REQUIRED), tlsmem_ctx_insecure_no_verify(nil),
            tlsmem_ctx_request_ocsp(nil), tlsmem_ctx_require_ocsp(nil),
            tlsmem_ctx_set_accepted_ca_file(nil, "x"), tlsmem_ctx_set_accepted_ca_mem(nil, "x", 1),
            tlsmem_ctx_add_crl(nil, "x"), tlsmem_ctx_add_crl_mem(nil, "x", 1),
            tlsmem_ctx_set_crl_check(nil, TLSMEM_CRL_LEAF), tlsmem_ctx_add_pin(nil, [UInt8](repeating: 0, count: 32)),
            tlsmem_ctx_set_verify_depth(nil, 1), tlsmem_ctx_set_partial_chain(nil, 1),
            tlsmem_ctx_set_purpose(nil, TLSMEM_PURPOSE_PEER), tlsmem_ctx_set_security_level(nil, 2),
            tlsmem_ctx_set_min_version(nil, 0x0303), tlsmem_ctx_set_max_version(nil, 0x0304),
            tlsmem_ctx_set_ciphers(nil, "HIGH"), tlsmem_ctx_set_groups(nil, "X25519"), tlsmem_ctx_set_alpn(nil, "h2"),
            tlsmem_ctx_set_preset(nil, TLSMEM_PRESET_MODERN), tlsmem_ctx_set_alpn_policy(nil, TLSMEM_ALPN_STRICT),
            tlsmem_ctx_set_signature_algorithms(nil, "ECDSA+SHA256"),
            tlsmem_ctx_set_tickets(nil, 1), tlsmem_ctx_set_early_data(nil, 1), tlsmem_ctx_set_renegotiation(nil, 1),
            tlsmem_ctx_set_limits(nil, &limits),
            tlsmem_ctx_set_keylog(nil, "/dev/null"), tlsmem_ctx_error(nil, &error),
            tlsmem_ctx_set_keylog_cb(nil, nil, nil), tlsmem_ctx_set_trace_cb(nil, nil, nil),
        ] { #expect(found == invalid) }
        #expect(tlsmem_ctx_native(nil) == nil)
        #expect(tlsmem_new(nil, nil, nil) == nil)
    }

    @Test func `for what a context is given is refused`() {
        let ctx = tlsmem_ctx_new(TLSMEM_SERVER)
        defer { tlsmem_ctx_free(ctx) }
        for found in [
            tlsmem_ctx_set_cert_file(ctx, nil), tlsmem_ctx_set_cert_mem(ctx, nil, 1), tlsmem_ctx_set_key_file(ctx, nil),
            tlsmem_ctx_set_key_mem(ctx, nil, 1), tlsmem_ctx_set_ca_file(ctx, nil), tlsmem_ctx_set_ca_dir(ctx, nil),
            tlsmem_ctx_set_ca_mem(ctx, nil, 1), tlsmem_ctx_set_ciphers(ctx, nil), tlsmem_ctx_set_groups(ctx, nil),
            tlsmem_ctx_set_signature_algorithms(ctx, nil),
            tlsmem_ctx_set_accepted_ca_file(ctx, nil), tlsmem_ctx_set_accepted_ca_mem(ctx, nil, 1),
            tlsmem_ctx_add_crl(ctx, nil), tlsmem_ctx_add_crl_mem(ctx, nil, 1), tlsmem_ctx_add_pin(ctx, nil),
            tlsmem_ctx_set_limits(ctx, nil), tlsmem_ctx_set_keylog(ctx, nil), tlsmem_ctx_error(ctx, nil),
        ] { #expect(found == invalid) }
        #expect(tlsmem_ctx_set_alpn(ctx, nil) == status(TLSMEM_OK))  // none
        for text in [UnsafeRawPointer?.none] {
            #expect(tlsmem_ctx_set_cert_mem(ctx, text, 0) == status(TLSMEM_ECONFIG))
            #expect(tlsmem_ctx_set_cert_mem(ctx, text, .min) == invalid)
        }
    }

    @Test func `for a connection is refused`() {
        var (start, name): (UnsafeRawPointer?, UnsafePointer<CChar>?) = (nil, nil)
        var length = 0
        var (want, report) = (tlsmem_want_info(), tlsmem_report_info())
        var (error, stats) = (tlsmem_error_info(), tlsmem_stats_info())
        want.size = MemoryLayout<tlsmem_want_info>.size
        report.size = MemoryLayout<tlsmem_report_info>.size
        error.size = MemoryLayout<tlsmem_error_info>.size
        stats.size = MemoryLayout<tlsmem_stats_info>.size
        tlsmem_free(nil)
        for found in [
            tlsmem_set_callbacks(nil, nil, nil), tlsmem_set_server_name(nil, "x"), tlsmem_handshake(nil),
            tlsmem_want(nil, &want), tlsmem_tick(nil, 0), tlsmem_trim(nil), tlsmem_loop_trim(nil),
            tlsmem_set_timeout(nil, TLSMEM_TIMEOUT_IDLE, 1),
            tlsmem_feed_eof(nil), tlsmem_feed_error(nil, 104), tlsmem_unwrap(nil),
            tlsmem_outgoing_peek(nil, &start, &length), tlsmem_outgoing_consume(nil, 0),
            tlsmem_read_peek(nil, &start, &length), tlsmem_read_consume(nil, 0), tlsmem_set_fd(nil, 0),
            tlsmem_own_fd(nil, 1), tlsmem_on_readable(nil), tlsmem_on_writable(nil), tlsmem_flush(nil),
            tlsmem_pause(nil), tlsmem_resume(nil), tlsmem_close(nil), tlsmem_close_write(nil), tlsmem_abort(nil),
            tlsmem_report(nil, &report), tlsmem_key_update(nil, 0), tlsmem_renegotiate(nil),
            tlsmem_alpn(nil, &name, &length), tlsmem_error(nil, &error), tlsmem_stats(nil, &stats),
        ] { #expect(found == invalid) }
        var byte: UInt8 = 0
        var text: CChar = 0
        for found in [
            tlsmem_feed(nil, "x", 1), tlsmem_write(nil, "x", 1), tlsmem_read(nil, &byte, 1),
            tlsmem_unwrapped(nil, &byte, 1),
            tlsmem_peer_certificate(nil, &byte, 1), tlsmem_peer_subject(nil, &text, 1),
        ] { #expect(found == count(TLSMEM_EINVAL)) }
        #expect(tlsmem_user(nil) == nil && tlsmem_native(nil) == nil && tlsmem_server_name(nil) == nil)
        #expect(tlsmem_is_congested(nil) == 0)
        #expect(tlsmem_is_established(nil) == 0 && tlsmem_is_resumed(nil) == 0 && tlsmem_protocol(nil) == 0)
        #expect(
            tlsmem_deadline(nil) == -1 && tlsmem_fd(nil) == -1 && tlsmem_take_fd(nil) == -1 && tlsmem_interest(nil) == 0
        )
        for found in [tlsmem_protocol_name(nil), tlsmem_cipher_name(nil), tlsmem_group_name(nil)] {
            #expect(found?.pointee == 0)
        }
    }

    @Test func `for what a connection is given is refused`() {
        let subject = Subject(Contexts(), \.client)
        var (start, name): (UnsafeRawPointer?, UnsafePointer<CChar>?) = (nil, nil)
        var length = 77
        for found in [
            tlsmem_set_server_name(subject.c, nil), tlsmem_set_server_name(subject.c, ""), tlsmem_want(subject.c, nil),
            tlsmem_outgoing_peek(subject.c, nil, &length), tlsmem_outgoing_peek(subject.c, &start, nil),
            tlsmem_read_peek(subject.c, nil, &length), tlsmem_read_peek(subject.c, &start, nil),
            tlsmem_report(subject.c, nil), tlsmem_alpn(subject.c, nil, &length), tlsmem_alpn(subject.c, &name, nil),
            tlsmem_error(subject.c, nil), tlsmem_stats(subject.c, nil), tlsmem_outgoing_consume(subject.c, -1),
            tlsmem_read_consume(subject.c, -1), tlsmem_set_fd(subject.c, -1),
        ] { #expect(found == invalid) }
        for n in [1, -1, Int.min, Int.max] {
            #expect(tlsmem_feed(subject.c, nil, n) == count(TLSMEM_EINVAL))
            #expect(tlsmem_write(subject.c, nil, n) == count(TLSMEM_EINVAL))
            #expect(tlsmem_read(subject.c, nil, n) == count(TLSMEM_EINVAL))
            #expect(tlsmem_peer_certificate(subject.c, nil, n) == count(TLSMEM_EINVAL))
            #expect(tlsmem_peer_subject(subject.c, nil, n) == count(TLSMEM_EINVAL))
        }
        #expect(tlsmem_write(subject.c, nil, 0) == 0 && tlsmem_read(subject.c, nil, 0) == 0)
        #expect(length == 77 && start == nil && name == nil, "written only on success")
        #expect(subject.want.state == TLSMEM_STATE_NEW)
    }

    @Test func `for a session, and for what it is given, is refused`() {
        let subject = Subject(Contexts(), \.client)
        var session: OpaquePointer?
        var byte: UInt8 = 0
        tlsmem_session_free(nil)
        #expect(tlsmem_session_get(nil) == nil && tlsmem_session_expires(nil) == 0)
        for found in [
            tlsmem_session_set(nil, nil), tlsmem_session_set(subject.c, nil),
            tlsmem_session_from_bytes(nil, 1, &session),
            tlsmem_session_from_bytes(&byte, -1, &session), tlsmem_session_from_bytes(&byte, .min, &session),
            tlsmem_session_from_bytes(&byte, 1, nil),
        ] { #expect(found == invalid) }
        #expect(tlsmem_session_to_bytes(nil, &byte, 1) == count(TLSMEM_EINVAL))
        #expect(tlsmem_session_from_bytes(&byte, 1, &session) == status(TLSMEM_ESESSION))
        #expect(session == nil, "written only on success")
    }

    @Test func `for a loop, and for what it is given, is refused`() {
        let contexts = Contexts()
        let subject = Subject(contexts, \.client)
        let loop = tlsmem_loop_new()
        defer { tlsmem_loop_free(loop) }
        tlsmem_loop_free(nil)
        tlsmem_listener_free(nil)
        tlsmem_timer_free(nil)
        var options = tlsmem_listen_options()
        options.size = MemoryLayout<tlsmem_listen_options>.size
        var target = tlsmem_connect_options()
        target.size = MemoryLayout<tlsmem_connect_options>.size
        for found in [
            tlsmem_loop_add(nil, subject.c, 0), tlsmem_loop_add(loop, nil, 0), tlsmem_loop_add(loop, subject.c, -1),
            tlsmem_loop_remove(nil, subject.c), tlsmem_loop_remove(loop, nil),
            tlsmem_loop_connect(nil, subject.c, &target), tlsmem_loop_connect(loop, nil, &target),
            tlsmem_loop_connect(loop, subject.c, nil), tlsmem_loop_connect(loop, subject.c, &target),  // no host
            tlsmem_loop_listen(nil, contexts.server, &options, nil), tlsmem_loop_listen(loop, nil, &options, nil),
            tlsmem_loop_listen(loop, contexts.server, nil, nil),
            tlsmem_loop_listen(loop, contexts.server, &options, nil),  // no on_accept
            tlsmem_listener_port(nil), tlsmem_listener_add_loop(nil, loop), tlsmem_listener_add_loop(nil, nil),
            tlsmem_inherited_fd(-1), tlsmem_inherited_fd(.min), tlsmem_loop_run(nil), tlsmem_loop_run_once(nil, 0),
            tlsmem_loop_run_once(loop, -2),
            tlsmem_loop_stop(nil), tlsmem_loop_wake(nil), tlsmem_loop_post(nil, { _ in }, nil),
            tlsmem_loop_post(loop, nil, nil), tlsmem_loop_watch(nil, 0, 1, { _, _, _, _ in }, nil),
            tlsmem_loop_watch(loop, 0, 1, nil, nil), tlsmem_loop_watch(loop, -1, 1, { _, _, _, _ in }, nil),
            tlsmem_timer_set(nil, 0),
        ] { #expect(found == invalid) }
        #expect(tlsmem_loop_remove(loop, subject.c) == status(TLSMEM_ESTATE))
        #expect(tlsmem_loop_fd(nil) == -1 && tlsmem_loop_timeout(nil) == -1)
        #expect(tlsmem_loop_timer(nil, 0, { _, _ in }, nil) == nil)
        #expect(tlsmem_loop_timer(loop, 0, nil, nil) == nil)
    }
}

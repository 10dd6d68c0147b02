/* Visits of a client to a server, and what they need; see sessions.h. */
#include "sessions.h"

static tlsmem_loop *loops[2];

void visit_open(tlsmem_ctx *from, tlsmem_ctx *to, face client_face, face server_face)
{
    for (int i = 0; i < 2; i++)
        MUST((loops[i] = new_loop()) != NULL);
    end_open(&client, from, client_face, loops[0], 0, 0);
    end_open(&server, to, server_face, loops[1], 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
}

void visit_run(void)
{
    client.to_send = client.to_receive = server.to_send = server.to_receive = 1000;
    client.close_when_done = server.close_on_eof = 1;
    CHECK(wire_run(&pair_wire, both_ended), "stalled");
}

void visit_end(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong,
          server.wrong);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(loops[i]);
}

tlsmem_session *visit_go_on(const tlsmem_session *offered, int resumed)
{
    if (offered != NULL)
        CHECK_STATUS(tlsmem_session_set(client.c, offered), TLSMEM_OK);
    CHECK(tlsmem_session_get(client.c) == NULL, "a session before the handshake");
    visit_run();
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    CHECK_DELIVERED(client, server);
    CHECK_DELIVERED(server, client);
    CHECK(tlsmem_is_resumed(client.c) == resumed && tlsmem_is_resumed(server.c) == resumed,
          "resumed: client %d, server %d, expected %d", tlsmem_is_resumed(client.c), tlsmem_is_resumed(server.c), resumed);
    CHECK(tlsmem_peer_certificate(client.c, NULL, 0) > 0, "nobody knows who the server is");
    CHECK(tlsmem_session_get(server.c) == NULL, "a server gives a session");
    tlsmem_session *session = tlsmem_session_get(client.c);
    visit_end();
    return session;
}

tlsmem_session *visit(tlsmem_ctx *from, tlsmem_ctx *to, const tlsmem_session *offered, int resumed)
{
    visit_open(from, to, FACE_BUFFERS, FACE_BUFFERS);
    return visit_go_on(offered, resumed);
}

tlsmem_ctx *server_with(const char *name, int version)
{
    char file[64];
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    snprintf(file, sizeof file, "%s.pem", name);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", name);
    MUST(tlsmem_ctx_set_key_file(ctx, certificate(file)) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    return ctx;
}

tlsmem_ctx *insecure_client(int version)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    MUST(tlsmem_ctx_insecure_no_verify(ctx) == TLSMEM_OK);
    return ctx;
}

unsigned char *bytes_of(const tlsmem_session *session, size_t *n)
{
    ptrdiff_t length = tlsmem_session_to_bytes(session, NULL, 0);
    MUST(length > 0);
    unsigned char *bytes = malloc((size_t)length);
    MUST(bytes != NULL && tlsmem_session_to_bytes(session, bytes, (size_t)length) == length);
    *n = (size_t)length;
    return bytes;
}

size_t hello_with_tickets(unsigned char *hello, size_t n)
{
    static const unsigned char extensions[] = {
        0, 43, 0, 3, 2, 3, 4,                           /* TLS 1.3 */
        0, 10, 0, 4, 0, 2, 0, 29,                       /* X25519 */
        0, 13, 0, 6, 0, 4, 8, 4, 4, 3,                  /* RSA-PSS, ECDSA */
        0, 45, 0, 2, 1, 1,                              /* a key along with Diffie-Hellman */
        0, 51, 0, 38, 0, 36, 0, 29, 0, 32, [41 ... 72] = 9, /* a share */
        0, 41,                                          /* and the tickets */
    };
    size_t names = 38 * n, proofs = 33 * n, last = 4 + names + proofs, all = sizeof extensions + 2 + last, body = 43 + all;
    unsigned char *p = hello;
    const unsigned char head[] = { 22, 3, 1, (body + 4) >> 8, body + 4, 1, 0, body >> 8, body, 3, 3 };
    p = (unsigned char *)memcpy(p, head, sizeof head) + sizeof head;
    p = (unsigned char *)memset(p, 7, 32) + 32;
    const unsigned char middle[] = { 0, 0, 2, 0x13, 1, 1, 0, all >> 8, all };
    p = (unsigned char *)memcpy(p, middle, sizeof middle) + sizeof middle;
    p = (unsigned char *)memcpy(p, extensions, sizeof extensions) + sizeof extensions;
    const unsigned char lengths[] = { last >> 8, last, names >> 8, names };
    p = (unsigned char *)memcpy(p, lengths, sizeof lengths) + sizeof lengths;
    for (size_t i = 0; i < n; i++, p += 38) {
        memset(p, (int)i, 38);
        p[0] = 0, p[1] = 32;
    }
    *p++ = (unsigned char)(proofs >> 8), *p++ = (unsigned char)proofs;
    for (size_t i = 0; i < n; i++, p += 33)
        memset(p, 32, 33);
    return (size_t)(p - hello);
}

/*
 * memory_pair.c - the buffers face: a client and a server in one program, and not one socket.
 *
 * Both sides send and check the same number of bytes while this program carries the ciphertext from the one to the
 * other. An io_uring or libuv program does the same with a network between the two halves of carry().
 */
#include "common.h"

/* One side, and how far it is. */
struct side {
    tlsmem *c;
    const char *name;
    size_t written, read, sent, wrong;
};

/* Carries what `from` has to send over to `to`. Returns the bytes carried. */
static size_t carry(struct side *from, struct side *to)
{
    const void *bytes;
    size_t n, carried = 0;
    while (tlsmem_outgoing_peek(from->c, &bytes, &n) == TLSMEM_OK) {
        ptrdiff_t taken = tlsmem_feed(to->c, bytes, n);
        if (taken == TLSMEM_AGAIN || taken == 0) /* its plaintext has to be read first */
            break;
        /* One that has ended takes no more: what is still on its way, an alert or close_notify, goes nowhere. */
        size_t gone = taken < 0 ? n : (size_t)taken;
        tlsmem_outgoing_consume(from->c, gone);
        carried += gone;
    }
    from->sent += carried;
    return carried;
}

/* The byte at a place of the stream. */
static unsigned char byte_at(size_t place)
{
    return (unsigned char)(place * 31 + place / 251);
}

/* Writes, of `total` bytes, what is accepted now. Returns the bytes taken. */
static size_t write_some(struct side *s, size_t total)
{
    unsigned char piece[4096];
    size_t before = s->written;
    while (s->written < total) {
        size_t n = total - s->written < sizeof piece ? total - s->written : sizeof piece;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(s->written + i);
        ptrdiff_t taken = tlsmem_write(s->c, piece, n);
        if (taken < 0) /* TLSMEM_AGAIN: enough waits already */
            break;
        s->written += (size_t)taken;
    }
    return s->written - before;
}

/* Reads and checks all that has come. Returns the bytes read. */
static size_t read_all(struct side *s)
{
    const void *bytes;
    size_t n, before = s->read;
    while (tlsmem_read_peek(s->c, &bytes, &n) == TLSMEM_OK) {
        for (size_t i = 0; i < n; i++)
            s->wrong += ((const unsigned char *)bytes)[i] != byte_at(s->read + i);
        s->read += n;
        tlsmem_read_consume(s->c, n);
    }
    return s->read - before;
}

/* Lets both sides work until neither moves any more. */
static void run(struct side *client, struct side *server, size_t total)
{
    size_t moved;
    do {
        moved = write_some(client, total) + write_some(server, total);
        moved += carry(client, server) + carry(server, client);
        moved += read_all(client) + read_all(server);
    } while (moved > 0);
}

static tlsmem_ctx *context(tlsmem_role role, const struct options *o)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    int client = role == TLSMEM_CLIENT;
    struct options both = *o;
    both.keylog = client ? o->keylog : NULL; /* the server's secrets are the same */
    if (set_tls_options(ctx, &both) || (!client && o->cert && tlsmem_ctx_set_cert_file(ctx, o->cert))
        || (!client && ((o->key && tlsmem_ctx_set_key_file(ctx, o->key)) || set_responses(ctx, o)))
        || (client && o->insecure && tlsmem_ctx_insecure_no_verify(ctx))
        || (client && o->ca && tlsmem_ctx_set_ca_file(ctx, o->ca)))
        context_refused(ctx);
    return ctx;
}

/* Prints what became of one side. Returns its exit code. */
static int finish(const struct side *s, size_t total)
{
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_report(s->c, &report);
    if (report.status != TLSMEM_OK) {
        say_failure(s->c);
        return exit_code(report.status);
    }
    printf("%s: %zu bytes of plaintext sent in %zu bytes of ciphertext, %zu received\n", s->name, s->written, s->sent,
           s->read);
    return s->read == total && s->wrong == 0 ? EXIT_DONE : EXIT_TLS;
}

int main(int argc, char **argv)
{
    struct options o = { .host = "localhost" };
    long total = 1048576;
    const struct own_option own[] = {
        { "bytes", "N", NULL, &total, "how many bytes each side sends (1048576)" },
        { 0 },
    };
    parse_options(argc, argv, "two TLS connections talk through memory, without a socket", &o, own);
    if (!has_identity(&o) || trusts_system(&o))
        usage_error("--cert and --key are needed, or --pkcs12, and --ca or --insecure");

    tlsmem_ctx *client_ctx = context(TLSMEM_CLIENT, &o), *server_ctx = context(TLSMEM_SERVER, &o);
    struct side client = { .c = tlsmem_new(client_ctx, NULL, NULL), .name = "client" };
    struct side server = { .c = tlsmem_new(server_ctx, NULL, NULL), .name = "server" };
    if (tlsmem_set_server_name(client.c, o.host) != TLSMEM_OK)
        usage_error("--host: %s is no name", o.host);

    run(&client, &server, (size_t)total); /* the handshake comes by itself: no call is made for it */
    const char *alpn = "-";
    size_t alpn_length = 1;
    tlsmem_alpn(client.c, &alpn, &alpn_length);
    if (tlsmem_is_established(client.c))
        printf("%s %s, ALPN %.*s\n", tlsmem_protocol_name(client.c), tlsmem_cipher_name(client.c), (int)alpn_length,
               alpn);
    tlsmem_close(client.c);
    tlsmem_close(server.c);
    run(&client, &server, 0); /* close_notify both ways */

    int client_code = finish(&client, (size_t)total), server_code = finish(&server, (size_t)total);
    tlsmem_free(client.c);
    tlsmem_free(server.c);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
    return client_code != EXIT_DONE ? client_code : server_code;
}

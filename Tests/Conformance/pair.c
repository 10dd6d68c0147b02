#include "pair.h"

end client, server;
wire pair_wire;
static tlsmem_loop *loops[2];

/* The contexts of the last scene: making them anew for each would take most of the time. */
static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_limits limits_now;
static int version_now;
/* Without what pads the struct in the middle and at its end. */
#define LIMITS_FIRST (offsetof(tlsmem_limits, write_ms) + sizeof(uint32_t))
#define LIMITS_REST  (offsetof(tlsmem_limits, buffers_ms) + sizeof(uint32_t) - offsetof(tlsmem_limits, outgoing_high))

static int same_limits(const tlsmem_limits *one, const tlsmem_limits *other)
{
    return memcmp(one, other, LIMITS_FIRST) == 0
           && memcmp(&one->outgoing_high, &other->outgoing_high, LIMITS_REST) == 0;
}

static void forget_contexts(void)
{
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

static void set_contexts(int version, const tlsmem_limits *wanted)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    if (wanted != NULL)
        limits = *wanted;
    if (client_ctx != NULL && version == version_now && same_limits(&limits, &limits_now))
        return;
    if (client_ctx == NULL)
        atexit(forget_contexts);
    forget_contexts();
    version_now = version;
    memcpy(&limits_now, &limits, sizeof limits);
    client_ctx = context_limited(TLSMEM_CLIENT, version, &limits);
    server_ctx = context_limited(TLSMEM_SERVER, version, &limits);
}

void pair_open(const scene *s)
{
    set_contexts(s->version, s->limits);
    for (int i = 0; i < 2; i++)
        loops[i] = new_loop();
    MUST(loops[0] != NULL && loops[1] != NULL);
    situation("%s: %s client, %s server, TLS 1.%d", s->name, face_names[s->client_face], face_names[s->server_face],
              s->version - 0x0301);
    end_open(&client, client_ctx, s->client_face, loops[0], 0, 0);
    end_open(&server, server_ctx, s->server_face, loops[1], 1, 0);
    wire_open(&pair_wire, &client, &server, (cut){ CUT_WHOLE, 0 });
}

void pair_establish(const scene *s)
{
    pair_open(s);
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
}

void pair_close(void)
{
    CHECK(client.wrong == 0 && server.wrong == 0, "%d wrong on the client, %d on the server", client.wrong,
          server.wrong);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(loops[i]);
}

void every_pair(const char *name, const tlsmem_limits *limits, void (*play)(const scene *s))
{
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        for (int pair = 0; pair < 9; pair += short_run() ? 4 : 1) {
            scene s = { name, version, (face)(pair / 3), (face)(pair % 3), limits };
            play(&s);
        }
}

void check_ended(const char *file, int line, const char *name, const end *e, int expected)
{
    check_at(file, line, e->closes == 1, "%s: on_close %d times", name, e->closes);
    check_at(file, line, e->report.status == expected, "%s: ended with %s, expected %s", name,
             tlsmem_status_name(e->report.status), tlsmem_status_name(expected));
    if (e->freed)
        return;
    tlsmem_report_info asked = report_of(e->c);
    check_at(file, line, state_of(e->c) == TLSMEM_STATE_CLOSED, "%s: state %d", name, (int)state_of(e->c));
    check_at(file, line, asked.status == e->report.status && asked.bytes_accepted == e->report.bytes_accepted
             && asked.bytes_received == e->report.bytes_received, "%s: the report changed after on_close", name);
    int failure = failure_of(e->c);
    check_at(file, line, expected == TLSMEM_OK || failure == expected, "%s: tlsmem_error says %s", name,
             tlsmem_status_name(failure));
}

void check_delivered(const char *file, int line, const char *name, const end *from, const end *to)
{
    check_at(file, line, from->sent == from->to_send, "%s: sent %llu of %llu", name,
             (unsigned long long)from->sent, (unsigned long long)from->to_send);
    check_at(file, line, to->received == from->sent && to->wrong == 0, "%s: sent %llu, received were %llu, %d wrong",
             name, (unsigned long long)from->sent, (unsigned long long)to->received, to->wrong);
    tlsmem_report_info sender = report_of(from->c), receiver = report_of(to->c);
    check_at(file, line, sender.bytes_accepted == from->sent && sender.bytes_encrypted == from->sent
             && receiver.bytes_received == from->sent && sender.ciphertext_unsent == 0,
             "%s: accepted %llu, encrypted %llu, received %llu, unsent %llu", name,
             (unsigned long long)sender.bytes_accepted, (unsigned long long)sender.bytes_encrypted,
             (unsigned long long)receiver.bytes_received, (unsigned long long)sender.ciphertext_unsent);
    check_at(file, line, sender.ciphertext_sent > from->sent && receiver.ciphertext_received > from->sent,
             "%s: %llu bytes of ciphertext sent, %llu received", name, (unsigned long long)sender.ciphertext_sent,
             (unsigned long long)receiver.ciphertext_received);
}

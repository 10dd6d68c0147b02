/*
 * The bytes are the same whichever face drives each end and however the wire cuts them.
 *
 * Every pair of faces, with TLS 1.2 and 1.3, writes on both ends at once (from before the handshake on), through a wire
 * that is whole, cut into single bytes, and cut by seeds. Both ends close; both must have got what the other wrote.
 * FACES_SEEDS sets the number of seeds over every pair and small payload; FACES_LARGE_SEEDS the number over every pair
 * with the large one, a ninth of it otherwise; FACES_VERSION runs one version only, 2 or 3. `make faces` at the top
 * runs 200 seeds of both payloads, and the large one in single bytes from its first to its last.
 */
#include "wire.h"

enum { LARGE = 5 * 1024 * 1024 };
static const uint64_t small_payloads[] = { 1, 16383, 16384, 16385 };
static const int versions[] = { TLSMEM_TLS1_2, TLSMEM_TLS1_3 };

static tlsmem_ctx *client_ctx, *server_ctx;
static tlsmem_loop *client_loop, *server_loop;
static long combinations;

static void judge(const end *e, const char *side)
{
    CHECK(e->wrong == 0, "%s: %d wrong bytes or callbacks", side, e->wrong);
    CHECK(e->write_status == 0, "%s: a write failed with %s", side, tlsmem_status_name(e->write_status));
    CHECK(e->sent == e->to_send, "%s: wrote %llu", side, (unsigned long long)e->sent);
    CHECK(e->received == e->to_receive, "%s: received %llu", side, (unsigned long long)e->received);
    CHECK(e->established == 1 && e->eofs <= 1, "%s: established %d, eof %d", side, e->established, e->eofs);
    CHECK(e->closes == 1, "%s: on_close %d times", side, e->closes);
    CHECK(e->report.status == TLSMEM_OK && e->report.close_notify_sent && e->report.close_notify_received,
          "%s: ended with %s, close_notify %d sent, %d received", side, tlsmem_status_name(e->report.status),
          e->report.close_notify_sent, e->report.close_notify_received);
    CHECK(e->report.bytes_accepted == e->to_send && e->report.bytes_encrypted == e->to_send
          && e->report.bytes_received == e->to_receive && e->report.ciphertext_unsent == 0,
          "%s: the report counts %llu accepted, %llu encrypted, %llu received, %llu unsent", side,
          (unsigned long long)e->report.bytes_accepted, (unsigned long long)e->report.bytes_encrypted,
          (unsigned long long)e->report.bytes_received, (unsigned long long)e->report.ciphertext_unsent);
}

static void run(int version, face client_face, face server_face, uint64_t payload, cut how)
{
    static end client, server;
    static wire w;
    /* Half of the seeds have a small socket buffer as well, so that send is cut short too. */
    int send_buffer = how.kind == CUT_SEEDED && how.seed % 2 == 1 ? 4096 : 0;

    situation("%s client, %s server, TLS 1.%d, %llu bytes, %s, seed %llu", face_names[client_face],
              face_names[server_face], version - 0x0301, (unsigned long long)payload, cut_names[how.kind],
              (unsigned long long)how.seed);
    combinations++;
    end_open(&client, client_ctx, client_face, client_loop, 0, send_buffer);
    end_open(&server, server_ctx, server_face, server_loop, 1, send_buffer);
    client.to_send = server.to_send = client.to_receive = server.to_receive = payload;
    client.close_when_done = server.close_when_done = 1;
    wire_open(&w, &client, &server, how);
    if (!CHECK(wire_run(&w, both_ended), "stalled: client sent %llu and received %llu, server %llu and %llu",
               (unsigned long long)client.sent, (unsigned long long)client.received,
               (unsigned long long)server.sent, (unsigned long long)server.received))
        printf("  client state %d, error %s; server state %d, error %s\n", (int)state_of(client.c),
               tlsmem_status_name(failure_of(client.c)), (int)state_of(server.c),
               tlsmem_status_name(failure_of(server.c)));
    judge(&client, "client");
    judge(&server, "server");
    end_finish(&client);
    end_finish(&server);
}

static void every_small_payload(int version, face client_face, face server_face, uint64_t seeds)
{
    for (size_t i = 0; i < sizeof small_payloads / sizeof *small_payloads; i++) {
        run(version, client_face, server_face, small_payloads[i], (cut){ CUT_WHOLE, 0 });
        run(version, client_face, server_face, small_payloads[i], (cut){ CUT_BYTES, 0 });
        for (uint64_t seed = 1; seed <= seeds; seed++)
            run(version, client_face, server_face, small_payloads[i], (cut){ CUT_SEEDED, seed });
    }
}

int main(void)
{
    begin("faces");
    uint64_t seeds = (uint64_t)setting("FACES_SEEDS", 200);
    uint64_t large_seeds = (uint64_t)setting("FACES_LARGE_SEEDS", (long)(seeds / 9 + 1));
    int descriptors = open_descriptors();
    client_loop = new_loop();
    server_loop = new_loop();
    MUST(client_loop != NULL && server_loop != NULL);
    for (int v = 0; v < 2; v++) {
        if (setting("FACES_VERSION", v + 2) != v + 2)
            continue;
        client_ctx = context(TLSMEM_CLIENT, versions[v]);
        server_ctx = context(TLSMEM_SERVER, versions[v]);
        for (int pair = 0; pair < 9; pair++) {
            every_small_payload(versions[v], (face)(pair / 3), (face)(pair % 3), seeds);
            run(versions[v], (face)(pair / 3), (face)(pair % 3), LARGE, (cut){ CUT_WHOLE, 0 });
            run(versions[v], (face)(pair / 3), (face)(pair % 3), LARGE, (cut){ CUT_BYTES, 0 });
            for (uint64_t seed = 1; seed <= large_seeds; seed++)
                run(versions[v], (face)(pair / 3), (face)(pair % 3), LARGE, (cut){ CUT_SEEDED, seed });
        }
        tlsmem_ctx_free(client_ctx);
        tlsmem_ctx_free(server_ctx);
    }
    tlsmem_loop_free(client_loop);
    tlsmem_loop_free(server_loop);
    situation("at the end");
    CHECK(open_descriptors() == descriptors, "%d descriptors open, %d at the beginning", open_descriptors(), descriptors);
    printf("faces: %ld combinations, %llu seeds\n", combinations, (unsigned long long)seeds);
    return finish();
}

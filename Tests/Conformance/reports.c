/*
 * The key log and the trace, as callbacks: over every pair of faces both sides are told the same, in order, before what
 * follows from it; the file has the same lines; nothing of the application is shown; and what is too much is counted. What
 * a program does inside these callbacks is in reports_inside.c.
 */
#define _GNU_SOURCE
#include "reports.h"

#include <unistd.h>

account accounts[2];
static const char secret[] = "this is for the peer alone";

static void on_trace(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    account *a = user;
    if (a->count < sizeof a->pieces / sizeof *a->pieces) {
        piece *p = &a->pieces[a->count];
        p->info = *info;
        CHECK(info->length <= sizeof p->bytes, "%zu bytes of %s", info->length, info->name);
        memcpy(p->bytes, info->bytes, info->length);
    }
    a->count++;
    a->lost += info->lost;
    if (info->kind == TLSMEM_TRACE_RECORD && info->sent)
        a->sent_bytes += info->length + info->record_length;
    CHECK(info->size == sizeof *info && info->length > 0 && info->name != NULL, "size %zu, length %zu", info->size,
          info->length);
    if (a->hook != NULL)
        a->hook(c);
}

static void on_line(tlsmem *c, const char *line, void *user)
{
    account *a = user;
    MUST(a->line_count < 16 && strlen(line) < 256);
    strcpy(a->lines[a->line_count++], line);
    CHECK(strchr(line, '\n') == NULL, "the line has its end");
    if (a->hook != NULL)
        a->hook(c);
}

void accounts_tell(tlsmem_ctx *ctx, account *a)
{
    MUST(tlsmem_ctx_set_trace_cb(ctx, on_trace, a) == TLSMEM_OK && tlsmem_ctx_set_keylog_cb(ctx, on_line, a) == TLSMEM_OK);
}

void accounts_open(int version, tlsmem_ctx *contexts[2])
{
    memset(accounts, 0, sizeof accounts);
    accounts[0].name = "client";
    accounts[1].name = "server";
    for (int i = 0; i < 2; i++) {
        contexts[i] = context(i == 0 ? TLSMEM_CLIENT : TLSMEM_SERVER, version);
        accounts_tell(contexts[i], &accounts[i]);
    }
}

static void note_events(end *e, event what)
{
    account *a = &accounts[e == &server];
    if (what == EVENT_ESTABLISHED)
        a->told_established = (int)a->count;
    if (what == EVENT_CLOSE)
        a->told_closed = (int)a->count;
}

void accounts_pair(tlsmem_ctx *const contexts[2], tlsmem_loop *const loops[2], face client_face, face server_face)
{
    end_open(&client, contexts[0], client_face, loops[0], 0, 0);
    end_open(&server, contexts[1], server_face, loops[1], 1, 0);
    client.hook = server.hook = note_events;
    wire_open(&pair_wire, &client, &server, (cut){ CUT_SEEDED, 7 });
}

/* ---- the same on both sides */

static const piece *next_of(const account *a, size_t *at, int sent)
{
    while (*at < a->count) {
        const piece *p = &a->pieces[(*at)++];
        int is_change = p->info.kind == TLSMEM_TRACE_MESSAGE && p->info.content_type == 20;
        if (p->info.sent == sent && !is_change) /* which only its sender is told of, beside the record */
            return p;
    }
    return NULL;
}

/** What one has sent is what the other has received. */
static void check_mirrored(const account *from, const account *to)
{
    const piece *sent, *received;
    size_t at = 0, there = 0, n = 0;
    for (; (sent = next_of(from, &at, 1)) != NULL; n++) {
        received = next_of(to, &there, 0);
        if (!CHECK(received != NULL, "the %s's %s (%zu) was not received", from->name, sent->info.name, n))
            return;
        const tlsmem_trace_info *s = &sent->info, *r = &received->info;
        CHECK(s->kind == r->kind && s->content_type == r->content_type && s->handshake_type == r->handshake_type
              && s->name == r->name && s->length == r->length && s->record_length == r->record_length
              && memcmp(sent->bytes, received->bytes, s->length) == 0,
              "the %s's %s (%zu) became %s", from->name, s->name, n, r->name);
    }
    CHECK(next_of(to, &there, 0) == NULL, "more was received than the %s has sent", from->name);
    CHECK(n > 5, "%zu pieces", n);
}

static int place_of(const account *a, int sent, const char *name)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->pieces[i].info.kind == TLSMEM_TRACE_MESSAGE && a->pieces[i].info.sent == sent
            && strcmp(a->pieces[i].info.name, name) == 0)
            return (int)i;
    return -1;
}

static void check_account(const account *a)
{
    for (size_t i = 0; i < a->count; i++) {
        const tlsmem_trace_info *info = &a->pieces[i].info;
        const unsigned char *bytes = a->pieces[i].bytes;
        CHECK(memmem(bytes, info->length, secret, sizeof secret - 1) == NULL, "%s shows application data", info->name);
        CHECK(info->lost == 0, "%zu were lost", info->lost);
        if (info->kind == TLSMEM_TRACE_RECORD)
            CHECK(info->length == 5 && bytes[0] == info->content_type && info->handshake_type == -1
                  && info->version == (bytes[1] << 8 | bytes[2]) && info->record_length == (size_t)(bytes[3] << 8 | bytes[4]),
                  "record %zu", i);
        if (info->kind == TLSMEM_TRACE_MESSAGE && info->content_type == 22)
            CHECK(info->handshake_type == bytes[0] && strcmp(info->name, "unknown") != 0
                  && info->length == 4 + (size_t)(bytes[1] << 16 | bytes[2] << 8 | bytes[3]), "message %zu: %s", i, info->name);
        if (info->kind != TLSMEM_TRACE_RECORD)
            CHECK(info->kind == TLSMEM_TRACE_CONTENT || info->content_type != 23, "application data is a message");
    }
    int finished = place_of(a, 0, "Finished"), closed = place_of(a, 0, "close notify");
    CHECK(finished >= 0 && finished < a->told_established, "Finished is %d, established %d", finished, a->told_established);
    CHECK(closed >= 0 && closed < a->told_closed && a->told_closed == (int)a->count, "the close is %d, on_close %d of %zu",
          closed, a->told_closed, a->count);
}

/** The file that one of them has kept beside it has the lines of both. */
static void check_lines(const char *path, size_t expected)
{
    char line[256];
    size_t n = 0;
    FILE *file = fopen(path, "r");
    MUST(file != NULL);
    for (; fgets(line, sizeof line, file) != NULL; n++) {
        line[strcspn(line, "\n")] = 0;
        CHECK(n < accounts[1].line_count && strcmp(line, accounts[1].lines[n]) == 0, "line %zu of the file: %s", n, line);
    }
    fclose(file);
    CHECK(n == expected && accounts[0].line_count == n && accounts[1].line_count == n, "%zu lines, told %zu and %zu", n,
          accounts[0].line_count, accounts[1].line_count);
    for (size_t i = 0; i < accounts[0].line_count; i++) {
        int found = 0;
        for (size_t k = 0; k < n; k++)
            found += strcmp(accounts[0].lines[i], accounts[1].lines[k]) == 0;
        CHECK(found == 1, "the client's line is %d of the server's: %s", found, accounts[0].lines[i]);
    }
}

static void play(const scene *s)
{
    char path[] = "/tmp/tlsmem-reports-XXXXXX";
    tlsmem_ctx *contexts[2];
    tlsmem_loop *loops[2] = { new_loop(), new_loop() };
    int fd = mkstemp(path);
    MUST(fd >= 0 && loops[0] != NULL && loops[1] != NULL);
    situation("%s client, %s server, TLS 1.%d", face_names[s->client_face], face_names[s->server_face], s->version - 0x0301);
    accounts_open(s->version, contexts);
    MUST(tlsmem_ctx_set_keylog(contexts[1], path) == TLSMEM_OK);
    accounts_pair(contexts, loops, s->client_face, s->server_face);
    wire_establish(&pair_wire);
    CHECK_STATUS(tlsmem_write(client.c, secret, sizeof secret), sizeof secret);
    wire_settle(&pair_wire);
    server.wrong = 0; /* it is no pattern */
    tlsmem_close(client.c);
    server.close_on_eof = 1;
    CHECK(tlsmem_close(server.c) == TLSMEM_OK && wire_run(&pair_wire, both_ended), "stalled");
    CHECK_ENDED(client, TLSMEM_OK);
    CHECK_ENDED(server, TLSMEM_OK);
    for (int i = 0; i < 2; i++) {
        check_account(&accounts[i]);
        check_mirrored(&accounts[i], &accounts[1 - i]);
        uint64_t made = report_of((i == 0 ? &client : &server)->c).ciphertext_sent;
        CHECK(accounts[i].sent_bytes == made, "the %s's records are %zu bytes, %llu were sent", accounts[i].name,
              accounts[i].sent_bytes, (unsigned long long)made);
    }
    check_lines(path, s->version == TLSMEM_TLS1_3 ? 5 : 1);
    end_finish(&client);
    end_finish(&server);
    for (int i = 0; i < 2; i++) {
        tlsmem_loop_free(loops[i]);
        tlsmem_ctx_free(contexts[i]);
    }
    close(fd);
    unlink(path);
}

/* ---- too much, and nothing */

/** Writes that nobody drives: their records wait to be told, so many and no more. */
static void too_many(void)
{
    tlsmem_ctx *contexts[2];
    tlsmem_loop *none[2] = { NULL, NULL };
    const size_t most = 4096, writes = 5000;
    situation("more records than are kept");
    accounts_open(TLSMEM_TLS1_2, contexts);
    accounts_pair(contexts, none, FACE_BUFFERS, FACE_BUFFERS);
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    size_t before = accounts[0].count;
    for (size_t i = 0; i < writes; i++)
        MUST(tlsmem_write(client.c, "x", 1) == 1);
    CHECK(accounts[0].count == before, "a write calls back");
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_OK);
    CHECK(accounts[0].count == before + most && accounts[0].lost == 0, "%zu are told, %zu lost",
          accounts[0].count - before, accounts[0].lost);
    MUST(tlsmem_write(client.c, "x", 1) == 1);
    CHECK_STATUS(tlsmem_handshake(client.c), TLSMEM_OK);
    CHECK(accounts[0].count == before + most + 1 && accounts[0].lost == writes - most, "%zu are told, %zu lost",
          accounts[0].count - before, accounts[0].lost);
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(contexts[0]);
    tlsmem_ctx_free(contexts[1]);
}

/** Each of the two may be set alone, and taken back. */
static void one_of_them(void)
{
    tlsmem_ctx *contexts[2];
    tlsmem_loop *none[2] = { NULL, NULL };
    situation("the key log alone, and the trace alone");
    accounts_open(0, contexts);
    MUST(tlsmem_ctx_set_trace_cb(contexts[0], NULL, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_keylog_cb(contexts[1], NULL, NULL) == TLSMEM_OK);
    accounts_pair(contexts, none, FACE_BUFFERS, FACE_BUFFERS);
    wire_establish(&pair_wire);
    CHECK(accounts[0].count == 0 && accounts[0].line_count == 5, "%zu pieces, %zu lines", accounts[0].count,
          accounts[0].line_count);
    CHECK(accounts[1].count > 10 && accounts[1].line_count == 0, "%zu pieces, %zu lines", accounts[1].count,
          accounts[1].line_count);
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(contexts[0]);
    tlsmem_ctx_free(contexts[1]);
}

/** What a deadline has made, and what was written just before the end, is told before on_close. */
static void at_the_end(int by_deadline)
{
    tlsmem_ctx *contexts[2];
    tlsmem_loop *none[2] = { NULL, NULL };
    situation("what is made last, %s", by_deadline ? "by a deadline" : "before an abort");
    accounts_open(0, contexts);
    accounts_pair(contexts, none, FACE_BUFFERS, FACE_BUFFERS);
    wire_establish(&pair_wire);
    wire_settle(&pair_wire);
    size_t before = accounts[0].count;
    if (by_deadline) {
        CHECK_STATUS(tlsmem_set_timeout(client.c, TLSMEM_TIMEOUT_IDLE, 1), TLSMEM_OK);
        CHECK_STATUS(tlsmem_tick(client.c, tlsmem_now() + 10), TLSMEM_ETIMEOUT);
        CHECK(place_of(&accounts[0], 1, "close notify") >= 0, "the close notify is not told");
    } else {
        MUST(tlsmem_write(client.c, "x", 1) == 1);
        CHECK_STATUS(tlsmem_abort(client.c), TLSMEM_OK);
    }
    CHECK(client.closes == 1 && accounts[0].count > before && accounts[0].told_closed == (int)accounts[0].count,
          "%zu before, %d by on_close, %zu in all", before, accounts[0].told_closed, accounts[0].count);
    end_finish(&client);
    end_finish(&server);
    tlsmem_ctx_free(contexts[0]);
    tlsmem_ctx_free(contexts[1]);
}

int main(void)
{
    begin("reports");
    every_pair("reports", NULL, play);
    too_many();
    at_the_end(0);
    at_the_end(1);
    one_of_them();
    inside_reports(TLSMEM_TLS1_2);
    inside_reports(TLSMEM_TLS1_3);
    meanwhile_reports(TLSMEM_TLS1_2);
    meanwhile_reports(TLSMEM_TLS1_3);
    return finish();
}

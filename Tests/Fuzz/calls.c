/* The program: an interpreter of bytes. */
#include "calls.h"

#include <sys/socket.h>

static void fired(tlsmem_timer *timer, void *user)
{
    MUST(user == &now && now.timers-- > 0);
    tlsmem_timer_free(timer);
}

static void posted(void *arg)
{
    MUST(arg == &now);
    now.posts--;
}

int on_question(tlsmem *c, tlsmem_question question, uint64_t token)
{
    now.asked.c = c, now.asked.token = token, now.asked.question = question;
    return take(&now.in) & 1 ? TLSMEM_LATER : TLSMEM_OK;
}

/** An answer; also to who does not wait any more, or was freed. */
static void answer(unsigned how)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    if (how & 1 && now.asked.question == TLSMEM_QUESTION_CLIENT_HELLO)
        reply.ctx = now.contexts[1];
    if (how & 2)
        reply.alpn = how & 4 ? "other" : "fuzz";
    reply.insecure_accept = how >> 3 & 1;
    if (now.asked.c != NULL)
        MUST(tlsmem_answer(now.asked.c, now.asked.token, (how & 0xf0) == 0xf0 ? 80 : TLSMEM_OK, &reply) != TLSMEM_EINVAL);
}

/** The other face, in mid-stream. */
static void hand_over(end *e, face to)
{
    if (now.pair != NULL || e->now == to || e->moves)
        return;
    if (e->now == FACE_LOOP || e->now == FACE_EDGE) {
        if (to == FACE_LOOP || to == FACE_EDGE) {
            if (tlsmem_loop_move(now.loops[to == FACE_EDGE], e->c) == TLSMEM_OK)
                e->now = to;
            return;
        }
        IGNORE(tlsmem_loop_remove(now.loops[e->now == FACE_EDGE], e->c));
        e->now = FACE_FD;
    }
    if (to == FACE_BUFFERS) {
        int fd = tlsmem_take_fd(e->c);
        MUST(fd == e->fd || fd == -1);
        e->now = FACE_BUFFERS;
    } else if (to == FACE_FD) {
        if (tlsmem_fd(e->c) == e->fd || tlsmem_set_fd(e->c, e->fd) == TLSMEM_OK)
            e->now = FACE_FD;
    } else if (tlsmem_loop_add(now.loops[to == FACE_EDGE], e->c, e->fd) == TLSMEM_OK)
        e->now = to;
}

/** What the wire, or the kernel, or time does to a connection. */
static void harm(end *e, unsigned how)
{
    if (now.pair != NULL) {
        tlsmem_wire *wire = tlsmem_pair_wire(now.pair, e->side);
        tlsmem_wire_faults faults = TLSMEM_WIRE_FAULTS_INIT;
        unsigned n = take_two(&now.in);
        faults.seed = n, faults.chunk_least = how & 1, faults.chunk_most = how & 1 ? 1 + n % 700 : 0;
        faults.capacity = how & 2 ? 1 + n % 3000 : 0;
        faults.delay_most_ms = how & 4 ? n % 500 : 0, faults.refuse_permille = how & 8 ? n % 900 : 0;
        if ((how & 0xf0) == 0x10)
            faults.cut_after = n;
        else if ((how & 0xf0) == 0x20)
            faults.reset_after = n;
        MUST(tlsmem_wire_set_faults(wire, &faults) == TLSMEM_OK);
        if ((how & 0xf0) == 0x30)
            MUST(tlsmem_wire_end(wire) != TLSMEM_EINVAL);
        else if ((how & 0xf0) == 0x40)
            MUST(tlsmem_wire_reset(wire) == TLSMEM_OK);
    } else if (how < 64)
        shutdown(e->fd, how % 3);
    else if (e->now == FACE_BUFFERS)
        IGNORE(tlsmem_feed_error(e->c, 1 + (int)how % 120));
}

/** Ends both connections, and makes the next two, with the session of the last. */
static void begin_anew(unsigned faces)
{
    if (now.depth > 0 || now.connections >= CALLS_CONNECTIONS)
        return;
    scene_close();
    scene_open(faces);
}

static void closing(end *e, unsigned how)
{
    uint8_t some[100];
    switch (how % 6) {
    case 0: MUST(tlsmem_close(e->c) == TLSMEM_OK); break;
    case 1: IGNORE(tlsmem_close_write(e->c)); break;
    case 2: IGNORE(tlsmem_unwrap(e->c)); break;
    case 3: IGNORE(tlsmem_unwrapped(e->c, some, sizeof some)); break;
    case 4: MUST(tlsmem_abort(e->c) == TLSMEM_OK); break;
    default: end_free(e);
    }
}

static void keys(end *e, unsigned how)
{
    switch (how % 4) {
    case 0: case 1: IGNORE(tlsmem_key_update(e->c, how % 4)); break;
    case 2: IGNORE(tlsmem_renegotiate(e->c)); break;
    default: IGNORE(tlsmem_request_certificate(e->c, NULL, NULL));
    }
}

static void small_things(end *e, unsigned how)
{
    tlsmem_session *session;
    switch (how % 12) {
    case 0: IGNORE(tlsmem_cork(e->c)); break;
    case 1: IGNORE(tlsmem_uncork(e->c)); break;
    case 2: IGNORE(tlsmem_trim(e->c)); break;
    case 3: MUST(tlsmem_set_timeout(e->c, (tlsmem_timeout)(1 + how / 12 % 5), how) == TLSMEM_OK); break;
    case 4: IGNORE(tlsmem_tick(e->c, tlsmem_deadline(e->c) + (int)(how / 12) - 10)); break;
    case 5: IGNORE(tlsmem_handshake(e->c)); break;
    case 6: ask_everything(e->c); break;
    case 7: end_callbacks(e, !e->push); break;
    case 8: IGNORE(tlsmem_flush(e->c)); break;
    case 9: now.timers += tlsmem_loop_timer(now.loops[how / 12 & 1], how / 24, fired, &now) != NULL; break;
    case 10: now.posts += tlsmem_loop_post(now.loops[how / 12 & 1], posted, &now) == TLSMEM_OK; break;
    default:
        session = tlsmem_session_get(e->c);
        if (session != NULL)
            tlsmem_session_free(now.session), now.session = session;
    }
}

/** One thing, done with one end. */
static void act(void)
{
    unsigned what = take(&now.in), how = take(&now.in);
    end *e = &now.ends[what & 1];
    if (e->c == NULL && (what >> 1 & 15) != 15)
        e = &now.ends[!e->side];
    if (e->c == NULL) {
        begin_anew(how);
        return;
    }
    switch (what >> 1 & 15) {
    case 0: case 1: end_write(e, how * (how < 128 ? 1 : 200), what >> 5 & 1); break;
    case 2: end_write(e, how, e->established == 0 && e->side == 0 ? 2 : 0); break;
    case 3: end_read(e, how * 40, what >> 5 & 1); break;
    case 4: end_read(e, how, e->side == 1 ? 2 : 0); break;
    case 5: MUST(tlsmem_pause(e->c) == TLSMEM_OK); break;
    case 6: MUST(tlsmem_resume(e->c) == TLSMEM_OK); break;
    case 7: case 8: case 9: scene_pump(how); break;
    case 10: closing(e, how); break;
    case 11: keys(e, how); break;
    case 12: small_things(e, how); break;
    case 13: hand_over(e, (face)(how & 3)); break;
    case 14: how & 0x80 ? harm(e, how & 0x7f) : answer(how); break;
    default: begin_anew(how);
    }
    for (int side = 0; side < 2; side++)
        end_hold(&now.ends[side]);
}

void act_inside(end *e)
{
    if (now.depth >= 3 || now.acts >= CALLS_ACTS || now.in.left == 0)
        return;
    unsigned how = take(&now.in);
    now.depth++;
    for (unsigned i = 0; how >= 192 && i < how % 4 + 1 && now.acts < CALLS_ACTS && e->c != NULL; i++, now.acts++)
        act();
    now.depth--;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static uint64_t runs;
    const tlsmem_loop_options edge = { sizeof edge, 1, 0, 0 };
    memset(&now, 0, sizeof now);
    now.in = (input){ bytes, n }, now.kind = take(&now.in);
    scene_contexts();
    /* Early data of one ticket is taken once in a process: each run has tickets of its own. */
    world_begin(now.kind & CALLS_EARLY ? 1000 + runs++ : 5);
    now.loops[0] = tlsmem_loop_new(), now.loops[1] = tlsmem_loop_new_with(&edge);
    MUST(now.loops[0] != NULL && now.loops[1] != NULL);
    scene_open(take(&now.in));
    for (; now.acts < CALLS_ACTS && now.in.left > 0; now.acts++)
        act();
    now.in.left = 0;
    scene_close();
    for (int i = 0; i < 2; i++)
        tlsmem_loop_free(now.loops[i]);
    tlsmem_session_free(now.session);
    world_end();
    return 0;
}

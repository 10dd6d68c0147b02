#include "actions.h"

const char *const action_names[ACTIONS] = {
    "write", "pause", "resume", "close", "close_write", "abort", "free", "take_fd", "remove from the loop", "add another",
    "free another", "drive", "key_update", "loop_stop", "set_callbacks"
};

void world_pair(world *w, end *ours, end *peer, wire *wire, uint64_t seed)
{
    int send_buffer = 8192; /* so that little is under way at once, and writes are stopped */
    end_open(ours, w->subject_ctx, w->face, w->loop, 0, send_buffer);
    end_open(peer, w->peer_ctx, FACE_BUFFERS, NULL, 1, 0);
    wire_open(wire, ours, peer, (cut){ CUT_SEEDED, seed });
    peer->close_on_eof = ours->close_on_eof = 1;
}

/** Writes the next bytes of the pattern. */
static void act_write(end *s)
{
    unsigned char bytes[100];
    int had_ended = end_ended(s), had_closed = s->close_called;
    pattern_fill(bytes, s->stream, s->sent, sizeof bytes);
    ptrdiff_t taken = tlsmem_write(s->c, bytes, sizeof bytes);
    if (taken > 0) {
        s->sent += (uint64_t)taken;
        s->to_send += (uint64_t)taken;
    }
    if (taken == TLSMEM_AGAIN || (taken > 0 && taken < 100))
        s->blocked = s->drain_owed = 1;
    if (had_ended)
        CHECK(taken < 0 && taken != TLSMEM_AGAIN, "a write after the end took %td", taken);
    else if (!had_closed)
        CHECK(taken > 0 || taken == TLSMEM_AGAIN, "write: %s", tlsmem_status_name((int)taken));
}

static void act_take_fd(world *w, end *s)
{
    int fd = tlsmem_take_fd(s->c);
    if (w->face == FACE_BUFFERS) {
        CHECK_STATUS(fd, -1);
        return;
    }
    if (end_ended(s))
        return;
    CHECK(fd == s->fd, "took %d instead of %d", fd, s->fd);
    CHECK_STATUS(tlsmem_fd(s->c), -1);
    if (fd >= 0)
        s->face = FACE_OWN_CALLS;
}

static void act_remove(world *w, end *s)
{
    int in_loop = w->face == FACE_REGISTRY && !end_ended(s);
    if (w->loop == NULL)
        return;
    CHECK_STATUS(tlsmem_loop_remove(w->loop, s->c), in_loop ? TLSMEM_OK : TLSMEM_ESTATE);
    if (in_loop) {
        CHECK_STATUS(tlsmem_fd(s->c), s->fd);
        s->face = FACE_FD;
    }
}

/** The call that drives the subject's face, from inside its own callback. */
static void act_drive(world *w, end *s)
{
    if (w->face == FACE_BUFFERS) {
        ptrdiff_t result = wire_feed_inside(&w->subject_wire.down);
        CHECK(result >= 0 || result == TLSMEM_AGAIN || end_ended(s), "feed: %s", tlsmem_status_name((int)result));
    } else if (w->face == FACE_FD) {
        CHECK_STATUS(tlsmem_feed(s->c, "x", 1), TLSMEM_ESTATE);
        IGNORE(tlsmem_on_readable(s->c));
        if (!s->freed)
            IGNORE(tlsmem_on_writable(s->c));
        if (!s->freed)
            IGNORE(tlsmem_flush(s->c));
    } else {
        CHECK_STATUS(tlsmem_loop_run_once(w->loop, 0), TLSMEM_ESTATE);
        CHECK_STATUS(tlsmem_loop_run(w->loop), TLSMEM_ESTATE);
        IGNORE(tlsmem_flush(s->c));
    }
}

static void act_key_update(end *s)
{
    int open = s->established && !end_ended(s) && !s->close_called;
    int status = tlsmem_key_update(s->c, 1);
    CHECK(status == (open ? TLSMEM_OK : TLSMEM_ESTATE)
          || (open && status == TLSMEM_AGAIN && !want_of(s->c).accepts_plaintext), "key_update: %s",
          tlsmem_status_name(status));
}

void act(world *w)
{
    end *s = &w->subject;
    int had_ended = end_ended(s);
    if (w->acted++ > 0 || s->freed)
        return;
    switch (w->act) {
    case ACT_WRITE:
        act_write(s);
        break;
    case ACT_PAUSE:
        CHECK_STATUS(tlsmem_pause(s->c), TLSMEM_OK);
        w->paused = !had_ended;
        w->received_at_pause = s->received;
        break;
    case ACT_RESUME:
        CHECK_STATUS(tlsmem_resume(s->c), TLSMEM_OK);
        break;
    case ACT_CLOSE:
        CHECK_STATUS(tlsmem_close(s->c), TLSMEM_OK);
        s->close_called = w->ended_by_us = 1;
        break;
    case ACT_CLOSE_WRITE:
        CHECK_STATUS(tlsmem_close_write(s->c), had_ended ? TLSMEM_ESTATE : TLSMEM_OK);
        w->ended_by_us = 1;
        break;
    case ACT_ABORT:
        CHECK_STATUS(tlsmem_abort(s->c), TLSMEM_OK);
        w->ended_by_us = 1;
        break;
    case ACT_FREE:
        end_free_connection(s);
        w->ended_by_us = 1;
        break;
    case ACT_TAKE_FD:
        act_take_fd(w, s);
        break;
    case ACT_REMOVE:
        act_remove(w, s);
        break;
    case ACT_ADD:
        w->has_added = 1;
        world_pair(w, &w->added, &w->added_peer, &w->added_wire, 3);
        w->added.to_send = w->added_peer.to_send = 1000;
        break;
    case ACT_FREE_OTHER:
        end_free_connection(&w->other);
        break;
    case ACT_DRIVE:
        act_drive(w, s);
        break;
    case ACT_KEY_UPDATE:
        act_key_update(s);
        break;
    case ACT_LOOP_STOP:
        if (w->loop != NULL)
            CHECK_STATUS(tlsmem_loop_stop(w->loop), TLSMEM_OK);
        break;
    case ACT_SET_CALLBACKS:
        CHECK_STATUS(tlsmem_set_callbacks(s->c, &end_callbacks, s), TLSMEM_OK);
        break;
    case ACTIONS:
        break;
    }
}

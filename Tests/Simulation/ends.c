/* The callbacks of an end, and what an end counts. */
#include "world.h"
#include "clock.h"

#include <unistd.h>

/** Every byte says where it belongs. */
static unsigned char pattern_at(int number, uint64_t position)
{
    uint64_t mixed = (position + 1) * 0x9e3779b97f4a7c15 + (uint64_t)number * 0xd1b54a32d192ed03;
    return (unsigned char)(mixed >> 40);
}

void pattern_fill(const end *e, unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern_at(e->number, e->accepted + i);
}

static void received(end *e, const unsigned char *bytes, size_t n)
{
    const end *peer = peer_of(e);
    if (e->delivered + n > peer->accepted)
        fail(e->number / 2, "invented bytes", "end %d: %llu bytes came, of %llu that were written", e->number,
             (unsigned long long)(e->delivered + n), (unsigned long long)peer->accepted);
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != pattern_at(peer->number, e->delivered + i))
            fail(e->number / 2, "wrong byte", "end %d: the byte at %llu is another", e->number,
                 (unsigned long long)(e->delivered + i));
    e->delivered += n;
}

/** Where its descriptor is: the library has got it by connecting. */
void note_fd(end *e)
{
    if (e->c != NULL && e->face == FACE_LOOP && e->fd < 0) {
        e->fd = tlsmem_fd(e->c);
        e->library_owns_fd = e->fd >= 0;
    }
}

/* ---- callbacks */

static void enter(end *e, tlsmem *c, const char *which)
{
    note_fd(e);
    note(which, e->number, (long)e->delivered, (long)e->accepted);
    total.callbacks++;
    w.events++;
    w.depth++;
    e->callbacks++;
    if (e->is_freed)
        fail(e->number / 2, "callback after free", "end %d: %s", e->number, which);
    if (e->is_closed)
        fail(e->number / 2, "callback after on_close", "end %d: %s", e->number, which);
    if (c != e->c)
        fail(e->number / 2, "callback of another", "end %d: %s", e->number, which);
}

static void leave_unchecked(end *e)
{
    if (e->c != NULL && w.actions > 0 && chance_permille(&application_chance, 80))
        w.actions--, act_on(e);
    w.depth--;
}

static void leave(end *e)
{
    if (is_alive(e))
        check_end(e);
    leave_unchecked(e);
}

void traced(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    (void)user;
    end *e = tlsmem_user(c);
    enter(e, c, "traced");
    note("traced", e->number, info->content_type, (long)info->length);
    leave_unchecked(e); /* what was decrypted just before is counted, and delivered after this */
}

void certificate_shown(tlsmem *c, void *user)
{
    end *e = user;
    enter(e, c, "certificate shown");
    if (!e->waits_for_certificate)
        fail(e->number / 2, "certificate for nothing", "end %d", e->number);
    e->waits_for_certificate = 0;
    leave_unchecked(e); /* the same */
}

static void on_established(tlsmem *c, void *user)
{
    end *e = user;
    enter(e, c, "on_established");
    if (e->is_established)
        fail(e->number / 2, "established twice", "end %d", e->number);
    if (e->delivered > 0 && e->number % 2 == 0)
        fail(e->number / 2, "data before established", "end %d", e->number);
    e->is_established = 1;
    e->established_at = clock_now();
    if (e->number % 2 == 0) {
        total.handshakes++;
        total.resumed += (uint64_t)tlsmem_is_resumed(c);
    }
    leave(e);
}

static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    end *e = user;
    enter(e, c, "on_data");
    if (e->is_paused)
        fail(e->number / 2, "on_data while paused", "end %d", e->number);
    if (e->pulls)
        fail(e->number / 2, "on_data without one", "end %d", e->number);
    if (e->has_eof && !e->has_pulled)
        fail(e->number / 2, "on_data after on_eof", "end %d", e->number);
    if (n == 0)
        fail(e->number / 2, "on_data of nothing", "end %d", e->number);
    received(e, bytes, n);
    leave(e);
}

static void on_drain(tlsmem *c, void *user)
{
    end *e = user;
    enter(e, c, "on_drain");
    if (!e->owes_drain)
        fail(e->number / 2, "on_drain for nothing", "end %d", e->number);
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    tlsmem_want(c, &want);
    e->owes_drain = 0;
    leave(e);
}

static void on_eof(tlsmem *c, void *user)
{
    end *e = user;
    enter(e, c, "on_eof");
    if (e->has_eof)
        fail(e->number / 2, "on_eof twice", "end %d", e->number);
    e->has_eof = 1;
    const end *peer = peer_of(e);
    if (!e->has_pulled && e->delivered != promised(peer))
        fail(e->number / 2, "lost bytes", "end %d: on_eof after %llu bytes of %llu", e->number,
             (unsigned long long)e->delivered, (unsigned long long)peer->accepted);
    leave(e);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    end *e = user;
    enter(e, c, "on_close");
    note("report", e->number, report->status, (long)report->bytes_received);
    e->is_closed = 1;
    e->report = *report;
    e->failure = report->status;
    if (kernel_truth(e->fd) != NULL)
        e->truth = *kernel_truth(e->fd);
    check_report(e);
    total.ends[-report->status]++;
    total.clean += report->status == TLSMEM_OK;
    if (e->face == FACE_LOOP && !e->library_owns_fd)
        e->face = FACE_FD;
    if (chance_permille(&application_chance, 700))
        take_session(e);
    if (chance_permille(&application_chance, 400))
        end_free(e); /* else the world does */
    w.depth--;
}

const tlsmem_callbacks *end_callbacks(const end *e)
{
    static const tlsmem_callbacks pushed = {
        sizeof pushed, on_established, on_data, on_drain, on_eof, on_close
    }, pulled = {
        sizeof pulled, on_established, NULL, on_drain, on_eof, on_close
    }, without_eof = {
        sizeof without_eof, on_established, on_data, on_drain, NULL, on_close
    };
    return e->pulls ? &pulled : e->lacks_eof_callback ? &without_eof : &pushed;
}

/* ---- from its beginning to its end */

void end_begin(end *e, int number, service *of)
{
    const tlsmem_limits *limits = &of->limits[number % 2];
    e->number = number;
    e->of = of;
    e->is_made = 1;
    e->begun = clock_now();
    e->closed_at = e->established_at = e->timed_at = e->full_at = -1;
    e->pulls = chance_permille(&application_chance, 250);
    e->has_pulled = e->pulls;
    e->lacks_eof_callback = !e->pulls && chance_permille(&application_chance, 300);
    e->timeouts[TLSMEM_TIMEOUT_HANDSHAKE] = limits->handshake_ms;
    e->timeouts[TLSMEM_TIMEOUT_IDLE] = limits->idle_ms;
    e->timeouts[TLSMEM_TIMEOUT_READ] = limits->read_ms;
    e->timeouts[TLSMEM_TIMEOUT_WRITE] = limits->write_ms;
    e->timeouts[TLSMEM_TIMEOUT_CLOSE] = limits->close_ms;
}

void end_read(end *e, size_t most)
{
    static unsigned char bytes[65536];
    while (most > 0 && e->c != NULL) {
        size_t n = most < sizeof bytes ? most : sizeof bytes;
        ptrdiff_t count = tlsmem_read(e->c, bytes, n);
        note("tlsmem_read", e->number, count, (long)n);
        check_status(e, "tlsmem_read", count, STATUS(TLSMEM_AGAIN) | FAILURE);
        if (count <= 0)
            return;
        if ((size_t)count > n)
            fail(e->number / 2, "too much was read", "end %d", e->number);
        received(e, bytes, (size_t)count);
        w.events++;
        most -= (size_t)count;
    }
}

void end_free(end *e)
{
    tlsmem *c = e->c;
    if (c == NULL)
        return;
    note("tlsmem_free", e->number, e->is_closed, e->face);
    if (!e->is_closed && kernel_truth(e->fd) != NULL)
        e->truth = *kernel_truth(e->fd);
    e->c = NULL;
    e->is_freed = 1;
    tlsmem_free(c);
    if (e->fd >= 0 && !e->library_owns_fd)
        close(e->fd);
    e->fd = -1;
    free(e->held);
    e->held = NULL;
    w.events++;
}

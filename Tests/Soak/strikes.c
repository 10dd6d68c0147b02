/* How connections end badly, on purpose, and whether each has ended as it should. */
#include "talk.h"

#include <sys/socket.h>
#include <unistd.h>

/** Ends the transport without a word from TLS. */
static void hang_up(talk *t, int resets)
{
    static const struct linger at_once = { 1, 0 };
    int fd = drive_take(t);
    if (fd < 0) {
        wrong("%s has no socket to take", talk_name(t));
        return;
    }
    if (resets)
        MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    close(fd);
    talk_free(t);
}

void strike(talk *t)
{
    ending how = t->plan.order.ending;
    ending first = t->is_server ? SERVER_ABORTS : CLIENT_ABORTS;
    if (t->gone || t->struck || t->closes > 0 || how < first || how > first + (CLIENT_CUTS - CLIENT_ABORTS))
        return;
    t->struck = 1;
    switch (how - first) {
    case 0:
        tlsmem_abort(t->c);
        break;
    case 1:
        talk_free(t);
        break;
    case 2:
        hang_up(t, 1);
        break;
    default:
        hang_up(t, 0);
        break;
    }
}

static const char *side_of(const talk *t)
{
    return t->is_server ? "server" : "client";
}

void judge(talk *t, const tlsmem_report_info *report)
{
    const ending_facts *facts = &ending_table[t->plan.order.ending];
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_error(t->c, &error) == TLSMEM_OK);
    if (report->status > 0 || report->status <= -(int)(sizeof own->statuses / sizeof *own->statuses)) {
        wrong("%s has ended with %d", talk_name(t), report->status);
        return;
    }
    ADD(own->statuses[-report->status], 1);
    if (!t->knows)
        return; /* of such a client the server knows nothing */
    uint64_t may = t->is_server ? facts->server : facts->client;
    if (!(may & STATUS(report->status)))
        wrong("%s, the %s: ended with %s: %s; %llu of %llu sent, %llu of %llu received", talk_name(t), side_of(t),
              tlsmem_status_name(report->status), error.sentence, t->sent, t->to_send,
              t->received, t->to_receive);
    if (!is_clean(t->plan.order.ending))
        return;
    /* The answer to a KeyUpdate may come too late for a peer that has closed. */
    int unsent = report->ciphertext_unsent != 0 && !(t->plan.order.flags & NEW_KEYS);
    if (t->sent != t->to_send || t->received != t->to_receive || !report->close_notify_received || unsent)
        wrong("%s, the %s: clean, but %llu of %llu sent, %llu of %llu received, %llu left", talk_name(t),
              side_of(t), t->sent, t->to_send,
              t->received, t->to_receive, (unsigned long long)report->ciphertext_unsent);
    else
        ADD(own->clean, 1);
}

/* What becomes of which connection. Most end well, and are small; of everything else there is some in each thousand. */
#include "plan.h"

#define ENDED STATUS(TLSMEM_OK)
#define LOST (STATUS(TLSMEM_ERESET) | STATUS(TLSMEM_ETRUNCATED))
#define LOST_EARLY (LOST | STATUS(TLSMEM_EHANDSHAKEEOF))
#define ABORTED STATUS(TLSMEM_EABORTED)
#define ALERTED STATUS(TLSMEM_EALERT)
#define LATE STATUS(TLSMEM_ETIMEOUT)
#define NONE 0

/* What the server may see counts from when it has the order. */
const ending_facts ending_table[ENDINGS] = {
    [CLIENT_CLOSES] = { "client closes", 330, ENDED, ENDED },
    [SERVER_CLOSES] = { "server closes", 260, ENDED, ENDED },
    [HALF_CLOSES] = { "half closes", 150, ENDED, ENDED },
    [BOTH_UNWRAP] = { "both unwrap", 20, ENDED, ENDED },
    [CLIENT_ABORTS] = { "client aborts", 25, ABORTED, LOST },
    [CLIENT_FREES] = { "client frees", 25, NONE, LOST },
    [CLIENT_RESETS] = { "client resets", 20, NONE, LOST },
    [CLIENT_CUTS] = { "client cuts", 20, NONE, LOST },
    [SERVER_ABORTS] = { "server aborts", 20, LOST, ABORTED },
    [SERVER_FREES] = { "server frees", 20, LOST, NONE },
    [SERVER_RESETS] = { "server resets", 15, LOST, NONE },
    [SERVER_CUTS] = { "server cuts", 15, LOST, NONE },
    [GIVEN_UP] = { "given up in the handshake", 25, ABORTED, LOST },
    [REFUSED] = { "name refused", 10, ALERTED | STATUS(TLSMEM_ENOIDENTITY) | LOST_EARLY, NONE },
    [DISTRUSTED] = { "server distrusted", 5, STATUS(TLSMEM_EVERIFY), NONE },
    [UNANSWERED] = { "question unanswered", 5, LATE, NONE },
    [STALLED] = { "client stalls", 10, ALERTED | ENDED | LOST_EARLY, NONE },
    [FLIPPED] = { "bit flipped", 10, ALERTED | LOST_EARLY, STATUS(TLSMEM_EPROTOCOL) },
    [SILENT] = { "silent", 7, NONE, NONE },
    [GARBAGE] = { "garbage", 8, NONE, NONE },
};

const char *const names[NAMES] = { "localhost", "other.example" };

int is_clean(uint32_t ending)
{
    return ending <= BOTH_UNWRAP;
}

int is_bare(uint32_t ending)
{
    return ending == SILENT || ending == GARBAGE;
}

static int permille(seeded *chance, unsigned of_thousand)
{
    return seeded_next(chance) % 1000 < of_thousand;
}

/** Some are empty, most are small, one of ten may be large. */
static uint32_t size(seeded *chance)
{
    if (permille(chance, 50))
        return 0;
    return (uint32_t)seeded_size(chance, permille(chance, 100) ? 1 << 20 : 1 << 14);
}

static uint32_t draw_ending(seeded *chance)
{
    unsigned all = 0;
    for (int i = 0; i < ENDINGS; i++)
        all += ending_table[i].weight;
    unsigned at = (unsigned)(seeded_next(chance) % all);
    uint32_t ending = 0;
    while (at >= ending_table[ending].weight)
        at -= ending_table[ending++].weight;
    return ending;
}

/** Some endings are of one sort only. */
static void fit(plan *p)
{
    switch (p->order.ending) {
    case DISTRUSTED:
    case UNANSWERED:
        p->kind = WITH_VERDICT;
        p->resumes = 0; /* nobody is asked then */
        break;
    case FLIPPED:
        p->way = p->changes_to = BY_BUFFERS;
        p->order.request = p->order.request % 8192 + 1;
        p->early = 0;
        p->place = TO_LOOP;
        break;
    case GIVEN_UP:
        p->pause_ms = p->order.flags = 0;
        break;
    case STALLED:
        p->early = p->eager = 0;
        p->place = TO_IMPATIENT;
        break;
    case SILENT:
    case GARBAGE:
        p->place = TO_IMPATIENT;
        break;
    case REFUSED:
        p->resumes = 0;
        break;
    default:
        break;
    }
}

plan plan_of(uint64_t number)
{
    static const int kinds[] = { NEW_VERSION, NEW_VERSION, NEW_VERSION, NEW_VERSION, OLD_VERSION, OLD_VERSION, WITH_KEY,
                                 WITH_CERTIFICATE, WITH_VERDICT, WITH_VERDICT };
    seeded chance = { shared->seed * UINT64_C(0x2545f4914f6cdd1d) + number };
    plan p = { .order.number = (uint32_t)number };
    p.order.ending = draw_ending(&chance);
    p.order.request = size(&chance);
    p.order.answer = size(&chance);
    p.order.flags = (permille(&chance, 30) ? READS_SLOWLY : 0) | (permille(&chance, 50) ? CORKS : 0)
        | (permille(&chance, 20) ? NEW_KEYS : 0);
    int server_strikes = p.order.ending >= SERVER_ABORTS && p.order.ending <= SERVER_CUTS;
    p.order.at = (uint32_t)(seeded_next(&chance) % ((server_strikes ? p.order.request : p.order.answer) + 1));
    p.way = permille(&chance, 700) ? BY_LOOP : permille(&chance, 500) ? BY_FD : BY_BUFFERS;
    p.changes_to = permille(&chance, 40) ? (way)(seeded_next(&chance) % WAYS) : p.way;
    p.place = permille(&chance, 700) ? TO_LOOP : permille(&chance, 700) ? TO_OWN : TO_UNIX;
    p.kind = kinds[seeded_next(&chance) % (sizeof kinds / sizeof *kinds)];
    p.name = permille(&chance, 250) ? OTHER_NAME : USUAL_NAME;
    p.resumes = permille(&chance, 880);
    p.early = permille(&chance, 40);
    p.eager = permille(&chance, 500);
    p.later = permille(&chance, 300);
    p.small_buffers = permille(&chance, 20);
    unsigned pause_most = shared->connections < LONG_RUN ? 500 : 4000;
    p.pause_ms = permille(&chance, 400) ? (unsigned)(seeded_next(&chance) % pause_most) : 0;
    fit(&p);
    return p;
}

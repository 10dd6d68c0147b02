/* Answers that come later, from another thread. */
#include "talk.h"

#include <pthread.h>
#include <unistd.h>

typedef struct answer {
    struct answer *next;
    tlsmem *c;      /* of which only the address is used: it may be gone by then */
    uint64_t token;
    int status;
    tlsmem_ctx *ctx;
} answer;

static pthread_t thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static answer *first, **last = &first;
static int ends;
static talk *waiting; /* those whose handshake no loop of the library's takes further */

/* ---- in the thread of the loop */

void asked_add(talk *t)
{
    if (t->asked != NULL || t->way == BY_LOOP)
        return;
    t->next_asked = waiting;
    t->asked = &waiting;
    if (waiting != NULL)
        waiting->asked = &t->next_asked;
    waiting = t;
}

void asked_remove(talk *t)
{
    if (t->asked == NULL)
        return;
    *t->asked = t->next_asked;
    if (t->next_asked != NULL)
        t->next_asked->asked = t->asked;
    t->asked = NULL;
}

/** Some have been answered: has all go on that may. */
static void answered(void *unused)
{
    (void)unused;
    for (talk *t = waiting, *next; t != NULL; t = next) {
        tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
        next = t->next_asked;
        talk_enter(t);
        IGNORE(tlsmem_handshake(t->c));
        if (!t->gone && tlsmem_want(t->c, &want) == TLSMEM_OK && want.waits_for == TLSMEM_QUESTION_NONE)
            asked_remove(t);
        talk_leave(t);
    }
}

void answer_later(talk *t, uint64_t token, tlsmem_ctx *ctx)
{
    answer *a = malloc(sizeof *a);
    MUST(a != NULL);
    *a = (answer) { NULL, t->c, token, t->plan.order.ending == DISTRUSTED && !t->is_server ? 1 : TLSMEM_OK, tlsmem_ctx_ref(ctx) };
    asked_add(t);
    pthread_mutex_lock(&mutex);
    *last = a;
    last = &a->next;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
}

/* ---- the other thread */

static void *answer_all(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (first == NULL && !ends)
            pthread_cond_wait(&filled, &mutex);
        answer *some = first;
        first = NULL;
        last = &first;
        pthread_mutex_unlock(&mutex);
        if (some == NULL)
            return NULL;
        usleep(3000); /* the questions are open for a while */
        while (some != NULL) {
            answer *a = some;
            tlsmem_reply reply = TLSMEM_REPLY_INIT;
            some = a->next;
            reply.ctx = a->ctx;
            int status = tlsmem_answer(a->c, a->token, a->status, &reply);
            if (status != TLSMEM_OK && status != TLSMEM_ESTATE)
                wrong("%s: an answer was not taken: %s", side_names[own - shared->counts], tlsmem_status_name(status));
            tlsmem_ctx_free(a->ctx);
            free(a);
        }
        MUST(tlsmem_loop_post(the_loop, answered, NULL) == TLSMEM_OK);
    }
}

void answers_begin(void)
{
    MUST(pthread_create(&thread, NULL, answer_all, NULL) == 0);
}

void answers_end(void)
{
    pthread_mutex_lock(&mutex);
    ends = 1;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

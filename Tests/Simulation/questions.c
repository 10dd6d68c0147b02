#include "questions.h"
#include "world.h"

enum { STORED_MOST = 64 };

static struct {
    uint8_t id[32];
    size_t id_length, length;
    unsigned char *bytes;
} stored[STORED_MOST];
static int stored_next;

/* ---- asking */

/** Whether somebody answers at once; else TLSMEM_LATER is to be returned, and perhaps it is answered already. */
static int answers_at_once(tlsmem *c, int question, uint64_t token)
{
    end *e = tlsmem_user(c);
    note("question", e->number, question, 0);
    total.questions++;
    w.events++;
    if (e->is_freed || e->is_closed || e->c != c)
        fail(e->number / 2, "question after the end", "end %d is asked %d", e->number, question);
    if (e->question != 0 && !e->is_answered)
        fail(e->number / 2, "two questions at once", "end %d is asked %d and %d", e->number, e->question, question);
    uint64_t way = w.is_ending ? 0 : chance_below(&application_chance, 10);
    if (way < 4)
        return 1;
    e->question = question;
    e->old_token = e->token;
    e->token = token;
    e->is_answered = 0;
    if (way < 6)
        answer_question(e);
    else if (w.actions-- > 0 && way == 9)
        act_on(e);
    return 0;
}

int hello_asked(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)user;
    return answers_at_once(c, TLSMEM_QUESTION_CLIENT_HELLO, hello->token) ? TLSMEM_OK : TLSMEM_LATER;
}

int verdict_asked(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    return answers_at_once(c, TLSMEM_QUESTION_VERIFY, verdict->token) ? TLSMEM_OK : TLSMEM_LATER;
}

int key_asked(tlsmem *c, const tlsmem_psk_request *request, void *user)
{
    (void)user;
    if (answers_at_once(c, TLSMEM_QUESTION_PSK, request->token)) {
        end *e = tlsmem_user(c);
        e->question = TLSMEM_QUESTION_PSK;
        e->token = request->token;
        e->is_answered = 0;
        answer_question(e);
    }
    return TLSMEM_LATER;
}

int certificate_asked(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    (void)user;
    if (answers_at_once(c, TLSMEM_QUESTION_CLIENT_CERT, request->token)) {
        end *e = tlsmem_user(c);
        e->question = TLSMEM_QUESTION_CLIENT_CERT;
        e->token = request->token;
        e->is_answered = 0;
        answer_question(e);
    }
    return TLSMEM_LATER;
}

/* ---- a place for sessions */

static int place_of(const uint8_t *id, size_t length)
{
    for (int i = 0; i < STORED_MOST; i++)
        if (stored[i].bytes != NULL && stored[i].id_length == length && memcmp(stored[i].id, id, length) == 0)
            return i;
    return -1;
}

static void drop(int place)
{
    free(stored[place].bytes);
    stored[place].bytes = NULL;
}

static void kept(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    end *e = tlsmem_user(c);
    int place = place_of(entry->id, entry->id_length);
    if (place < 0)
        place = stored_next++ % STORED_MOST;
    drop(place);
    stored[place].bytes = malloc(entry->length);
    memcpy(stored[place].bytes, entry->bytes, entry->length);
    stored[place].length = entry->length;
    memcpy(stored[place].id, entry->id, entry->id_length);
    stored[place].id_length = entry->id_length;
    note("session kept", e->number, (long)entry->length, entry->once);
    w.events++;
}

static int looked_for(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    end *e = tlsmem_user(c);
    int place = place_of(entry->id, entry->id_length);
    e->found = place;
    if (answers_at_once(c, TLSMEM_QUESTION_SESSION, entry->token)) {
        e->question = TLSMEM_QUESTION_SESSION;
        e->token = entry->token;
        e->is_answered = 0;
        answer_question(e);
    }
    return TLSMEM_LATER;
}

static void dropped(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)c, (void)user;
    int place = place_of(entry->id, entry->id_length);
    if (place >= 0)
        drop(place);
}

const tlsmem_session_callbacks store_callbacks = { sizeof store_callbacks, kept, looked_for, dropped };

void store_end(void)
{
    for (int i = 0; i < STORED_MOST; i++)
        drop(i);
    stored_next = 0;
}

/* ---- answering */

static void answer_too_late(end *e)
{
    int answered = tlsmem_answer(e->c, e->old_token, TLSMEM_EREFUSED, NULL);
    note("tlsmem_answer of old", e->number, answered, 0);
    if (answered != TLSMEM_ESTATE)
        fail(e->number / 2, "stale answer", "end %d: what an old question is answered counts for another", e->number);
}

void answer_question(end *e)
{
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    static const unsigned char key[32] = "a key that both ends have";
    int status = TLSMEM_OK;
    if (e->question == 0 || e->c == NULL)
        return;
    if (e->old_token != 0 && chance_permille(&application_chance, 200))
        answer_too_late(e);
    if (e->question == TLSMEM_QUESTION_PSK) {
        reply.bytes = key;
        reply.length = sizeof key;
        reply.identity = "both";
    } else if (e->question == TLSMEM_QUESTION_SESSION && e->found >= 0 && stored[e->found].bytes != NULL) {
        reply.bytes = stored[e->found].bytes;
        reply.length = stored[e->found].length;
    } else if (e->question == TLSMEM_QUESTION_CLIENT_CERT && service_has(e->of, SETTING_CLIENT_CERT)
               && !service_has(e->of, SETTING_MISMATCH) && chance_permille(&application_chance, 900)) {
        reply.ctx = e->of->contexts[0];
    }
    if (!w.is_ending && chance_permille(&application_chance, 30)) {
        status = TLSMEM_EREFUSED;
        e->has_refused = 1;
    }
    if (reply.ctx == NULL && e->question == TLSMEM_QUESTION_CLIENT_CERT)
        e->has_refused = 1;
    int answered = tlsmem_answer(e->c, e->token, status, &reply);
    note("tlsmem_answer", e->number, answered, status);
    total.answers++;
    w.events++;
    check_status(e, "tlsmem_answer", answered, STATUS(TLSMEM_ESTATE));
    if (answered == TLSMEM_OK && e->is_answered)
        fail(e->number / 2, "answered twice", "end %d: question %d takes a second answer", e->number, e->question);
    if (answered == TLSMEM_ESTATE && !e->is_answered && is_alive(e) && !e->has_aborted)
        fail(e->number / 2, "answer refused", "end %d: question %d is open and takes no answer", e->number, e->question);
    e->is_answered = 1;
}

/*
 * Four threads that answer every question of a thousand handshakes: those that are asked only queue it.
 */
#define _GNU_SOURCE
#include "later_loops.h"
#include "signing.h"

#include <openssl/pem.h>
#include <pthread.h>
#include <unistd.h>

enum { THREADS = 4, QUEUE = 4096, STORED = 4096 };

typedef struct question {
    tlsmem *c;
    uint64_t token;
    tlsmem_question kind;
    int is_server, scheme, once;
    void *bytes; /* what is to be signed, or found */
    size_t n;
} question;

int asked[9], found, answered, lost, refused_twice;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static question queue[QUEUE];
static int first, count, is_over;
static pthread_t threads[THREADS];

/* What they know: the keys of both sides, who a client is, what the authority says, a common key, and sessions. */
static EVP_PKEY *client_key, *server_key;
static tlsmem_ctx *somebody;
static unsigned char response[4096];
static size_t response_n;
static const tlsmem_ticket_key ticket_key = { sizeof ticket_key, "a key's name", "a key's secret", 0, INT64_MAX, INT64_MAX };
static const char common_key[] = "0123456789abcdef0123456789ABCDEF";
static struct session {
    unsigned char id[32], bytes[2048];
    size_t id_n, n;
} sessions[STORED]; /* under the mutex */
static int stored;

/* ---- those who ask */

static int put(tlsmem *c, uint64_t token, question q, const void *bytes, size_t n)
{
    q.c = c;
    q.token = token;
    MUST((q.bytes = malloc(n + 1)) != NULL);
    if (n > 0)
        memcpy(q.bytes, bytes, n);
    q.n = n;
    __atomic_add_fetch(&asked[q.kind], 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&mutex);
    MUST(count < QUEUE);
    queue[(first + count++) % QUEUE] = q;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&mutex);
    return TLSMEM_LATER;
}

static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    (void)user;
    return put(c, hello->token, (question){ .kind = TLSMEM_QUESTION_CLIENT_HELLO }, NULL, 0);
}

static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    return put(c, verdict->token, (question){ .kind = TLSMEM_QUESTION_VERIFY }, NULL, 0);
}

static int on_ocsp(tlsmem *c, const tlsmem_ocsp_request *request, void *user)
{
    (void)user;
    return put(c, request->token, (question){ .kind = TLSMEM_QUESTION_OCSP }, NULL, 0);
}

static int on_psk(tlsmem *c, const tlsmem_psk_request *request, void *user)
{
    (void)user;
    return put(c, request->token, (question){ .kind = TLSMEM_QUESTION_PSK }, NULL, 0);
}

static int on_signature(tlsmem *c, const tlsmem_sign_request *request, void *user)
{
    question q = { .kind = TLSMEM_QUESTION_SIGN, .is_server = user == &server_key, .scheme = request->scheme };
    return put(c, request->token, q, request->message, request->message_bytes);
}

static int on_certificate(tlsmem *c, const tlsmem_cert_request *request, void *user)
{
    (void)user;
    return put(c, request->token, (question){ .kind = TLSMEM_QUESTION_CLIENT_CERT }, NULL, 0);
}

static int on_find(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)user;
    question q = { .kind = TLSMEM_QUESTION_SESSION, .once = entry->once };
    return put(c, entry->token, q, entry->id, entry->id_length);
}

static int on_ticket_key(tlsmem *c, const tlsmem_ticket_key_request *request, void *user)
{
    (void)user;
    return put(c, request->token, (question){ .kind = TLSMEM_QUESTION_TICKET_KEY }, request->name, sizeof ticket_key.name);
}

static void on_new(tlsmem *c, const tlsmem_session_entry *entry, void *user)
{
    (void)c, (void)user;
    pthread_mutex_lock(&mutex);
    struct session *s = &sessions[stored++ % STORED];
    MUST(entry->id_length <= sizeof s->id && entry->length <= sizeof s->bytes);
    memcpy(s->id, entry->id, s->id_n = entry->id_length);
    memcpy(s->bytes, entry->bytes, s->n = entry->length);
    pthread_mutex_unlock(&mutex);
}

/* ---- those who answer */

/** Each third is gone; one that is good for one visit is taken out. */
static int take_session(const question *q, struct session *to)
{
    static int looked_for;
    int is_there = 0;
    pthread_mutex_lock(&mutex);
    for (struct session *s = sessions; s < sessions + STORED && !is_there; s++)
        if (s->id_n == q->n && memcmp(s->id, q->bytes, q->n) == 0) {
            is_there = 1;
            *to = *s;
            if (q->once)
                memset(s, 0, sizeof *s);
        }
    is_there = is_there && ++looked_for % 3 != 0;
    pthread_mutex_unlock(&mutex);
    return is_there;
}

static void answer(const question *q)
{
    unsigned char signature[512];
    struct session session;
    tlsmem_reply reply = TLSMEM_REPLY_INIT;
    int status = TLSMEM_OK;
    switch (q->kind) {
    case TLSMEM_QUESTION_SIGN:
        reply.length = sign_as(q->is_server ? server_key : client_key, q->scheme, q->bytes, q->n, signature, sizeof signature);
        reply.bytes = signature;
        break;
    case TLSMEM_QUESTION_SESSION:
        if (take_session(q, &session)) {
            reply.bytes = session.bytes;
            reply.length = session.n;
            __atomic_add_fetch(&found, 1, __ATOMIC_RELAXED);
        } else {
            status = TLSMEM_ESESSION;
        }
        break;
    case TLSMEM_QUESTION_TICKET_KEY:
        status = memcmp(q->bytes, ticket_key.name, q->n) == 0 ? TLSMEM_OK : TLSMEM_EINVAL;
        reply.bytes = ticket_key.secret;
        reply.length = sizeof ticket_key.secret;
        __atomic_add_fetch(&found, status == TLSMEM_OK, __ATOMIC_RELAXED);
        break;
    case TLSMEM_QUESTION_OCSP:
        reply.bytes = response;
        reply.length = response_n;
        break;
    case TLSMEM_QUESTION_PSK:
        reply.bytes = common_key;
        reply.length = 32;
        reply.identity = "somebody";
        break;
    case TLSMEM_QUESTION_CLIENT_CERT:
        reply.ctx = somebody;
        break;
    default:
        break;
    }
    __atomic_add_fetch(tlsmem_answer(q->c, q->token, status, &reply) == TLSMEM_OK ? &answered : &lost, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&refused_twice, tlsmem_answer(q->c, q->token, 40, &reply) == TLSMEM_ESTATE, __ATOMIC_RELAXED);
}

static void *answers(void *seed)
{
    seeded random = { (uint64_t)(uintptr_t)seed };
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (count == 0 && !is_over)
            pthread_cond_wait(&more, &mutex);
        if (count == 0) {
            pthread_mutex_unlock(&mutex);
            return NULL;
        }
        question q = queue[first];
        first = (first + 1) % QUEUE;
        count--;
        pthread_mutex_unlock(&mutex);
        if (seeded_next(&random) % 4 == 0)
            usleep((useconds_t)(seeded_next(&random) % 2000));
        answer(&q);
        free(q.bytes);
    }
}

void begin_answers(void)
{
    memset(asked, 0, sizeof asked);
    memset(sessions, 0, sizeof sessions);
    found = answered = lost = refused_twice = is_over = stored = 0;
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, answers, (void *)(uintptr_t)(i + 1)) == 0);
}

void end_answers(void)
{
    pthread_mutex_lock(&mutex);
    is_over = 1;
    pthread_cond_broadcast(&more);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- contexts */

static tlsmem_ctx *of_version(tlsmem_role role, int version)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK && tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    return ctx;
}

/** The library is given the certificate, and the threads the key. */
static void held_elsewhere(tlsmem_ctx *ctx, const char *name, EVP_PKEY **key)
{
    char file[64];
    snprintf(file, sizeof file, "%s.pem", name);
    MUST(tlsmem_ctx_set_sign_cb(ctx, on_signature, key) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_cert_file(ctx, certificate(file)) == TLSMEM_OK);
    snprintf(file, sizeof file, "%s.key", name);
    FILE *pem = fopen(certificate(file), "r");
    MUST(pem != NULL && (*key = PEM_read_PrivateKey(pem, NULL, NULL, NULL)) != NULL);
    fclose(pem);
}

void give_ticket_key(tlsmem_ctx *server_ctx)
{
    MUST(tlsmem_ctx_add_ticket_key(server_ctx, &ticket_key) == TLSMEM_OK);
}

void asking_contexts(int version, acquaintance by, tlsmem_ctx **client_ctx, tlsmem_ctx **server_ctx)
{
    static const tlsmem_session_callbacks callbacks = { sizeof callbacks, on_new, on_find, NULL };
    tlsmem_ctx *(*made)(tlsmem_role, int) = by == BY_TICKET ? context : of_version;
    tlsmem_ctx *from = made(TLSMEM_CLIENT, version), *to = made(TLSMEM_SERVER, version);
    *client_ctx = from;
    *server_ctx = to;
    MUST(tlsmem_ctx_set_client_hello_cb(to, on_hello, NULL) == TLSMEM_OK);
    if (by == BY_TICKET) {
        MUST(tlsmem_ctx_set_ticket_key_cb(to, on_ticket_key, NULL) == TLSMEM_OK);
        return;
    }
    if (by == BY_KEY) {
        MUST(tlsmem_ctx_set_psk_cb(from, on_psk, NULL) == TLSMEM_OK && tlsmem_ctx_set_psk_cb(to, on_psk, NULL) == TLSMEM_OK);
        return;
    }
    for (int i = 0; i < 2; i++) {
        tlsmem_ctx *ctx = i == 0 ? from : to;
        MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_verify(ctx, TLSMEM_VERIFY_REQUIRED) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_verify_cb(ctx, on_verdict, NULL) == TLSMEM_OK);
    }
    MUST(tlsmem_ctx_request_ocsp(from) == TLSMEM_OK && tlsmem_ctx_set_ocsp_cb(to, on_ocsp, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_client_cert_cb(from, on_certificate, NULL) == TLSMEM_OK);
    MUST(tlsmem_ctx_set_session_callbacks(to, &callbacks, NULL) == TLSMEM_OK && tlsmem_ctx_set_tickets(to, 1) == TLSMEM_OK);
    somebody = of_version(TLSMEM_CLIENT, version);
    held_elsewhere(somebody, "client", &client_key);
    held_elsewhere(to, "server", &server_key);
    FILE *file = fopen(certificate("server.good.ocsp"), "rb");
    MUST(file != NULL && (response_n = fread(response, 1, sizeof response, file)) > 0);
    fclose(file);
}

void forget_answers(void)
{
    tlsmem_ctx_free(somebody);
    EVP_PKEY_free(client_key);
    EVP_PKEY_free(server_key);
    somebody = NULL;
    client_key = server_key = NULL;
}

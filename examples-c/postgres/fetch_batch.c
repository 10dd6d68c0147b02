/*
 * fetch_batch.c - the loop: many connections by the fd face, in one of PostgreSQL's wait sets.
 *
 * The set also has the backend's latch, which a signal sets: pg_cancel_backend, statement_timeout, pg_terminate_backend. So
 * each of them is looked at as soon as it comes (CHECK_FOR_INTERRUPTS), whatever the servers do. Should the postmaster be
 * gone, the set ends the process.
 */
#include "fetch.h"
#include <miscadmin.h>
#include <poll.h>
#include <storage/fd.h>
#include <utils/wait_event.h>

/* Nothing is left of it but its answer, or its fault. */
static void finish(struct fetch *f)
{
    connect_end(f);
    if (f->addresses != NULL)
        freeaddrinfo(f->addresses);
    f->addresses = f->next = NULL;
}

static void begin_tls(struct fetch *f)
{
    int status;
    f->c = tlsmem_new(f->batch->ctx, NULL, NULL);
    if (f->c == NULL) {
        fault_set(&f->fault, ERRCODE_OUT_OF_MEMORY, "%s", tlsmem_strerror(TLSMEM_ENOMEM));
        return;
    }
    if (tlsmem_set_server_name(f->c, f->url.host) != TLSMEM_OK) {
        fault_set(&f->fault, ERRCODE_INVALID_PARAMETER_VALUE, "%s is no name of a server", f->url.host);
        return;
    }
    if ((status = tlsmem_set_fd(f->c, f->fd)) == TLSMEM_OK && (status = url_ask(&f->url, f->c)) == TLSMEM_OK)
        status = tlsmem_handshake(f->c);
    if (status != TLSMEM_OK && status != TLSMEM_AGAIN)
        fault_of_connection(&f->fault, f->c, status);
}

/* Takes what has come of the answer. Once it is whole, nothing that the connection ends with matters. Unless that has failed,
   we say goodbye, without waiting for the server's. */
static void take(struct fetch *f)
{
    const void *bytes;
    size_t n;
    int status;
    bool goes_on = true;
    while ((status = tlsmem_read_peek(f->c, &bytes, &n)) == TLSMEM_OK && goes_on && !f->answer.is_complete) {
        goes_on = answer_take(&f->answer, bytes, n);
        tlsmem_read_consume(f->c, n);
    }
    if (status == TLSMEM_CLOSED && !f->answer.is_complete)
        goes_on = answer_end(&f->answer);
    if (f->answer.is_complete || !goes_on)
        tlsmem_close(f->c);
    else if (status != TLSMEM_OK && status != TLSMEM_AGAIN)
        fault_of_connection(&f->fault, f->c, status);
}

static void go_on(struct fetch *f, uint32 ready)
{
    if (f->c == NULL) {
        int why = connect_result(f);
        if (why == 0) {
            begin_tls(f);
            return;
        }
        connect_end(f);
        connect_next(f, why);
        return;
    }
    if (ready & WL_SOCKET_READABLE)
        tlsmem_on_readable(f->c);
    if (ready & WL_SOCKET_WRITEABLE)
        tlsmem_on_writable(f->c);
    take(f);
}

/* Looks whether the time is up, and what to wait for. Returns false when it is over. */
static bool settle(struct fetch *f, int64_t now, int64_t *next)
{
    if (f->c != NULL && f->fault.sqlstate == 0 && !f->answer.is_complete && tlsmem_tick(f->c, now) != TLSMEM_OK)
        take(f);
    if (now >= f->deadline && !f->answer.is_complete)
        fault_set(&f->fault, ERRCODE_CONNECTION_FAILURE, "the answer was not whole after the %lld ms of tlsmem_fetch.timeout",
                  (long long)f->batch->timeout);
    if (f->fault.sqlstate != 0 || f->answer.is_complete) {
        finish(f);
        return false;
    }
    int64_t due = f->c != NULL ? tlsmem_deadline(f->c) : -1;
    *next = Min(*next, due >= 0 ? Min(due, f->deadline) : f->deadline);
    if (f->c != NULL) {
        /* Never neither: nothing is left unread here, and nothing paused. */
        int interest = tlsmem_interest(f->c);
        ModifyWaitEvent(f->batch->set, f->place, (interest & POLLIN ? WL_SOCKET_READABLE : 0)
                        | (interest & POLLOUT ? WL_SOCKET_WRITEABLE : 0), NULL);
    }
    return true;
}

/* Begins what there is room for. */
static void begin_some(struct batch *b)
{
    while (b->begun < b->count && b->live_count < b->live_max) {
        struct fetch *f = &b->fetches[b->begun++];
        CHECK_FOR_INTERRUPTS(); /* a look-up may have taken long */
        *f = (struct fetch) { .batch = b, .text = f->text, .fd = -1, .deadline = tlsmem_now() + b->timeout };
        answer_begin(&f->answer, &f->fault, b->max_body);
        b->live[b->live_count++] = f;
        if (url_parse(f) && connect_look_up(f))
            connect_next(f, 0);
    }
}

void batch_begin(struct batch *b, const char *ca, int at_once)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    limits.handshake_ms = b->handshake_timeout;
    b->ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    if (b->ctx == NULL)
        ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("%s", tlsmem_strerror(TLSMEM_ENOMEM))));
    if ((*ca != '\0' ? tlsmem_ctx_set_ca_file(b->ctx, ca) : tlsmem_ctx_set_ca_system(b->ctx)) != TLSMEM_OK
        || tlsmem_ctx_set_alpn(b->ctx, "http/1.1") != TLSMEM_OK || tlsmem_ctx_set_limits(b->ctx, &limits) != TLSMEM_OK) {
        tlsmem_ctx_error(b->ctx, &error);
        ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("cannot verify servers: %s", error.sentence)));
    }
    b->live_max = Min(at_once, b->count);
    b->live = palloc(sizeof *b->live * (size_t)Max(b->live_max, 1));
    b->set = CreateWaitEventSet(CurrentMemoryContext, 2 + TRIES * b->count);
    AddWaitEventToSet(b->set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
    if (IsUnderPostmaster) /* postgres --single has none */
        AddWaitEventToSet(b->set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
}

void batch_run(struct batch *b)
{
    WaitEvent ready[64];
    for (;;) {
        int64_t now, next = PG_INT64_MAX;
        begin_some(b);
        now = tlsmem_now();
        for (int i = b->live_count; i-- > 0;) /* from the end, because the last one moves down */
            if (!settle(b->live[i], now, &next))
                b->live[i] = b->live[--b->live_count];
        if (b->live_count == 0 && b->begun == b->count)
            return;
        if (b->live_count < b->live_max && b->begun < b->count)
            continue;
        CHECK_FOR_INTERRUPTS();
        int n = WaitEventSetWait(b->set, (long)Max(next - now, 0), ready, lengthof(ready), PG_WAIT_EXTENSION);
        for (int i = 0; i < n; i++) {
            struct fetch *f = ready[i].user_data;
            if (ready[i].events & WL_LATCH_SET)
                ResetLatch(MyLatch);
            else if (f != NULL)
                go_on(f, ready[i].events);
        }
    }
}

void batch_end(struct batch *b)
{
    for (int i = 0; i < b->live_count; i++)
        finish(b->live[i]);
    b->live_count = 0;
    if (b->set != NULL)
        FreeWaitEventSet(b->set);
    b->set = NULL;
    tlsmem_ctx_free(b->ctx);
    b->ctx = NULL;
}

/* connection.c - one connection: who has it, what its callbacks note, and how it ends. */
#include "module.h"
#include <stdlib.h>

enum {
    STALLED_MS = 5000, /* what was written and is still here when nobody waits for it: the peer takes some, or it ends */
    WEIGHT_KB = 64     /* what the garbage collector is to think of a connection, of which it sees a pointer */
};

static void on_established(tlsmem *c, void *user)
{
    struct connection *k = user;
    (void)c;
    k->established = 1;
    if (k->listener != 0) {
        *k->loop->news_end = k;
        k->loop->news_end = &k->next;
    }
    wake(&k->opened);
}

/* Takes one piece, and has the rest wait in the library again: what nobody reads fills that, and then the peer waits. */
static void on_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    struct connection *k = user;
    if (k->closing)
        return;
    if (bytes_add(&k->in, bytes, n) != 0) {
        k->out_of_memory = 1;
        tlsmem_abort(c);
    }
    (void)tlsmem_set_callbacks(c, &waiting_callbacks, k);
    wake(&k->arrived);
}

static void finish_closing(struct connection *k)
{
    if (k->closing && k->out.n == 0)
        tlsmem_close(k->c);
}

static void on_drain(tlsmem *c, void *user)
{
    struct connection *k = user;
    ptrdiff_t taken = 0;
    while (k->out.n > 0 && (taken = tlsmem_write(c, k->out.memory + k->out.start, k->out.n)) > 0)
        bytes_drop(&k->out, (size_t)taken);
    if (taken < 0 && taken != TLSMEM_AGAIN)
        bytes_free(&k->out); /* it has failed: on_close tells */
    finish_closing(k);
    wake(&k->drained);
}

/* Its own, although it only wakes: without one the library would answer with a close, and we may still have to write. */
static void on_eof(tlsmem *c, void *user)
{
    struct connection *k = user;
    (void)c;
    wake(&k->arrived);
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    struct connection *k = user;
    (void)c, (void)report;
    k->ended = 1;
    wake(&k->opened);
    wake(&k->arrived);
    wake(&k->drained);
    if (k->box == NULL && k->closing)
        free_connection(k);
    else if (k->box == NULL && !k->established) {
        *k->loop->news_end = k; /* its handshake has failed */
        k->loop->news_end = &k->next;
    }
}

const tlsmem_callbacks waiting_callbacks = { sizeof(tlsmem_callbacks), on_established, NULL, on_drain, on_eof, on_close };
static const tlsmem_callbacks taking_callbacks = { sizeof(tlsmem_callbacks), on_established, on_data, on_drain, on_eof,
                                                   on_close };

struct connection *new_connection(struct loop *loop, tlsmem_ctx *ctx)
{
    struct connection *k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->loop = loop;
    if (ctx != NULL && (k->c = tlsmem_new(ctx, &waiting_callbacks, k)) == NULL) {
        free(k);
        return NULL;
    }
    return k;
}

struct connection **push_box(lua_State *L, int loop_at)
{
    loop_at = lua_absindex(L, loop_at);
    if (lua_gc(L, LUA_GCISRUNNING))
        lua_gc(L, LUA_GCSTEP, WEIGHT_KB);
    struct connection **box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = NULL;
    luaL_setmetatable(L, CONNECTION);
    lua_pushvalue(L, loop_at);
    lua_setiuservalue(L, -2, 1);
    return box;
}

void free_connection(struct connection *k)
{
    if (k->box != NULL)
        *k->box = NULL;
    else if (k->closing)
        k->loop->closing--;
    wake(&k->opened);
    wake(&k->arrived);
    wake(&k->drained);
    tlsmem_free(k->c);
    bytes_free(&k->in);
    bytes_free(&k->out);
    free(k);
}

void expect_bytes(struct connection *k)
{
    (void)tlsmem_set_callbacks(k->c, &taking_callbacks, k);
}

void begin_close(struct connection *k)
{
    k->closing = 1;
    expect_bytes(k); /* which drops them now: unread, they could keep the peer's close_notify from coming in */
    if (k->out.n > 0)
        (void)tlsmem_set_timeout(k->c, TLSMEM_TIMEOUT_WRITE, STALLED_MS);
    finish_closing(k);
}

/* Closes it for nobody: the loop has it until that is done. */
static void leave_to_loop(struct connection *k)
{
    if (!k->closing)
        begin_close(k);
    if (k->ended || k->loop->l == NULL) {
        free_connection(k);
        return;
    }
    *k->box = NULL;
    k->box = NULL;
    k->loop->closing++;
}

struct connection *check_open(lua_State *L)
{
    struct connection **box = luaL_checkudata(L, 1, CONNECTION);
    if (*box == NULL || (*box)->closing)
        luaL_error(L, "attempt to use a closed connection"); /* as of a file: a mistake, and no failure */
    return *box;
}

struct connection *still_open(lua_State *L)
{
    struct connection *k = *(struct connection **)lua_touserdata(L, 1);
    if (k == NULL || k->closing)
        fail(L, TLSMEM_CLOSED, "the connection was closed by this program");
    return k;
}

int step_close(lua_State *L, struct waits **list)
{
    struct connection *k = *(struct connection **)lua_touserdata(L, 1);
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    if (k == NULL)
        return 0; /* somebody else has closed it */
    int told = k->ended && !k->closing; /* what it ended with was for those who read and wrote */
    if (!told && !k->closing)
        begin_close(k);
    *list = &k->opened;
    if (!k->ended && k->loop->l != NULL)
        return -1;
    (void)tlsmem_report(k->c, &report);
    (void)tlsmem_error(k->c, &error);
    free_connection(k);
    if (told || report.status == TLSMEM_OK)
        return 0;
    error.status = report.status;
    push_failure(L, &error);
    return lua_error(L);
}

/* c:close(): what was written goes out, and in a task it waits for the peer's end; what fails meanwhile is raised. */
static int connection_close(lua_State *L)
{
    struct connection **box = luaL_checkudata(L, 1, CONNECTION);
    if (*box == NULL)
        return 0;
    lua_settop(L, 1);
    if ((*box)->loop->l != NULL && can_wait(L, (*box)->loop))
        return wait_for(L, step_close);
    leave_to_loop(*box);
    return 0;
}

/* c:abort(): at once, and nothing more is sent. */
static int connection_abort(lua_State *L)
{
    struct connection **box = luaL_checkudata(L, 1, CONNECTION);
    if (*box != NULL)
        free_connection(*box);
    return 0;
}

/* A variable with <close>. After an error the peer must not take what it has for the whole: no close_notify. */
static int connection_leave(lua_State *L)
{
    return lua_isnil(L, 2) ? connection_close(L) : connection_abort(L);
}

static int connection_gc(lua_State *L)
{
    struct connection **box = luaL_checkudata(L, 1, CONNECTION);
    if (*box != NULL && (*box)->closing)
        leave_to_loop(*box);
    else if (*box != NULL)
        free_connection(*box);
    return 0;
}

void open_connections(lua_State *L)
{
    static const luaL_Reg metamethods[] = { { "__gc", connection_gc }, { "__close", connection_leave }, { NULL, NULL } };
    static const luaL_Reg functions[] = { { "close", connection_close }, { "abort", connection_abort }, { NULL, NULL } };
    const luaL_Reg *const all[] = { functions, read_functions, write_functions, fact_functions, NULL };
    new_kind(L, CONNECTION, metamethods, all);
}

/* listen.c - loop:listen(ctx, host, port, f, options): f(connection) is a task for each client whose handshake is done. */
#include "module.h"
#include <errno.h>
#include <string.h>

struct listener {
    tlsmem_listener *listener; /* NULL once it was closed */
    struct loop *loop;         /* kept alive by the first user value; the second is the function */
    lua_Integer number;        /* by which the loop keeps it: connections have this, for addresses come again */
};

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    struct listener *l = user;
    struct connection *k = new_connection(l->loop, NULL);
    (void)listener;
    if (k == NULL)
        return -1;
    k->c = accepted->connection;
    k->listener = l->number;
    accepted->callbacks = &waiting_callbacks;
    accepted->user = k;
    return 0;
}

/* What a handler's task does: the handler, and then it closes. An error aborts, as <close> does: see connection.c. */
static int served(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_replace(L, 1);
    return wait_for(L, step_close);
}

static int serve(lua_State *L)
{
    lua_toclose(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 1, 0, 0, served);
    return served(L, LUA_OK, 0);
}

static void take_news(struct loop *loop)
{
    loop->news = loop->news->next;
    if (loop->news == NULL)
        loop->news_end = &loop->news;
}

/* Without memory for all this, the connection is still the loop's, or the box's. */
static void welcome(lua_State *L, struct loop *loop, struct connection *k)
{
    lua_getiuservalue(L, -1, 2);
    struct connection **box = push_box(L, 1);
    take_news(loop);
    k->listener = 0;
    *box = k;
    k->box = box;
    lua_pushcfunction(L, serve);
    lua_insert(L, -3);
    struct task *task = new_task(L, 1, 2);
    task->accepted = 1;
    join(&loop->ready, task);
}

void greet(lua_State *L, struct loop *loop)
{
    for (struct connection *k; (k = loop->news) != NULL; lua_settop(L, 1)) {
        lua_getiuservalue(L, 1, LOOP_KEEPS);
        if (lua_rawgeti(L, -1, k->listener) == LUA_TNIL) { /* nobody listens any more */
            take_news(loop);
            free_connection(k);
        } else if (k->established) {
            welcome(L, loop, k);
        } else {
            tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
            (void)tlsmem_error(k->c, &error);
            take_news(loop);
            free_connection(k);
            push_failure(L, &error);
            lua_pushliteral(L, "in the handshake of a client");
            tell_error(L, 1);
        }
    }
}

/* Has the loop keep the listener at an index, or no more. */
static void keep(lua_State *L, const struct listener *l, int index, int on)
{
    push_loop(L, index);
    lua_getiuservalue(L, -1, LOOP_KEEPS);
    if (on)
        lua_pushvalue(L, index);
    else
        lua_pushnil(L);
    lua_rawseti(L, -2, l->number);
    lua_pop(L, 2);
}

static void read_options(lua_State *L, tlsmem_listen_options *how)
{
    static const char *const names[] = { "max", "reuse_port", "path", NULL };
    check_options(L, 6, names);
    if (lua_getfield(L, 6, "max") != LUA_TNIL) {
        lua_Integer most = luaL_checkinteger(L, -1);
        luaL_argcheck(L, most >= 0 && most <= INT32_MAX, 6, "max: how many connections at once, 0 for no limit");
        how->connections_max = (int)most;
    }
    lua_getfield(L, 6, "reuse_port");
    how->reuse_port = lua_toboolean(L, -1);
    if (lua_getfield(L, 6, "path") != LUA_TNIL)
        how->path = check_text(L, -1); /* stays on the stack until it was copied */
}

/* host nil: every address. port nil or 0: a free one. */
static int loop_listen(lua_State *L)
{
    struct loop *loop = check_loop(L, 1);
    tlsmem_ctx *ctx = check_context(L, 2);
    tlsmem_listen_options how = TLSMEM_LISTEN_OPTIONS_INIT;
    how.host = luaL_opt(L, check_text, 3, NULL);
    lua_Integer port = luaL_optinteger(L, 4, 0);
    luaL_argcheck(L, port >= 0 && port <= 65535, 4, "no port");
    luaL_checktype(L, 5, LUA_TFUNCTION);
    lua_settop(L, 6);
    if (!lua_isnil(L, 6))
        read_options(L, &how);
    struct listener *l = lua_newuserdatauv(L, sizeof *l, 2);
    *l = (struct listener) { NULL, loop, ++loop->number };
    luaL_setmetatable(L, LISTENER);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 5);
    lua_setiuservalue(L, -2, 2);
    how.port = (int)port;
    how.on_accept = on_accept;
    how.user = l;
    keep(L, l, lua_gettop(L), 1);
    int status = tlsmem_loop_listen(loop->l, ctx, &how, &l->listener), code = errno;
    if (status != TLSMEM_OK) {
        keep(L, l, lua_gettop(L), 0);
        return fail(L, status, status == TLSMEM_ESYSTEM ? strerror(code) : NULL);
    }
    loop->listeners++;
    return 1;
}

static struct listener *check_listener(lua_State *L)
{
    struct listener *l = luaL_checkudata(L, 1, LISTENER);
    if (l->listener == NULL || l->loop->l == NULL)
        fail(L, TLSMEM_ESTATE, "the listener was closed");
    return l;
}

/* listener:port(): 0 for a Unix socket. */
static int listener_port(lua_State *L)
{
    lua_pushinteger(L, tlsmem_listener_port(check_listener(L)->listener));
    return 1;
}

/* listener:close(): clients that are in the handshake are refused, the others go on. */
static int listener_close(lua_State *L)
{
    struct listener *l = luaL_checkudata(L, 1, LISTENER);
    if (l->listener == NULL || l->loop->l == NULL)
        return 0;
    tlsmem_listener_free(l->listener);
    l->listener = NULL;
    l->loop->listeners--;
    lua_settop(L, 1);
    keep(L, l, 1, 0);
    return 0;
}

const luaL_Reg listener_functions[] = { { "listen", loop_listen }, { NULL, NULL } };

void open_listeners(lua_State *L)
{
    static const luaL_Reg metamethods[] = { { "__close", listener_close }, { NULL, NULL } };
    static const luaL_Reg functions[] = { { "port", listener_port }, { "close", listener_close }, { NULL, NULL } };
    const luaL_Reg *const all[] = { functions, NULL };
    new_kind(L, LISTENER, metamethods, all);
}

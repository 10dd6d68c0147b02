/* connect.c - loop:connect(ctx, host, port, options): a connection, when its handshake is done. */
#include "module.h"
#include <errno.h>
#include <string.h>

/* The connection has taken the loop's place at index 1, and so is kept while this waits. */
static int step_connect(lua_State *L, struct waits **list)
{
    struct connection *k = *(struct connection **)lua_touserdata(L, 1);
    if (k == NULL)
        return fail(L, TLSMEM_CLOSED, NULL);
    if (k->established) {
        lua_settop(L, 1);
        return 1;
    }
    if (k->ended) {
        tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
        error.status = TLSMEM_EABORTED;
        (void)tlsmem_error(k->c, &error);
        free_connection(k);
        push_failure(L, &error);
        return lua_error(L);
    }
    *list = &k->opened;
    return -1;
}

static void read_options(lua_State *L, struct connection *k, tlsmem_connect_options *how)
{
    static const char *const names[] = { "name", "timeout", "path", NULL };
    check_options(L, 5, names);
    if (lua_getfield(L, 5, "name") != LUA_TNIL) {
        int status = tlsmem_set_server_name(k->c, check_text(L, -1));
        if (status != TLSMEM_OK)
            fail(L, status, "this is no name of a server");
    }
    if (lua_getfield(L, 5, "timeout") != LUA_TNIL) {
        lua_Number ms = luaL_checknumber(L, -1);
        luaL_argcheck(L, ms >= 0 && ms <= UINT32_MAX, 5, "timeout: milliseconds, 0 for none");
        how->connect_ms = (uint32_t)ms;
        (void)tlsmem_set_timeout(k->c, TLSMEM_TIMEOUT_HANDSHAKE, how->connect_ms);
    }
    if (lua_getfield(L, 5, "path") != LUA_TNIL)
        how->path = check_text(L, -1); /* stays on the stack until it was copied */
}

/* host and port may be nil if options has a path. */
static int loop_connect(lua_State *L)
{
    struct loop *loop = check_loop(L, 1);
    tlsmem_ctx *ctx = check_context(L, 2);
    tlsmem_connect_options how = TLSMEM_CONNECT_OPTIONS_INIT;
    how.host = luaL_opt(L, check_text, 3, NULL);
    lua_Integer port = luaL_optinteger(L, 4, 0);
    luaL_argcheck(L, port >= 0 && port <= 65535, 4, "no port");
    if (!can_wait(L, loop))
        return luaL_error(L, "nobody can wait here: only what loop:spawn or loop:listen was given");
    lua_settop(L, 5);
    struct connection **box = push_box(L, 1);
    struct connection *k = new_connection(loop, ctx);
    if (k == NULL)
        return fail(L, TLSMEM_ENOMEM, NULL);
    *box = k;
    k->box = box;
    how.port = (int)port;
    if (!lua_isnil(L, 5))
        read_options(L, k, &how);
    int status = tlsmem_loop_connect(loop->l, k->c, &how), code = errno;
    if (status != TLSMEM_OK) {
        free_connection(k);
        return fail(L, status, status == TLSMEM_ESYSTEM ? strerror(code) : status == TLSMEM_EINVAL
                    ? "connect takes a host that can be one and a port from 1 to 65535, or a path instead of both" : NULL);
    }
    lua_pushvalue(L, 6);
    lua_replace(L, 1);
    return wait_for(L, step_connect);
}

const luaL_Reg connect_functions[] = { { "connect", loop_connect }, { NULL, NULL } };

/* write.c - c:write and c:close_write: a task waits while the peer takes no more. */
#include "module.h"

/* What the library does not take now is kept, behind what is kept already, and on_drain gives it the rest: what one task
 * writes stays in one piece, and the task waits until all of it was taken. */
static void hand_over(lua_State *L, struct connection *k, const char *bytes, size_t n)
{
    while (n > 0 && k->out.n == 0) {
        ptrdiff_t taken = tlsmem_write(k->c, bytes, n);
        if (taken == TLSMEM_AGAIN)
            break;
        if (taken < 0)
            fail_connection(L, k->c, (int)taken);
        bytes += taken;
        n -= (size_t)taken;
    }
    if (bytes_add(&k->out, bytes, n) != 0) {
        (void)tlsmem_abort(k->c); /* half of it may be gone */
        fail(L, TLSMEM_ENOMEM, "no memory for what is to be sent");
    }
}

/* What is to be written is above index 1, until it was handed over. */
static int step_write(lua_State *L, struct waits **list)
{
    struct connection *k = still_open(L);
    *list = &k->drained;
    if (k->ended)
        return fail_connection(L, k->c, TLSMEM_CLOSED);
    if (lua_gettop(L) > 1) {
        for (int i = 2; i <= lua_gettop(L); i++) {
            size_t n;
            const char *bytes = lua_tolstring(L, i, &n);
            hand_over(L, k, bytes, n);
        }
        lua_settop(L, 1);
    }
    return k->out.n > 0 || tlsmem_is_congested(k->c) ? -1 : 1;
}

/* c:write(...): strings and numbers; returns c. */
static int connection_write(lua_State *L)
{
    check_open(L);
    for (int i = 2; i <= lua_gettop(L); i++)
        luaL_checkstring(L, i);
    return wait_for(L, step_write);
}

static int step_close_write(lua_State *L, struct waits **list)
{
    struct connection *k = still_open(L);
    *list = &k->drained;
    if (k->out.n > 0 && !k->ended)
        return -1;
    int status = tlsmem_close_write(k->c);
    if (status != TLSMEM_OK)
        fail_connection(L, k->c, status);
    lua_settop(L, 1);
    return 1;
}

/* c:close_write(): the peer finds the end; reading goes on. */
static int connection_close_write(lua_State *L)
{
    check_open(L);
    lua_settop(L, 1);
    return wait_for(L, step_close_write);
}

const luaL_Reg write_functions[] = { { "write", connection_write }, { "close_write", connection_close_write }, { NULL, NULL } };

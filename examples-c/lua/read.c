/* read.c - c:read and c:lines, in the forms of io's files, and as they do: a task waits until there is enough. */
#include "module.h"
#include <string.h>

enum { PIECE = 65536, LINE_MOST = 65536, ALL_MOST = 64 * 1024 * 1024 };

/* Pushes the first n bytes that wait, less what is left out at their end, and drops them. */
static int deliver(lua_State *L, struct connection *k, size_t n, size_t less)
{
    lua_pushlstring(L, n > 0 ? k->in.memory + k->in.start : "", n - less);
    bytes_drop(&k->in, n);
    k->searched = 0;
    return 1;
}

static int too_much(lua_State *L, const char *what, size_t most)
{
    lua_pushfstring(L, "%s of more than %I bytes came in", what, (LUAI_UACINT)most);
    return fail(L, TLSMEM_ELIMIT, lua_tostring(L, -1));
}

/* Pushes a line if there is a whole one. "\r\n" ends it as "\n" does, as most protocols of the network have it. */
static int take_line(lua_State *L, struct connection *k, int with_end, size_t most)
{
    const char *from = k->in.memory + k->in.start, *end = NULL;
    if (k->in.n > k->searched)
        end = memchr(from + k->searched, '\n', k->in.n - k->searched);
    if (end == NULL)
        k->searched = k->in.n;
    size_t n = end != NULL ? (size_t)(end - from) + 1 : k->in.n;
    if (n > most)
        return too_much(L, "a line", most);
    if (end == NULL)
        return 0;
    return deliver(L, k, n, with_end ? 0 : n > 1 && end[-1] == '\r' ? 2 : 1);
}

/* Pushes what was asked for if all of it is here: the form at index 2, the most of it at index 3. */
static int take(lua_State *L, struct connection *k)
{
    lua_Integer most = lua_tointeger(L, 3);
    if (lua_isinteger(L, 2))
        return k->in.n >= (size_t)most ? deliver(L, k, (size_t)most, 0) : 0;
    switch (*lua_tostring(L, 2)) {
    case 's':
        return k->in.n > 0 ? deliver(L, k, k->in.n < (size_t)most ? k->in.n : (size_t)most, 0) : 0;
    case 'a':
        return k->in.n > (size_t)most ? too_much(L, "a text", (size_t)most) : 0;
    default:
        return take_line(L, k, *lua_tostring(L, 2) == 'L', (size_t)most);
    }
}

/* The peer has closed, and what is here is all: a last line without its end, fewer bytes than were asked for, or nil. */
static int deliver_last(lua_State *L, struct connection *k)
{
    if (k->in.n > 0 || (!lua_isinteger(L, 2) && *lua_tostring(L, 2) == 'a'))
        return deliver(L, k, k->in.n, 0);
    lua_pushnil(L);
    return 1;
}

/* What the connection fails with is raised before anything incomplete is taken: "s" has what came before. */
static int step_read(lua_State *L, struct waits **list)
{
    struct connection *k = still_open(L);
    for (;;) {
        if (take(L, k))
            return 1;
        const void *bytes;
        size_t n;
        int status = tlsmem_read_peek(k->c, &bytes, &n);
        if (status == TLSMEM_CLOSED)
            return deliver_last(L, k);
        if (k->out_of_memory || (status == TLSMEM_OK && bytes_add(&k->in, bytes, n) != 0))
            return fail(L, TLSMEM_ENOMEM, "no memory for what came in");
        if (status == TLSMEM_AGAIN && !k->ended) {
            expect_bytes(k);
            *list = &k->arrived;
            return -1;
        }
        if (status != TLSMEM_OK)
            return fail_connection(L, k->c, status == TLSMEM_AGAIN ? TLSMEM_CLOSED : status);
        (void)tlsmem_read_consume(k->c, n);
    }
}

/* c:read([form [, most]]): "l", the default, "L", "a", "s" for some, or how many bytes. */
static int connection_read(lua_State *L)
{
    check_open(L);
    lua_settop(L, 3);
    if (lua_isnil(L, 2))
        lua_pushliteral(L, "l"), lua_replace(L, 2);
    if (lua_type(L, 2) == LUA_TNUMBER) {
        lua_Integer n = luaL_checkinteger(L, 2);
        luaL_argcheck(L, n > 0 && n <= INT32_MAX, 2, "bytes, 1 or more");
        luaL_argcheck(L, lua_isnil(L, 3), 3, "the number says it already");
        lua_pushinteger(L, n), lua_replace(L, 2);
        lua_pushinteger(L, n), lua_replace(L, 3);
        return wait_for(L, step_read);
    }
    static const char *const forms[] = { "l", "L", "a", "s", NULL };
    int form = luaL_checkoption(L, 2, NULL, forms);
    lua_Integer most = luaL_optinteger(L, 3, form < 2 ? LINE_MOST : form == 2 ? ALL_MOST : PIECE);
    luaL_argcheck(L, most > 0 && most <= INT32_MAX, 3, "bytes, 1 or more");
    lua_pushinteger(L, most), lua_replace(L, 3);
    return wait_for(L, step_read);
}

/* What a loop over lines calls, with the connection, and with the line before, which it has no use for. */
static int next_line(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    return connection_read(L);
}

/* c:lines([form [, most]]): for a loop, what c:read(form, most) returns, until that is nil. */
static int connection_lines(lua_State *L)
{
    check_open(L);
    lua_settop(L, 3);
    lua_pushcclosure(L, next_line, 2);
    lua_insert(L, 1);
    return 2;
}

const luaL_Reg read_functions[] = { { "read", connection_read }, { "lines", connection_lines }, { NULL, NULL } };

/* loop.c - the loop: it waits for events, and resumes the tasks that these have woken. */
#include "module.h"
#include <errno.h>
#include <string.h>

struct loop *check_loop(lua_State *L, int index)
{
    struct loop *loop = luaL_checkudata(L, index, LOOP);
    if (loop->l == NULL)
        fail(L, TLSMEM_ESTATE, "the loop was closed");
    return loop;
}

struct loop *push_loop(lua_State *L, int index)
{
    struct loop *loop = luaL_testudata(L, index, LOOP);
    if (loop != NULL)
        lua_pushvalue(L, index);
    else
        lua_getiuservalue(L, index, 1);
    loop = lua_touserdata(L, -1);
    if (loop->l == NULL)
        fail(L, TLSMEM_ESTATE, "the loop was closed");
    return loop;
}

/*
 * The loop is at index 1. Whatever is raised here, what is left to do stays in its lists for the next turn. As each turn is
 * a call, it is a place for hooks: SIGINT, which ends the wait, sets the interpreter's.
 */
static int one_turn(lua_State *L)
{
    struct loop *loop = lua_touserdata(L, 1);
    int busy = loop->ready.count > 0 || loop->news != NULL;
    int handled = tlsmem_loop_run_once(loop->l, busy ? 0 : -1);
    if (handled < 0)
        return fail(L, handled, handled == TLSMEM_ESYSTEM ? strerror(errno) : NULL);
    greet(L, loop);
    for (size_t n = loop->ready.count; n > 0 && loop->ready.count > 0; n--)
        resume_first(L, loop);
    return 0;
}

void turn(lua_State *L, int index)
{
    struct loop *loop = lua_touserdata(L, index);
    index = lua_absindex(L, index);
    lua_pushcfunction(L, one_turn);
    lua_pushvalue(L, index);
    loop->turning = 1;
    int status = lua_pcall(L, 1, 0, 0);
    loop->turning = 0;
    loop->running = NULL;
    if (status != LUA_OK)
        lua_error(L);
}

void tell_error(lua_State *L, int accepted)
{
    if (lua_getiuservalue(L, 1, LOOP_ON_ERROR) == LUA_TFUNCTION) {
        lua_insert(L, -3);
        lua_call(L, 2, 0);
        return;
    }
    lua_pop(L, 2);
    if (!accepted || !is_failure(L, -1))
        lua_error(L); /* a mistake of the program; nobody who connects can end the loop by what he does */
    lua_pop(L, 1);
}

int new_loop(lua_State *L)
{
    struct loop *loop = lua_newuserdatauv(L, sizeof *loop, 2);
    memset(loop, 0, sizeof *loop);
    loop->news_end = &loop->news;
    luaL_setmetatable(L, LOOP);
    lua_newtable(L);
    lua_setiuservalue(L, -2, LOOP_KEEPS);
    loop->l = tlsmem_loop_new();
    if (loop->l == NULL)
        return fail(L, TLSMEM_ESYSTEM, strerror(errno));
    return 1;
}

static void close_loop(struct loop *loop)
{
    tlsmem_loop *l = loop->l;
    loop->l = NULL;
    tlsmem_loop_free(l); /* aborts connections: on_close frees those that are closing, and the others have owners */
    for (struct connection *k; (k = loop->news) != NULL;) {
        loop->news = k->next;
        free_connection(k);
    }
    loop->news_end = &loop->news;
}

static int loop_gc(lua_State *L)
{
    close_loop(luaL_checkudata(L, 1, LOOP));
    return 0;
}

/* loop:close(): aborts all that is in it. Its tasks are never resumed, but kept, for lists may still have them. */
static int loop_close(lua_State *L)
{
    struct loop *loop = luaL_checkudata(L, 1, LOOP);
    if (loop->turning)
        return luaL_error(L, "the loop is running: loop:stop() first");
    close_loop(loop);
    return 0;
}

/* loop:run(): until there is no task, no listener, and nothing left to close; or until loop:stop(). */
static int loop_run(lua_State *L)
{
    struct loop *loop = check_loop(L, 1);
    if (loop->turning)
        return luaL_error(L, "the loop is running already");
    lua_settop(L, 1);
    while (!loop->stopped && (loop->tasks > 0 || loop->listeners > 0 || loop->closing > 0))
        turn(L, 1);
    loop->stopped = 0;
    return 0;
}

/* loop:stop(): run returns after this turn. */
static int loop_stop(lua_State *L)
{
    check_loop(L, 1)->stopped = 1;
    return 0;
}

/* loop:spawn(f, ...): a task, which begins in the next turn. */
static int loop_spawn(lua_State *L)
{
    struct loop *loop = check_loop(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    join(&loop->ready, new_task(L, 1, lua_gettop(L) - 2));
    return 0;
}

/* loop:on_error(f): f(error, traceback) instead of an error of loop:run(). nil takes it away. */
static int loop_on_error(lua_State *L)
{
    check_loop(L, 1);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_setiuservalue(L, 1, LOOP_ON_ERROR);
    return 0;
}

void open_loop(lua_State *L)
{
    static const luaL_Reg metamethods[] = { { "__gc", loop_gc }, { "__close", loop_close }, { NULL, NULL } };
    static const luaL_Reg functions[] = {
        { "run", loop_run }, { "stop", loop_stop }, { "spawn", loop_spawn }, { "on_error", loop_on_error },
        { "close", loop_close }, { NULL, NULL },
    };
    const luaL_Reg *const all[] = { functions, timer_functions, listener_functions, connect_functions, NULL };
    new_kind(L, LOOP, metamethods, all);
}

/* timer.c - waiting for a while: loop:sleep(ms), and loop:timer(ms, f), a task that begins later. */
#include "module.h"

struct timer {
    tlsmem_timer *timer; /* NULL once it is over */
    int due;             /* because it was time */
    struct loop *loop;   /* kept alive by the first user value */
    struct waits waiting;
};

enum { MOST_MS = 1000000000 }; /* 11 days */

static void on_time(tlsmem_timer *timer, void *user)
{
    struct timer *t = user;
    t->timer = NULL;
    t->due = 1;
    tlsmem_timer_free(timer);
    wake(&t->waiting);
}

/* Pushes a timer that has begun: milliseconds at index 2, the loop at 1. */
static struct timer *push_timer(lua_State *L)
{
    struct loop *loop = check_loop(L, 1);
    lua_Number ms = luaL_checknumber(L, 2);
    luaL_argcheck(L, ms >= 0 && ms <= (lua_Number)MOST_MS, 2, "milliseconds, 0 to 1000000000");
    struct timer *t = lua_newuserdatauv(L, sizeof *t, 1);
    *t = (struct timer) { NULL, 0, loop, { NULL, NULL, 0 } };
    luaL_setmetatable(L, TIMER);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    t->timer = tlsmem_loop_timer(loop->l, (int64_t)ms, on_time, t);
    if (t->timer == NULL)
        fail(L, TLSMEM_ENOMEM, NULL);
    return t;
}

static int step_sleep(lua_State *L, struct waits **list)
{
    struct timer *t = lua_gettop(L) == 2 ? push_timer(L) : lua_touserdata(L, 3);
    *list = &t->waiting;
    if (t->timer == NULL && !t->due)
        return fail(L, TLSMEM_ESTATE, "nobody can sleep while the state is closed");
    return t->due ? 0 : -1;
}

/* loop:sleep(ms) */
static int loop_sleep(lua_State *L)
{
    lua_settop(L, 2);
    return wait_for(L, step_sleep);
}

/* loop:timer(ms, f): the timer, and f(timer) as a task when it is time. */
static int loop_timer(lua_State *L)
{
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    struct timer *t = push_timer(L);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 4); /* on the stack of its task, which keeps it alive */
    join(&t->waiting, new_task(L, 1, 1));
    return 1;
}

/* timer:cancel(): says whether it was in time. */
static int timer_cancel(lua_State *L)
{
    struct timer *t = luaL_checkudata(L, 1, TIMER);
    int in_time = t->timer != NULL && t->loop->l != NULL;
    if (in_time) {
        push_loop(L, 1);
        tlsmem_timer_free(t->timer);
        t->timer = NULL;
        drop_task(L, lua_gettop(L), t->waiting.first);
    }
    lua_pushboolean(L, in_time);
    return 1;
}

/*
 * Who sleeps keeps it alive, unless somebody has closed the coroutine: then the loop has to find it dead. And when the state
 * is closed, everything goes; a finalizer may run the loop still, but no function of a timer begins for that.
 */
static int timer_gc(lua_State *L)
{
    struct timer *t = luaL_checkudata(L, 1, TIMER);
    if (t->timer != NULL && t->loop->l != NULL) { /* else it went with the loop */
        tlsmem_timer_free(t->timer);
        if (t->waiting.first != NULL && t->waiting.first->arguments == 0)
            wake(&t->waiting);
    }
    t->timer = NULL;
    return 0;
}

const luaL_Reg timer_functions[] = { { "sleep", loop_sleep }, { "timer", loop_timer }, { NULL, NULL } };

void open_timers(lua_State *L)
{
    static const luaL_Reg metamethods[] = { { "__gc", timer_gc }, { NULL, NULL } };
    static const luaL_Reg functions[] = { { "cancel", timer_cancel }, { NULL, NULL } };
    const luaL_Reg *const all[] = { functions, NULL };
    new_kind(L, TIMER, metamethods, all);
}

/*
 * task.c - coroutines that wait for what the loop has to tell, and are resumed by it.
 *
 * A task is in one list at most: of those that wait for one thing, or of those that are ready. The loop keeps it alive
 * until its function has returned; what it waits for lives on its stack.
 */
#include "module.h"

void join(struct waits *list, struct task *task)
{
    task->next = NULL;
    task->in = list;
    if (list->first == NULL)
        list->first = task;
    else
        list->last->next = task;
    list->last = task;
    list->count++;
}

static struct task *take(struct waits *list)
{
    struct task *task = list->first;
    if (task != NULL) {
        list->first = task->next;
        list->count--;
        task->in = NULL;
    }
    return task;
}

void wake(struct waits *list)
{
    for (struct task *task; (task = take(list)) != NULL;)
        join(&task->loop->ready, task);
}

struct task *new_task(lua_State *L, int loop_at, int n)
{
    int function = lua_gettop(L) - n;
    struct task *task = lua_newuserdatauv(L, sizeof *task, 1);
    lua_State *co = lua_newthread(L);
    *task = (struct task) { lua_touserdata(L, loop_at), co, NULL, NULL, n, 0 };
    lua_setiuservalue(L, -2, 1);
    lua_insert(L, function);
    luaL_checkstack(co, n + 1, "too many arguments");
    lua_xmove(L, co, n + 1);
    lua_getiuservalue(L, loop_at, LOOP_KEEPS);
    lua_insert(L, function);
    lua_rawsetp(L, function, task);
    lua_settop(L, function - 1);
    task->loop->tasks++;
    return task;
}

/* The loop lets go of it; what is left of it is on the stack now. */
static void release(lua_State *L, int loop_at, struct task *task)
{
    lua_getiuservalue(L, loop_at, LOOP_KEEPS);
    lua_rawgetp(L, -1, task);
    lua_pushnil(L);
    lua_rawsetp(L, -3, task);
    lua_remove(L, -2);
    task->loop->tasks--;
}

void drop_task(lua_State *L, int loop_at, struct task *task)
{
    struct waits others = { NULL, NULL, 0 }, *list = task->in;
    for (struct task *other; (other = take(list)) != NULL;)
        if (other != task)
            join(&others, other);
    while (others.first != NULL)
        join(list, take(&others));
    release(L, loop_at, task);
    lua_pop(L, 1);
}

void resume_first(lua_State *L, struct loop *loop)
{
    struct task *task = take(&loop->ready);
    lua_State *co = task->co;
    int results, arguments = task->arguments;
    task->arguments = 0;
    loop->running = task;
    int status = lua_resume(co, L, arguments, &results);
    loop->running = NULL;
    if (status == LUA_YIELD) {
        lua_pop(co, results);
        if (task->in == NULL) /* a coroutine.yield() of its own: others first */
            join(&loop->ready, task);
        return;
    }
    int accepted = task->accepted;
    release(L, 1, task);
    if (status != LUA_OK) {
        luaL_traceback(L, co, NULL, 0); /* before its variables are closed, which takes the stack down */
        if (lua_status(co) != LUA_OK) /* else somebody has closed it, and there is nothing but the message */
            lua_resetthread(co);
        lua_xmove(co, L, 1);
        lua_insert(L, -2);
        tell_error(L, accepted);
    }
    lua_pop(L, 1);
}

int can_wait(lua_State *L, const struct loop *loop)
{
    if (!loop->turning)
        return 1;
    return loop->running != NULL && loop->running->co == L && lua_isyieldable(L);
}

static int go_on(lua_State *L, int status, lua_KContext next)
{
    struct waits *list;
    int results;
    (void)status;
    while ((results = ((step)next)(L, &list)) < 0) {
        struct loop *loop = push_loop(L, 1);
        if (!can_wait(L, loop))
            return luaL_error(L, "nobody can wait here: only what loop:spawn or loop:listen was given, "
                                 "and not in a coroutine of its own");
        if (loop->turning) {
            lua_pop(L, 1);
            join(list, loop->running);
            return lua_yieldk(L, 0, next, go_on);
        }
        turn(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    return results;
}

int wait_for(lua_State *L, step next)
{
    return go_on(L, LUA_OK, (lua_KContext)next);
}

/*
 * module.h - what the files of the Lua module share.
 *
 * No Lua runs inside of the library's callbacks: they note what has happened, and wake the tasks that wait for it. A
 * task is a coroutine; the loop resumes it after the library's turn is over. So a Lua error, which is a longjmp, never
 * has a frame of the library to jump over, and the garbage collector, which may free a connection at any time, never
 * runs inside of one.
 */
#ifndef MODULE_H
#define MODULE_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <tlsmem.h>

/* The names of the metatables, and what Lua's own messages call these things. */
#define CONTEXT "tlsmem.context"
#define LOOP "tlsmem.loop"
#define TIMER "tlsmem.timer"
#define LISTENER "tlsmem.listener"
#define CONNECTION "tlsmem.connection"
#define FAILURE "tlsmem.error"

/* ------------------------------------------------------------------------------------------------- errors.c */

/** Pushes the error object that says this. */
void push_failure(lua_State *L, const tlsmem_error_info *info);
/** Raises an error object for a status that has no more to say than its own sentence, or this one. */
int fail(lua_State *L, int status, const char *sentence);
/** Raises what a connection has failed with, or, if it has not, this status. */
int fail_connection(lua_State *L, const tlsmem *c, int status);
/** Says whether an error object is there, and no other error. */
int is_failure(lua_State *L, int index);
void open_errors(lua_State *L);

/* -------------------------------------------------------------------------------------------------- bytes.c */

/** Bytes in order, that are added behind and dropped in front. */
struct bytes {
    char *memory;
    size_t start, n, room;
};
/** Adds. Returns 0, or -1 without memory. */
int bytes_add(struct bytes *bytes, const void *from, size_t n);
/** Drops the first n. */
void bytes_drop(struct bytes *bytes, size_t n);
void bytes_free(struct bytes *bytes);

/* --------------------------------------------------------------------------------------------------- task.c */

/** Tasks in the order in which they came: those that wait for one thing, or are ready. */
struct waits {
    struct task *first, *last;
    size_t count;
};
struct loop;
struct task {
    struct loop *loop;
    lua_State *co;
    struct task *next;
    struct waits *in; /* the list that it is in */
    int arguments;    /* for its function, before it has begun */
    int accepted;     /* it is the handler of an accepted connection */
};

/** Makes a task of the function and its n arguments on top of the stack, which it takes; the loop is at an index. The task
 *  is in no list yet. */
struct task *new_task(lua_State *L, int loop_at, int n);
/** Takes a task that has not begun out of its list and the loop. */
void drop_task(lua_State *L, int loop_at, struct task *task);
/** Puts a task at the end of a list. */
void join(struct waits *list, struct task *task);
/** Makes all tasks of a list ready. */
void wake(struct waits *list);
/** Resumes the first of the ready tasks; the loop is at index 1. What it fails with is raised, or told to the handler. */
void resume_first(lua_State *L, struct loop *loop);

/**
 * A part of what a Lua function does. Returns the number of its results; or -1, and where to wait until it is to be called
 * again. The object at index 1 is the loop or belongs to it; the places of the stack keep what is put there.
 */
typedef int (*step)(lua_State *L, struct waits **list);
/** Takes steps until there is a result: in a task it yields meanwhile, and where no loop is running, it runs the loop. */
int wait_for(lua_State *L, step next);
/** Says whether wait_for could wait here. */
int can_wait(lua_State *L, const struct loop *loop);

/* --------------------------------------------------------------------------------------------------- loop.c */

struct connection;
struct loop {
    tlsmem_loop *l; /* NULL once it was closed */
    struct task *running;
    int turning, stopped;
    size_t tasks, listeners;
    size_t closing;     /* connections that nobody has any more, and that are still being closed */
    lua_Integer number; /* of the last listener */
    struct waits ready;
    struct connection *news, **news_end; /* accepted ones whose handshake is over */
};
/* Its user values: tasks by their address and listeners by their number, which it keeps alive; and who is told of errors. */
enum { LOOP_KEEPS = 1, LOOP_ON_ERROR = 2 };

/** Returns the loop at an index; a closed one is an error. */
struct loop *check_loop(lua_State *L, int index);
/** An argument that is a text: not what C would see only the beginning of. */
const char *check_text(lua_State *L, int index);
/** Pushes the loop of what is at an index, which is the loop itself or has it as its first user value. Returns it. */
struct loop *push_loop(lua_State *L, int index);
/** Waits for events and handles them, once; raises the error of a task. The loop is at the index. */
void turn(lua_State *L, int index);
/** Tells the loop at index 1 of an error: error and traceback are on top, and are popped. Without a handler it is raised,
 *  unless it is what a peer did to a connection that was accepted. */
void tell_error(lua_State *L, int accepted);
void open_loop(lua_State *L);

/* -------------------------------------------------------------------------------------------------- module.c */

/** Makes a kind of objects: its functions are those of all these lists, each with an end, up to NULL; its metamethods
 *  are not to be had from Lua, which could call __gc. */
void new_kind(lua_State *L, const char *name, const luaL_Reg *metamethods, const luaL_Reg *const functions[]);

/** Checks that there is a table at an index, and nothing in it by any other name than these, up to NULL: silently left out,
 *  a misspelled option would be a hole. */
void check_options(lua_State *L, int index, const char *const names[]);

/* ---------------------------------------------------------------------------------- the other kinds of things */

extern const luaL_Reg timer_functions[], listener_functions[], connect_functions[];
void open_timers(lua_State *L);
void open_listeners(lua_State *L);
void open_contexts(lua_State *L);
int new_client(lua_State *L);
int new_server(lua_State *L);
int new_loop(lua_State *L);
/** Returns the context at an index. */
tlsmem_ctx *check_context(lua_State *L, int index);

/* --------------------------------------------------------------------------------------------- connection.c */

struct connection {
    tlsmem *c;
    struct loop *loop;
    struct connection **box;       /* the Lua object's pointer to this; NULL while the loop has it */
    struct connection *next;       /* in the loop's news */
    lua_Integer listener;          /* its number, until the handler has the connection; or 0 */
    struct waits opened, arrived, drained; /* who waits for the handshake or the end, for bytes, for room */
    struct bytes in, out;          /* received and not read; written and not taken by the library */
    size_t searched;               /* of the first, where no end of line is */
    int established, ended, closing, out_of_memory;
};

/** Makes one of a context, or, if that is NULL, for a connection that is there. Returns NULL without memory. */
struct connection *new_connection(struct loop *loop, tlsmem_ctx *ctx);
/** The callbacks of a connection whose plaintext waits until it is read. */
extern const tlsmem_callbacks waiting_callbacks;
/** Pushes a new Lua object without connection. */
struct connection **push_box(lua_State *L, int loop_at);
/** Frees it, at any moment; whoever waits for it finds it closed. */
void free_connection(struct connection *k);
/** Begins to close; what still comes is dropped. May end it. */
void begin_close(struct connection *k);
/** Returns the connection at index 1; a closed one is an error. */
struct connection *check_open(lua_State *L);
/** The same for a step: another task may have closed it meanwhile. */
struct connection *still_open(lua_State *L);
/** Has on_data called for what comes next. */
void expect_bytes(struct connection *k);
/** Hands accepted connections to their handlers; the loop is at index 1. */
void greet(lua_State *L, struct loop *loop);
void open_connections(lua_State *L);
/** Closes the connection at index 1, and waits for the end of it. */
int step_close(lua_State *L, struct waits **list);

extern const luaL_Reg read_functions[], write_functions[], fact_functions[];

#endif

/*
 * load.c - what a program pays before its first connection: dlopen and the first call, a context, a connection; and the
 * same with libssl alone, which is most of it.
 *
 *     load [ROUNDS]
 *
 * Loading happens once in a process: every round has two fresh ones, which have neither library linked.
 */
#include "measure.h"
#include <dlfcn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOADED, FIRST_CONTEXT, CONTEXT, FIRST_CONNECTION, CONNECTION, FIGURES };
static const char *const names[FIGURES] = { "dlopen", "first-context", "context", "first-connection", "connection" };

/** The functions of a library that matter here. */
struct library {
    const char *name, *file, *version, *method, *context, *connection;
};
static const struct library libraries[] = {
    { "libtlsmem", "libtlsmem.so.0", "tlsmem_version", NULL, "tlsmem_ctx_new", "tlsmem_new" },
    { "libssl", "libssl.so.3", "OPENSSL_version_major", "TLS_client_method", "SSL_CTX_new", "SSL_new" },
};

static void *function(void *library, const char *name)
{
    void *found = dlsym(library, name);
    require(found != NULL, name);
    return found;
}

static double since(double *begin)
{
    double now = nanoseconds(CLOCK_MONOTONIC), spent = now - *begin;
    *begin = now;
    return spent;
}

/* In a process of its own. A client's context; a connection that nobody drives. */
static void load(const struct library *l, double *ns)
{
    double begin = nanoseconds(CLOCK_MONOTONIC);
    void *library = dlopen(l->file, RTLD_NOW);
    require(library != NULL, dlerror());
    ((unsigned (*)(void))function(library, l->version))();
    ns[LOADED] = since(&begin);
    void *(*method)(void) = l->method != NULL ? (void *(*)(void))function(library, l->method) : NULL;
    void *(*new_method_context)(void *) = (void *(*)(void *))function(library, l->context);
    void *(*new_role_context)(int) = (void *(*)(int))function(library, l->context);
    void *(*new_connection)(void *, void *, void *) = (void *(*)(void *, void *, void *))function(library, l->connection);
    void *context = NULL;
    for (int i = 0; i < 2; i++) {
        since(&begin);
        context = method != NULL ? new_method_context(method()) : new_role_context(1);
        ns[FIRST_CONTEXT + i] = since(&begin);
        require(context != NULL, l->context);
    }
    for (int i = 0; i < 2; i++) {
        since(&begin);
        void *connection = new_connection(context, NULL, NULL);
        ns[FIRST_CONNECTION + i] = since(&begin);
        require(connection != NULL, l->connection);
    }
}

static void load_in_child(const struct library *l, double *ns)
{
    int pipes[2], status;
    require(pipe(pipes) == 0, "pipe");
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        load(l, ns);
        _exit(write(pipes[1], ns, FIGURES * sizeof *ns) != FIGURES * sizeof *ns);
    }
    close(pipes[1]);
    require(read(pipes[0], ns, FIGURES * sizeof *ns) == FIGURES * sizeof *ns, "the child has measured");
    close(pipes[0]);
    require(waitpid(child, &status, 0) == child && status == 0, "the child has ended well");
}

int main(int argc, char **argv)
{
    enum { LIBRARIES = sizeof libraries / sizeof libraries[0] };
    static double ns[LIBRARIES][FIGURES][ROUNDS_MAX];
    int rounds = rounds_wanted(argc, argv);
    for (int round = -1; round < rounds; round++) /* one before, for the files' pages */
        for (int i = 0; i < LIBRARIES; i++) {
            double found[FIGURES];
            load_in_child(&libraries[i], found);
            for (int j = 0; j < FIGURES && round >= 0; j++)
                ns[i][j][round] = found[j] / 1e3;
        }
    for (int j = 0; j < FIGURES; j++)
        for (int i = 0; i < LIBRARIES; i++)
            print_line("us", median(ns[i][j], rounds), "load/%s/%s", names[j], libraries[i].name);
    return 0;
}

/*
 * The system has no memory left for the library's own objects, which Swift allocates: the process is ended at once, by a
 * trap, as the header says. It is never a NULL that is written through, and nothing goes on without what it needed.
 *
 * A child plays a session, as in a program that serves and connects, with the i-th of the library's allocations failing,
 * for every i: those of objects, of arrays, of what is shared with the kernel. Its parent looks what ended it. Where the
 * library has an answer for it, the child may also come to its end with a documented status.
 */
#define _GNU_SOURCE
#include "support.h"
#include "faulty_kernel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { TRAP = SIGILL };
#else
enum { TRAP = SIGTRAP };
#endif

enum { WENT_WELL = 0, WAS_REFUSED = 2 };

static tlsmem_ctx *client_ctx, *server_ctx;
static int refused, ended;

static int took(int status)
{
    refused |= status < TLSMEM_AGAIN;
    return status >= 0;
}

static void on_server_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)user;
    took((int)tlsmem_write(c, bytes, n));
}

static void on_client_data(tlsmem *c, const void *bytes, size_t n, void *user)
{
    (void)bytes, (void)n, (void)user;
    took(tlsmem_close(c));
}

static void on_established(tlsmem *c, void *user)
{
    (void)user;
    took((int)tlsmem_write(c, "hello", 5));
}

static void on_close(tlsmem *c, const tlsmem_report_info *report, void *user)
{
    (void)user;
    took(report->status);
    ended++;
    tlsmem_free(c);
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, NULL, on_server_data, NULL, NULL, on_close };
    (void)listener, (void)user;
    accepted->callbacks = &callbacks;
    return 0;
}

static void on_error(tlsmem_listener *listener, int sys_errno, void *user)
{
    (void)listener, (void)sys_errno, (void)user;
    refused = 1;
}

/** A decision that is taken later needs a stack of its own. */
static int on_verify(tlsmem *c, tlsmem_verdict *verdict, void *user)
{
    (void)user;
    took(tlsmem_answer(c, verdict->token, TLSMEM_OK, NULL));
    return TLSMEM_LATER;
}

static void make_contexts(void)
{
    server_ctx = tlsmem_ctx_new(TLSMEM_SERVER);
    client_ctx = tlsmem_ctx_new(TLSMEM_CLIENT);
    refused |= server_ctx == NULL || client_ctx == NULL;
    took(tlsmem_ctx_set_cert_file(server_ctx, certificate("server.pem")));
    took(tlsmem_ctx_set_key_file(server_ctx, certificate("server.key")));
    took(tlsmem_ctx_set_alpn(server_ctx, "h2"));
    took(tlsmem_ctx_set_ca_file(client_ctx, certificate("ca.pem")));
    took(tlsmem_ctx_set_verify_cb(client_ctx, on_verify, NULL));
    took(tlsmem_ctx_set_alpn(client_ctx, "h2"));
}

static void session(void)
{
    static const tlsmem_callbacks callbacks = { sizeof callbacks, on_established, on_client_data, NULL, NULL, on_close };
    tlsmem_listen_options listen_options = TLSMEM_LISTEN_OPTIONS_INIT;
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    tlsmem_listener *listener = NULL;
    make_contexts();
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem *c = tlsmem_new(client_ctx, &callbacks, NULL);
    listen_options.host = "127.0.0.1";
    listen_options.on_accept = on_accept;
    listen_options.on_error = on_error;
    took(tlsmem_loop_listen(loop, server_ctx, &listen_options, &listener));
    options.host = "localhost";
    options.port = tlsmem_listener_port(listener);
    took(tlsmem_loop_connect(loop, c, &options));
    for (int turns = 0; !refused && ended < 2 && turns < 1000; turns++)
        took(tlsmem_loop_run_once(loop, 1000));
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(client_ctx);
    tlsmem_ctx_free(server_ctx);
}

/** In a child, which leaves no core behind. Returns what waitpid says; the pipe tells how many allocations there were. */
static int played(faulty_call call, long i, int fault, long *count)
{
    int ends[2], status;
    MUST(pipe(ends) == 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        faulty_arm(call, i, fault);
        session();
        long made = faulty_count(call);
        IGNORE(write(ends[1], &made, sizeof made) < 0);
        _exit(refused || ended < 2 || (i > 0 && !faulty_happened()) ? WAS_REFUSED : WENT_WELL);
    }
    close(ends[1]);
    MUST(waitpid(child, &status, 0) == child);
    if (read(ends[0], count, sizeof *count) != sizeof *count)
        *count = 0;
    close(ends[0]);
    return status;
}

/** The process has used up its slots for what belongs to a thread, or has no memory for one: nobody notices. */
static void has_no_slot(void)
{
    static const int faults[] = { EAGAIN, ENOMEM };
    long count;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        situation("pthread_key_create: %s", strerror(faults[i]));
        int status = played(FAULTY_KEY, 1, faults[i], &count);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == WENT_WELL, "the session ended with %#x", status);
        CHECK(count == 1, "it was called %ld times", count);
    }
}

int main(void)
{
    long count = 0, ignored, trapped = 0, refusals = 0;
    begin("starved");
    situation("every allocation succeeds");
    int status = played(FAULTY_SWIFT, 0, 0, &count);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == WENT_WELL, "the session ended with %#x", status);
    CHECK(count > 50, "the library made %ld allocations: they do not come through here", count);
    for (long i = 1; i <= count; i++) {
        situation("allocation %ld of %ld fails", i, count);
        status = played(FAULTY_SWIFT, i, 1, &ignored);
        int is_trap = WIFSIGNALED(status) && WTERMSIG(status) == TRAP;
        int is_refusal = WIFEXITED(status) && (WEXITSTATUS(status) == WAS_REFUSED || WEXITSTATUS(status) == WENT_WELL);
        trapped += is_trap;
        refusals += is_refusal;
        CHECK(is_trap || is_refusal, "the process ended by %s", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "itself");
    }
    printf("starved: of %ld allocations %ld end the process, %ld are refused\n", count, trapped, refusals);
    CHECK(trapped > 50, "%ld ended the process", trapped);
    has_no_slot();
    return finish();
}

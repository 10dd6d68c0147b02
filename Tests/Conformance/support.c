#define _GNU_SOURCE
#include "support.h"

#include <dirent.h>
#include <endian.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

/* ---- checks */

static const char *program_name = "?";
static char now_trying[256];
static long passed, failed;         /* cases */
static long checks, failed_checks;
static long checks_before, failed_before; /* when the case began */
static int every_check_counts;

/** Written with write(2) only: it runs in a signal handler. */
static void too_long(int signal_number)
{
    static const char text[] = ": took too long, while trying: ";
    (void)signal_number;
    IGNORE(write(STDOUT_FILENO, program_name, strlen(program_name)) < 0);
    IGNORE(write(STDOUT_FILENO, text, sizeof text - 1) < 0);
    IGNORE(write(STDOUT_FILENO, now_trying, strlen(now_trying)) < 0);
    IGNORE(write(STDOUT_FILENO, "\n", 1) < 0);
    _exit(1);
}

void begin(const char *program)
{
    program_name = program;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, too_long);
    alarm((unsigned)setting("TLSMEM_TEST_SECONDS", 900));
}

/** Counts the case that ends here, if anything was checked in it. */
static void end_case(void)
{
    if (failed_checks > failed_before)
        failed++;
    else if (checks > checks_before)
        passed++;
    checks_before = checks;
    failed_before = failed_checks;
}

void each_check_is_a_case(int on)
{
    end_case();
    every_check_counts = on;
}

int finish(void)
{
    end_case();
    if (setting("TLSMEM_TEST_EDGE", 0) != 0)
        printf("%s: with edge-triggered loops\n", program_name);
    if (setting("TLSMEM_TEST_MOVES", 0) != 0)
        printf("%s: with connections that move from loop to loop\n", program_name);
    printf("%s: %ld checks, %ld did not hold\n", program_name, checks, failed_checks);
    printf("%s: %ld passed, %ld failed\n", program_name, passed, failed);
    return failed == 0 ? 0 : 1;
}

void situation(const char *format, ...)
{
    va_list arguments;
    end_case();
    va_start(arguments, format);
    vsnprintf(now_trying, sizeof now_trying, format, arguments);
    va_end(arguments);
}

int check_at(const char *file, int line, int good, const char *format, ...)
{
    va_list arguments;
    __atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED); /* threads check, too */
    __atomic_add_fetch(&failed_checks, !good, __ATOMIC_RELAXED);
    if (every_check_counts)
        end_case();
    if (good)
        return 1;
    printf("%s:%d: ", file, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(" [%s]\n", now_trying);
    if (failed_checks >= setting("TLSMEM_TEST_FAILURES", 500)) {
        printf("%s: too many failures, stopping\n", program_name);
        exit(finish());
    }
    return 0;
}

int check_status_at(const char *file, int line, const char *what, long got, long expected)
{
    return check_at(file, line, got == expected, "%s: got %s (%ld), expected %s (%ld)", what,
                    got <= 0 ? tlsmem_status_name((int)got) : "a count", got,
                    expected <= 0 ? tlsmem_status_name((int)expected) : "a count", expected);
}

void must_at(const char *file, int line, int good, const char *what)
{
    if (good)
        return;
    printf("%s:%d: cannot go on: %s [%s]\n", file, line, what, now_trying);
    failed_checks++;
    exit(finish());
}

int open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    MUST(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 3; /* ".", "..", and the folder itself */
}

long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != 0 ? atol(text) : otherwise;
}

int short_run(void)
{
    return setting("TLSMEM_TEST_SHORT", 0) != 0;
}

/* ---- random numbers */

/** Mixes 64 bits so that near inputs give far outputs (the finaliser of splitmix64). */
static uint64_t mixed(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t seeded_next(seeded *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return mixed(random->state);
}

size_t seeded_size(seeded *random, size_t most)
{
    int bits = 1;
    while (bits < 63 && ((size_t)1 << bits) < most)
        bits++;
    size_t ceiling = (size_t)1 << (seeded_next(random) % (unsigned)(bits + 1));
    if (ceiling > most)
        ceiling = most;
    return 1 + seeded_next(random) % ceiling;
}

/* ---- pattern bytes */

static uint64_t pattern_word(uint32_t stream, uint64_t word)
{
    return mixed(word * 0x9e3779b97f4a7c15u + stream + 1);
}

static unsigned char pattern_byte(uint32_t stream, uint64_t position)
{
    return (unsigned char)(pattern_word(stream, position / 8) >> (position % 8 * 8));
}

void pattern_fill(void *bytes, uint32_t stream, uint64_t position, size_t n)
{
    unsigned char *at = bytes;
    while (n > 0 && position % 8 != 0) {
        *at++ = pattern_byte(stream, position++);
        n--;
    }
    for (; n >= 8; n -= 8, at += 8, position += 8) {
        uint64_t word = pattern_word(stream, position / 8);
        word = htole64(word);
        memcpy(at, &word, 8);
    }
    while (n-- > 0)
        *at++ = pattern_byte(stream, position++);
}

size_t pattern_differs(const void *bytes, uint32_t stream, uint64_t position, size_t n)
{
    const unsigned char *at = bytes;
    unsigned char expected[4096];
    size_t done = 0;
    while (done < n) {
        size_t part = n - done < sizeof expected ? n - done : sizeof expected;
        pattern_fill(expected, stream, position + done, part);
        if (memcmp(at + done, expected, part) != 0) {
            size_t same = 0;
            while (at[done + same] == expected[same])
                same++;
            return done + same;
        }
        done += part;
    }
    return n;
}

/* ---- contexts */

const char *certificate(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    const char *certificates = getenv("TLSMEM_TEST_CERTS");
    MUST(certificates != NULL);
    snprintf(path, sizeof paths[0], "%s/%s", certificates, name);
    return path;
}

tlsmem_ctx *context(tlsmem_role role, int version)
{
    tlsmem_ctx *ctx = tlsmem_ctx_new(role);
    MUST(ctx != NULL);
    if (role == TLSMEM_SERVER) {
        MUST(tlsmem_ctx_set_cert_file(ctx, certificate("server.pem")) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_key_file(ctx, certificate("server.key")) == TLSMEM_OK);
    } else {
        MUST(tlsmem_ctx_set_ca_file(ctx, certificate("ca.pem")) == TLSMEM_OK);
    }
    if (version != 0) {
        MUST(tlsmem_ctx_set_min_version(ctx, version) == TLSMEM_OK);
        MUST(tlsmem_ctx_set_max_version(ctx, version) == TLSMEM_OK);
    }
    return ctx;
}

tlsmem_ctx *context_limited(tlsmem_role role, int version, const tlsmem_limits *limits)
{
    tlsmem_ctx *ctx = context(role, version);
    MUST(tlsmem_ctx_set_limits(ctx, limits) == TLSMEM_OK);
    return ctx;
}

tlsmem_loop *new_loop(void)
{
    tlsmem_loop_options options = TLSMEM_LOOP_OPTIONS_INIT;
    options.edge_triggered = setting("TLSMEM_TEST_EDGE", 0) != 0;
    return tlsmem_loop_new_with(&options);
}

tlsmem *connection(tlsmem_ctx *ctx, const tlsmem_callbacks *cb, void *user)
{
    tlsmem *c = tlsmem_new(ctx, cb, user);
    MUST(c != NULL);
    /* A server refuses a name, which is how the two are told apart here. */
    IGNORE(tlsmem_set_server_name(c, "localhost"));
    return c;
}

int failure_of(const tlsmem *c)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    MUST(tlsmem_error(c, &error) == TLSMEM_OK);
    return error.status;
}

tlsmem_state state_of(const tlsmem *c)
{
    return want_of(c).state;
}

tlsmem_want_info want_of(const tlsmem *c)
{
    tlsmem_want_info want = TLSMEM_WANT_INFO_INIT;
    MUST(tlsmem_want(c, &want) == TLSMEM_OK);
    return want;
}

tlsmem_report_info report_of(const tlsmem *c)
{
    tlsmem_report_info report = TLSMEM_REPORT_INFO_INIT;
    MUST(tlsmem_report(c, &report) == TLSMEM_OK);
    return report;
}

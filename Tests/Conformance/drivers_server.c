/* drivers_server.c - an echo server as a process: started, listened to, measured and ended; see drivers.h. */
#define _GNU_SOURCE
#include "drivers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

/* Reads what the server has said from an offset on; returns its length. */
static size_t read_said(const server *s, off_t from, char *text, size_t room)
{
    ssize_t n = pread(s->said, text, room - 1, from);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

int server_start(server *s, const char *path, int descriptors)
{
    const char *slash = strrchr(path, '/');
    char name[] = "/tmp/drivers-XXXXXX", text[1024];
    s->path = path;
    s->name = slash != NULL ? slash + 1 : path;
    s->said = mkostemp(name, O_APPEND | O_CLOEXEC);
    MUST(s->said >= 0);
    unlink(name);
    s->pid = fork();
    MUST(s->pid >= 0);
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a case that fails ends without a word to it */
        struct rlimit limit = { (rlim_t)descriptors, (rlim_t)descriptors };
        dup2(s->said, 1);
        dup2(s->said, 2);
        if (descriptors != 0)
            setrlimit(RLIMIT_NOFILE, &limit);
        execl(path, path, "--host", "127.0.0.1", "--port", "0", "--cert", certificate("server.pem"), "--key",
              certificate("server.key"), "--stats", "--verbose", (char *)NULL);
        _exit(127);
    }
    for (int waited = 0; waited < LIMIT_MS && waitpid(s->pid, NULL, WNOHANG) == 0; waited += 5) {
        read_said(s, 0, text, sizeof text);
        if (strchr(text, '\n') != NULL && sscanf(text, "listening on 127.0.0.1:%d\n", &s->port) == 1)
            return 1;
        pause_ms(5);
    }
    read_said(s, 0, text, sizeof text);
    printf("%s does not listen: %s\n", path, text);
    return 0;
}

int server_end(server *s)
{
    int status, code = -1;
    kill(s->pid, SIGTERM);
    for (int waited = 0; waited < LIMIT_MS / 4; waited += 5) {
        if (waitpid(s->pid, &status, WNOHANG) != 0) {
            code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            close(s->said);
            return code;
        }
        pause_ms(5);
    }
    kill(s->pid, SIGKILL);
    waitpid(s->pid, &status, 0);
    close(s->said);
    return code;
}

off_t server_mark(const server *s)
{
    off_t length = lseek(s->said, 0, SEEK_END);
    MUST(length >= 0);
    return length;
}

int server_says(const server *s, off_t mark, const char *expected)
{
    static char text[1 << 20];
    for (int waited = 0; waited < LIMIT_MS; waited += 5) {
        read_said(s, mark, text, sizeof text);
        if (strstr(text, expected) != NULL)
            return 1;
        pause_ms(5);
    }
    printf("%s says no \"%s\", but: %s\n", s->name, expected, text);
    return 0;
}

static uint64_t number_after(const server *s, const char *file, const char *label)
{
    char path[64], text[4096] = "", *at;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)s->pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    at = strstr(text, label);
    MUST(at != NULL);
    return strtoull(at + strlen(label), NULL, 10);
}

usage server_usage(const server *s)
{
    return (usage) { number_after(s, "schedstat", ""), number_after(s, "status", "\nvoluntary_ctxt_switches:") };
}

size_t server_memory(const server *s)
{
    return number_after(s, "status", "\nVmRSS:") * 1024;
}

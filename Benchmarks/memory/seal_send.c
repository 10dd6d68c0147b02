/*
 * seal_send.c - the limit for downloads: records sealed by EVP, 64 KiB of plaintext at a time, and sent over the loopback
 * to a process on another core, which reads and drops them.
 *
 *     seal_send [ROUNDS]
 */
#include "measure.h"
#include "seal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 4, PLAINTEXT = RECORDS * RECORD_PLAINTEXT, ROUND_BYTES = 512 << 20, READ_BYTES = 4 << 20 };

/* Keeps this process on the index-th of the processors that it may use, the last for more than there are. */
static void stay_on(int index)
{
    cpu_set_t all, one;
    CPU_ZERO(&one);
    sched_getaffinity(0, sizeof all, &all);
    for (int cpu = 0; cpu < CPU_SETSIZE && index >= 0; cpu++)
        if (CPU_ISSET(cpu, &all)) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            index--;
        }
    sched_setaffinity(0, sizeof one, &one);
}

/* As the client of the downloads: the kernel drops what came, and nobody sleeps whom the sender would have to wake. */
static void read_and_drop(int listener)
{
    int fd = accept(listener, NULL, NULL);
    ssize_t n;
    stay_on(1);
    do
        n = recv(fd, NULL, READ_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    while (n > 0 || (n < 0 && errno == EAGAIN));
    _exit(0);
}

/* Returns a socket of which the other end is read by the process that it starts. */
static int connect_to_reader(pid_t *reader)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    require(bind(listener, (struct sockaddr *)&at, n) == 0 && listen(listener, 1) == 0
                && getsockname(listener, (struct sockaddr *)&at, &n) == 0,
            "listening");
    *reader = fork();
    require(*reader >= 0, "fork");
    if (*reader == 0) {
        close(fd);
        read_and_drop(listener);
    }
    require(connect(fd, (struct sockaddr *)&at, n) == 0, "connecting");
    close(listener);
    return fd;
}

static void seal_and_send(struct seal *s, int fd, size_t bytes)
{
    static unsigned char text[PLAINTEXT], wire[RECORDS * (RECORD_PLAINTEXT + RECORD_OVERHEAD)];
    for (size_t done = 0; done < bytes; done += PLAINTEXT) {
        size_t made = 0, sent = 0;
        for (int i = 0; i < RECORDS; i++)
            made += seal_record(s, text + (size_t)i * RECORD_PLAINTEXT, RECORD_PLAINTEXT, wire + made);
        while (sent < made) {
            ssize_t took = send(fd, wire + sent, made - sent, MSG_NOSIGNAL);
            require(took > 0, "send");
            sent += (size_t)took;
        }
    }
}

int main(int argc, char **argv)
{
    static struct seal seal;
    double elapsed[ROUNDS_MAX], cpu[ROUNDS_MAX];
    int rounds = rounds_wanted(argc, argv);
    pid_t reader;
    seal_make(&seal);
    int fd = connect_to_reader(&reader);
    stay_on(0);
    seal_and_send(&seal, fd, ROUND_BYTES / 4);
    for (int i = 0; i < rounds; i++) {
        double begin = nanoseconds(CLOCK_MONOTONIC), begin_cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
        seal_and_send(&seal, fd, ROUND_BYTES);
        elapsed[i] = ROUND_BYTES / (nanoseconds(CLOCK_MONOTONIC) - begin);
        cpu[i] = ROUND_BYTES / (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu);
    }
    close(fd);
    waitpid(reader, NULL, 0);
    print_line("GB/s", median(elapsed, rounds), "seal_send/65536");
    print_line("GB/cpu-s", median(cpu, rounds), "seal_send/65536/sender");
    return 0;
}

#define _GNU_SOURCE
#include "unwraps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

end *subject, *peer;

enum { PLAIN = 7 }; /* the pattern of the plain bytes */

static unsigned char flight[1 << 20]; /* on its way to the subject */
static size_t flying;
static uint64_t loaded;               /* plain bytes, ever */

void unwrap_open(const setting_up *how)
{
    scene s = { how->name, how->version, FACE_BUFFERS, FACE_BUFFERS, how->limits };
    *(how->is_server ? &s.server_face : &s.client_face) = how->face;
    subject = how->is_server ? &server : &client;
    peer = how->is_server ? &client : &server;
    flying = loaded = 0;
    (how->unbegun ? pair_open : pair_establish)(&s);
}

void unwrap_close(void)
{
    pair_close();
}

void load(size_t n)
{
    ptrdiff_t taken;
    while ((taken = end_take(peer, flight + flying, sizeof flight - flying)) > 0)
        flying += (size_t)taken;
    MUST(n <= sizeof flight - flying);
    pattern_fill(flight + flying, PLAIN, loaded, n);
    flying += n;
    loaded += n;
}

static ptrdiff_t offer(const void *bytes, size_t n)
{
    if (subject->face == FACE_BUFFERS)
        return subject->freed ? -1 : tlsmem_feed(subject->c, bytes, n);
    return send(subject->outer, bytes, n, MSG_NOSIGNAL);
}

void give(size_t most)
{
    size_t given = 0;
    while (given < flying) {
        ptrdiff_t taken = offer(flight + given, flying - given < most ? flying - given : most);
        if (taken > 0)
            given += (size_t)taken;
        uint64_t before = subject->activity;
        end_drive(subject);
        if (taken <= 0 && subject->activity == before)
            break;
    }
    memmove(flight, flight + given, flying - given);
    flying -= given;
}

void hear(void)
{
    static unsigned char bytes[300000];
    ptrdiff_t taken;
    end_drive(subject);
    while ((taken = end_take(subject, bytes, sizeof bytes)) > 0) {
        end_give(peer, bytes, (size_t)taken);
        end_drive(subject);
    }
}

void carry(void)
{
    for (int idle = 0; idle < 4; idle++) {
        uint64_t before = subject->activity + peer->activity;
        hear();
        load(0);
        give(sizeof flight);
        if (subject->activity + peer->activity != before)
            idle = 0;
    }
}

void expect_unwrapped(void)
{
    char byte;
    CHECK_ENDED(*subject, TLSMEM_OK);
    CHECK(subject->report.close_notify_sent && subject->report.close_notify_received, "a close_notify is missing");
    if (subject->face == FACE_BUFFERS)
        return;
    CHECK(fcntl(subject->fd, F_GETFD) >= 0, "its socket was closed");
    CHECK(recv(subject->outer, &byte, 1, MSG_PEEK) == -1 && errno == EAGAIN, "it has sent FIN, or something else");
    CHECK(tlsmem_interest(subject->c) == 0, "it still wants something");
}

void expect_plain(size_t n)
{
    static unsigned char bytes[1 << 20];
    size_t got = 0;
    ptrdiff_t taken = 0;
    for (size_t most = 1; (taken = tlsmem_unwrapped(subject->c, bytes + got, most)) > 0; most = 100000)
        got += (size_t)taken;
    CHECK(taken == 0, "tlsmem_unwrapped says %s", tlsmem_status_name((int)taken));
    CHECK_STATUS(tlsmem_unwrapped(subject->c, NULL, 0), 0);
    if (subject->face == FACE_BUFFERS) {
        memcpy(bytes + got, flight, flying);
        got += flying;
        flying = 0;
    } else {
        do {
            while ((taken = recv(subject->fd, bytes + got, sizeof bytes - got, 0)) > 0)
                got += (size_t)taken;
            taken = send(subject->outer, flight, flying, MSG_NOSIGNAL);
            memmove(flight, flight + (taken > 0 ? taken : 0), flying - (taken > 0 ? (size_t)taken : 0));
            flying -= taken > 0 ? (size_t)taken : 0;
        } while (taken > 0);
    }
    CHECK(got == n, "%zu plain bytes of %zu", got, n);
    CHECK(pattern_differs(bytes, PLAIN, loaded - n, got) == got, "they are other ones");
}

void expect_fd_of_use(void)
{
    char byte = 0;
    if (subject->face == FACE_BUFFERS) {
        CHECK_STATUS(tlsmem_take_fd(subject->c), -1);
        return;
    }
    CHECK_STATUS(tlsmem_take_fd(subject->c), subject->fd);
    CHECK_STATUS(tlsmem_take_fd(subject->c), -1);
    CHECK(send(subject->fd, "a", 1, MSG_NOSIGNAL) == 1 && recv(subject->outer, &byte, 1, 0) == 1 && byte == 'a', "out: %s",
          strerror(errno));
    CHECK(send(subject->outer, "b", 1, MSG_NOSIGNAL) == 1 && recv(subject->fd, &byte, 1, 0) == 1 && byte == 'b', "in: %s",
          strerror(errno));
}

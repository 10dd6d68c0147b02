/*
 * fetch_connect.c - a connected socket for a fetch: addresses, and a connect that does not wait.
 *
 * tlsmem_loop_connect would do it all, but asks the resolver in a thread, and a backend has none but its own. So the look-up
 * blocks here, as it does wherever a backend uses libpq (dblink, postgres_fdw). Nobody is asked about an address.
 */
#include "fetch.h"
#include <fcntl.h>
#include <storage/fd.h>
#include <sys/socket.h>
#include <unistd.h>

bool connect_look_up(struct fetch *f)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    int failed = getaddrinfo(f->url.host, f->url.port, &hints, &f->addresses);
    if (failed != 0) {
        f->addresses = NULL;
        return fault_set(&f->fault, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "%s has no address: %s",
                         f->url.host, failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
    }
    f->next = f->addresses;
    return true;
}

/* Returns 0 with f->fd connecting, or the errno. */
static int try(struct fetch *f, const struct addrinfo *to)
{
    if (!AcquireExternalFD()) /* the backend keeps count of all its descriptors */
        return errno;
    f->fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
    if (f->fd < 0) {
        int why = errno;
        ReleaseExternalFD();
        return why;
    }
    if (connect(f->fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS)
        return 0;
    int why = errno;
    connect_end(f);
    return why;
}

bool connect_next(struct fetch *f, int why)
{
    while (f->next != NULL && f->tries < TRIES) {
        why = try(f, f->next);
        f->next = f->next->ai_next;
        if (why == 0) {
            f->tries++;
            f->place = AddWaitEventToSet(f->batch->set, WL_SOCKET_CONNECTED, f->fd, NULL, f);
            return true;
        }
    }
    bool ran_out = why == EMFILE || why == ENFILE;
    return fault_set(&f->fault, ran_out ? ERRCODE_INSUFFICIENT_RESOURCES : ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
                     "cannot connect: %s", strerror(why));
}

int connect_result(const struct fetch *f)
{
    int error = 0;
    socklen_t n = sizeof error;
    return getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

void connect_end(struct fetch *f)
{
    tlsmem_free(f->c);
    f->c = NULL;
    if (f->fd < 0)
        return;
    close(f->fd); /* which takes it out of the wait set, too (epoll(7), question 6) */
    f->fd = -1;
    ReleaseExternalFD();
}

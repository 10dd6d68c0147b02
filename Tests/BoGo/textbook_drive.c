/* textbook_drive.c - bytes between the socket and two memory BIOs. */
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "socket.h"
#include "textbook.h"

/* With -async bytes go one by one, both ways. */
static size_t at_most(const struct tls *tls, size_t n)
{
    return tls->flags->async && n > 1 ? 1 : n;
}

bool textbook_flush(struct tls *tls)
{
    unsigned char bytes[16384];
    int n;
    while ((n = BIO_read(tls->out, bytes, sizeof bytes)) > 0)
        for (size_t done = 0; done < (size_t)n;) {
            ssize_t sent = send(tls->fd, bytes + done, at_most(tls, (size_t)n - done), MSG_NOSIGNAL);
            if (sent > 0)
                done += (size_t)sent;
            else if ((errno != EAGAIN && errno != EINTR) || socket_wait(tls->fd, POLLOUT, PATIENCE_MS) == 0)
                return false;
        }
    return true;
}

/* Receives once. Returns whether anything came, the end of file included. */
static bool receive(struct tls *tls)
{
    unsigned char bytes[16384];
    if (tls->gone || socket_wait(tls->fd, POLLIN, PATIENCE_MS) == 0)
        return false;
    ssize_t n = recv(tls->fd, bytes, at_most(tls, sizeof bytes), 0);
    if (n > 0)
        return BIO_write(tls->in, bytes, (int)n) == n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    tls->gone = true;
    BIO_set_mem_eof_return(tls->in, 0);
    return true;
}

bool textbook_again(struct tls *tls, int result)
{
    int error = SSL_get_error(tls->ssl, result);
    bool sent = textbook_flush(tls);
    if (error == SSL_ERROR_WANT_READ)
        return sent && receive(tls);
    if (error == SSL_ERROR_WANT_WRITE)
        return sent;
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_ZERO_RETURN)
        tls->failed = true;
    return false;
}

/* exchange.c - what the runner has a shim do, over whichever TLS library. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "flags.h"
#include "socket.h"
#include "tls.h"

enum { READ_BYTES = 512, RECORDS_MOST = 32769 };

static bool said(bool truth, const char *what)
{
    if (!truth)
        fprintf(stderr, "could not %s\n", what);
    return truth;
}

/* Over what was just made known to both sides, so that the runner compares. */
static bool write_what_is_exported(struct tls *tls, const struct flags *flags)
{
    unsigned char bytes[4096];
    size_t n = (size_t)flags->export_keying_material;
    if (n > sizeof bytes)
        unimplemented("so much keying material");
    if (n > 0 && !said(tls_export(tls, flags->export_label, flags->use_export_context ? flags->export_context : NULL, bytes, n) &&
                       tls_write(tls, bytes, n), "export keying material"))
        return false;
    if (!flags->tls_unique)
        return true;
    ptrdiff_t unique = tls_unique(tls, bytes, sizeof bytes);
    return said(unique == 12 && tls_write(tls, bytes, (size_t)unique), "make tls-unique");
}

static bool write_different_sizes(struct tls *tls)
{
    static unsigned char bytes[RECORDS_MOST];
    static const size_t sizes[] = { 0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, RECORDS_MOST };
    memset(bytes, 0x42, sizeof bytes);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (!tls_write(tls, bytes, sizes[i]))
            return false;
    return true;
}

static bool exports_between_reads(struct tls *tls, const struct flags *flags)
{
    unsigned char byte;
    return !flags->use_exporter_between_reads || said(tls_export(tls, "EXPERIMENTAL", NULL, &byte, 1), "export");
}

/* What can be peeked at has to be there, and the same, when it is read. */
static ptrdiff_t read_some(struct tls *tls, const struct flags *flags, unsigned char *bytes, size_t n)
{
    if (!flags->peek_then_read)
        return tls_read(tls, bytes, n);
    unsigned char *shown = malloc(n);
    ptrdiff_t there = shown == NULL ? -1 : tls_peek(tls, shown, n), got = there;
    if (there > 0) {
        got = tls_read(tls, bytes, (size_t)there);
        if (!said(got == there && memcmp(bytes, shown, (size_t)got) == 0, "read what was shown"))
            got = -1;
    }
    free(shown);
    return got;
}

/* Sends back each byte that comes, inverted, until no more come. */
static bool echo(struct tls *tls, const struct flags *flags)
{
    size_t most = flags->read_size > 0 ? (size_t)flags->read_size : READ_BYTES;
    unsigned char *bytes = malloc(most);
    ptrdiff_t n = -1;
    bool sent = bytes != NULL;
    while (sent && (n = read_some(tls, flags, bytes, most)) > 0 && exports_between_reads(tls, flags)) {
        for (ptrdiff_t i = 0; i < n; i++)
            bytes[i] ^= 0xff;
        sent = (!flags->key_update || tls_key_update(tls)) && tls_write(tls, bytes, (size_t)n);
    }
    free(bytes);
    return n == 0;
}

static bool exchange(struct tls *tls, const struct flags *flags, bool is_resumption)
{
    bool early = is_resumption && !flags->server && flags->enable_early_data && flags->shim_writes_first;
    if (early && !tls_write(tls, "hello", 5))
        return false;
    if (!flags->implicit_handshake && !(tls_handshake(tls) && facts_hold(tls, flags, is_resumption)))
        return false;
    if (flags->no_op_extra_handshake && !said(tls_handshake(tls), "shake hands twice"))
        return false;
    if (!write_what_is_exported(tls, flags))
        return false;
    if (flags->write_different_record_sizes) {
        if (!write_different_sizes(tls))
            return false;
    } else {
        if (flags->shim_writes_first && !early && !tls_write(tls, "hello", 5))
            return false;
        if (!flags->shim_shuts_down && !echo(tls, flags))
            return false;
    }
    /* Without that flag the runner expects no close_notify, but the end of file. */
    if (flags->check_close_notify && !said(tls_close(tls), "close"))
        return false;
    return facts_hold_at_the_end(tls, flags);
}

/* One connection. Returns it, for its session; or NULL when it has failed. */
static struct tls *connection(struct context *context, const struct flags *flags, struct tls *before)
{
    int fd = socket_connect(flags->port);
    if (fd < 0) {
        perror("connect");
        return NULL;
    }
    struct tls *tls = tls_new(context, flags, fd, before);
    bool good = tls != NULL && exchange(tls, flags, before != NULL);
    if (tls != NULL)
        tls_end(tls, good);
    socket_finish(fd);
    if (tls != NULL && !good)
        tls_free(tls);
    return good ? tls : NULL;
}

int main(int argc, char **argv)
{
    struct flags first, resumed;
    signal(SIGPIPE, SIG_IGN);
    flags_parse(argc, argv, &first, &resumed);
    struct context *context = context_new(&first, NULL);
    struct tls *tls = connection(context, &first, NULL);
    if (first.resume_count > 0 && !flags_share_context(&first, &resumed))
        context = context_new(&resumed, context);
    for (int i = 0; tls != NULL && i < first.resume_count; i++) {
        if (!first.server && !said(tls_has_session(tls), "find a session"))
            return 1;
        struct tls *next = connection(context, &resumed, tls);
        tls_free(tls);
        tls = next;
    }
    return tls != NULL ? 0 : 1; /* what is left goes with the process */
}

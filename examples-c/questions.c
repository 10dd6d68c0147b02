/*
 * questions.c - the functions that a context calls to ask; see questions.h.
 *
 * The password's is called inside the setter that loads the key. The others are called while a handshake stands still, and
 * may do anything with any object, as in any callback.
 */
#include "questions.h"
#include "facts.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { UNRECOGNIZED_NAME = 112, PATH_ROOM = 4096 }; /* the alert of RFC 6066, 3 */

/* Reads it anew for each key, into memory that the library wipes: it is kept nowhere. The first line of the file counts. */
static ptrdiff_t read_password(char *password, size_t size, const char *subject, void *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, password, size) : -1;
    (void)subject;
    if (n < 0)
        say("--password-file: %s: %s", (const char *)path, strerror(errno));
    if (fd >= 0)
        close(fd);
    const char *end = n > 0 ? memchr(password, '\n', (size_t)n) : NULL;
    return end != NULL ? end - password : n;
}

int ask_password_file(tlsmem_ctx *ctx, const char *path)
{
    return tlsmem_ctx_set_password_cb(ctx, read_password, (void *)(size_t)path);
}

/* The path of a site's file, in lower case. Returns 0 when there is none that can be read, or the name could lead elsewhere. */
static int find_file(char path[PATH_ROOM], const char *folder, const char *name, const char *suffix)
{
    int start = snprintf(path, PATH_ROOM, "%s/", folder);
    int n = snprintf(path, PATH_ROOM, "%s/%s%s", folder, name, suffix);
    if (n < 0 || n >= PATH_ROOM || *name == '.')
        return 0;
    for (char *at = path + start; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
        if (!isalnum((unsigned char)*at) && strchr("-_.", *at) == NULL)
            return 0;
    }
    return access(path, R_OK) == 0;
}

/* The files are read anew for each client, so a certificate that was renewed counts at once. A server with many clients would
   keep the contexts. */
static int on_hello(tlsmem *c, const tlsmem_client_hello *hello, void *user)
{
    struct options site = *(const struct options *)user;
    char cert[PATH_ROOM], key[PATH_ROOM];
    if (hello->server_name == NULL)
        return TLSMEM_OK;
    if (!find_file(cert, site.sites, hello->server_name, ".pem") || !find_file(key, site.sites, hello->server_name, ".key"))
        return UNRECOGNIZED_NAME;
    site.sites = NULL; /* it asks no more */
    site.cert = cert;
    site.key = key;
    tlsmem_ctx *ctx = new_context(TLSMEM_SERVER, &site);
    int status = ctx != NULL ? tlsmem_set_ctx(c, ctx) : TLSMEM_ENOIDENTITY;
    tlsmem_ctx_free(ctx); /* the connection keeps it */
    return status == TLSMEM_OK ? TLSMEM_OK : UNRECOGNIZED_NAME;
}

int ask_for_site(tlsmem_ctx *ctx, const struct options *o)
{
    return tlsmem_ctx_set_client_hello_cb(ctx, on_hello, (void *)(size_t)o);
}

/* `accepted` is the result that is taken; NULL for none. */
static int on_verdict(tlsmem *c, tlsmem_verdict *verdict, void *accepted)
{
    fprintf(stderr, "verdict: %ld at %d\n", verdict->result, verdict->depth);
    show_certificates(c);
    verdict->insecure_accept = verdict->result != 0 && verdict->result == (long)(size_t)accepted;
    return TLSMEM_OK; /* what it was: a bad one stays bad, unless it was accepted */
}

int show_verdicts(tlsmem_ctx *ctx, int on)
{
    (void)on;
    return tlsmem_ctx_set_verify_cb(ctx, on_verdict, NULL);
}

int accept_verdict(tlsmem_ctx *ctx, int result)
{
    return tlsmem_ctx_set_verify_cb(ctx, on_verdict, (void *)(size_t)result);
}

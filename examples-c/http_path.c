/* http_path.c - what a request's target means, and how its file is opened without a way out of the root. */
#include "http.h"
#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int decode_path(const char *target, struct bytes *path)
{
    const char *at = target, *end = at + strcspn(at, "?#");
    struct http_parser_url url;
    http_parser_url_init(&url);
    if (*at != '/') { /* "http://host/path" is allowed, too */
        if (strlen(target) > UINT16_MAX || http_parser_parse_url(target, strlen(target), 0, &url) != 0
            || !(url.field_set & 1 << UF_HOST))
            return 0;
        at = url.field_set & 1 << UF_PATH ? target + url.field_data[UF_PATH].off : "";
        end = at + (url.field_set & 1 << UF_PATH ? url.field_data[UF_PATH].len : 0);
    }
    int good = 1;
    for (char c; good && at < end; at++) {
        c = *at;
        if (c == '%') {
            int high = digit(at[1]), low = high < 0 ? -1 : digit(at[2]);
            c = low < 0 ? '\0' : (char)(high << 4 | low);
            at += 2;
        }
        good = c != '\0' && at < end;
        if (good && !(c == '/' && path->n == 0)) /* names below the root */
            keep(path, &c, 1);
    }
    keep(path, "", 1);
    if (!good)
        drop(path, path->n);
    return good;
}

/* Where there is no openat2: name by name, and over no symbolic link. */
static int walk(int root, const char *path, int flags)
{
    char name[256];
    int fd = root;
    while (fd >= 0) {
        size_t n = strcspn(path, "/"), gap = strspn(path + n, "/");
        int last = path[n + gap] == '\0';
        if (n >= sizeof name) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        int next = openat(fd, name, O_NOFOLLOW | (last ? flags : O_PATH | O_CLOEXEC) | (gap > 0 ? O_DIRECTORY : 0));
        int error = errno;
        if (fd != root)
            close(fd);
        errno = error;
        if (last)
            return next;
        fd = next;
        path += n + gap;
    }
    return -1;
}

int open_below(int root, const char *path)
{
    /* Neither a device nor a pipe shall keep us waiting. */
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    struct open_how how = { .flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    for (const char *at = path; *at != '\0'; at += strspn(at, "/")) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') { /* browsers have undone it: who sends it means no good */
            errno = EXDEV;
            return -1;
        }
        at += n;
    }
    if (*path == '\0')
        path = ".";
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? walk(root, path, flags) : fd;
}

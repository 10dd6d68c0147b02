/* http_files.c - answers from files: whole or a range of them, or that the client has them already. */
#include "http.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What identifies a file's content: it changes with its size and its time. */
enum { TAG_ROOM = 64 };
static void tag(const struct stat *file, char *text)
{
    snprintf(text, TAG_ROOM, "\"%llx-%llx.%lx\"", (unsigned long long)file->st_size,
             (unsigned long long)file->st_mtim.tv_sec, (unsigned long)file->st_mtim.tv_nsec);
}

/* Returns -1 for what is no date. */
static time_t moment(const char *text)
{
    struct tm parts = { 0 };
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return end != NULL && *end == '\0' ? timegm(&parts) : -1;
}

/* If-None-Match: a list of tags, some with W/ before them, or an asterisk (RFC 9110, 13.1.2). */
static int lists(const char *list, const char *ours)
{
    size_t n = strlen(ours);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (*list == '*' || (strncmp(list, ours, n) == 0 && strchr(" \t,", list[n]) != NULL))
            return 1;
        list += strcspn(list, ",");
    }
    return 0;
}

static int client_has_it(const struct exchange *x, const struct stat *file, const char *ours)
{
    const char *tags = request_field(x, "if-none-match"), *since = request_field(x, "if-modified-since");
    if (tags != NULL)
        return lists(tags, ours);
    return since != NULL && moment(since) != -1 && file->st_mtime <= moment(since);
}

/* Returns -1 for what is no number; one that is too large for any file is as good as the largest. */
static long long position(const char **text)
{
    long long value = -1;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        value = value < 0 ? **text - '0' : value > INT64_MAX / 10 - 1 ? value : value * 10 + (**text - '0');
    return value;
}

/*
 * Finds the range that is wanted (RFC 9110, 14.1.2), from *first to before *end. Returns 206; 416 when it has no byte
 * of the file; 200, for the whole file, when there is none, or several, or one that is not understood or out of date.
 */
static int range(const struct exchange *x, const struct stat *file, const char *ours, long long *first, long long *end)
{
    const char *text = request_field(x, "range"), *condition = request_field(x, "if-range");
    long long size = file->st_size;
    if (text == NULL || x->silent || strncasecmp(text, "bytes=", 6) != 0)
        return 200;
    if (condition != NULL && strcmp(condition, ours) != 0 && moment(condition) != file->st_mtime)
        return 200;
    text += 6;
    long long from = position(&text), to = *text == '-' && text++ ? position(&text) : -2;
    if (*text != '\0' || to == -2 || (from < 0 && to < 0) || (from >= 0 && to >= 0 && to < from))
        return 200;
    *first = from >= 0 ? from : to < size ? size - to : 0;
    *end = from >= 0 && to >= 0 && to < size ? to + 1 : size;
    return *first < *end ? 206 : 416;
}

static void answer_with(struct exchange *x, int fd, const struct stat *file, const char *name)
{
    char ours[TAG_ROOM], date[DATE_ROOM];
    long long first = 0, end = file->st_size;
    tag(file, ours);
    http_date(file->st_mtime, date);
    x->status = client_has_it(x, file, ours) ? 304 : range(x, file, ours, &first, &end);
    if (x->status == 416) {
        close(fd);
        refuse(x, 416);
        answer_field(x, "Content-Range", "bytes */%lld", (long long)file->st_size);
        return;
    }
    answer_field(x, "Last-Modified", "%s", date);
    answer_field(x, "ETag", "%s", ours);
    x->fd = fd;
    if (x->status == 304) {
        x->silent = 1;
        return;
    }
    answer_field(x, "Accept-Ranges", "bytes");
    answer_field(x, "Content-Type", "%s", type_of(name));
    answer_field(x, "Content-Length", "%lld", end - first);
    if (x->status == 206)
        answer_field(x, "Content-Range", "bytes %lld-%lld/%lld", first, end - 1, (long long)file->st_size);
    x->at = first;
    x->left = end - first;
}

/* The same place with a slash: what a directory's page names is relative to that. Never "//host", another server's. */
static void redirect(struct exchange *x, const char *path)
{
    const char *target = request_field(x, ":path");
    struct bytes place = { NULL, 0, 0 };
    for (char code[4]; *path != '\0'; path++) {
        int n = snprintf(code, sizeof code, strchr("\"#%?<>\\^`{|}", *path) || *path <= ' ' || *path > '~' ? "%%%02X" : "%c",
                         (unsigned char)*path);
        keep(&place, code, (size_t)n);
    }
    keep(&place, "", 1);
    refuse(x, 301);
    answer_field(x, "Location", "/%s/%s", place.at, target + strcspn(target, "?"));
    drop(&place, place.n);
}

void answer_with_file(struct exchange *x, const char *path)
{
    int root = x->client->worker->server->root, fd = root >= 0 ? open_below(root, path) : -1;
    size_t n = strlen(path);
    struct stat file = { 0 };
    const char *name = path;
    errno = root >= 0 ? errno : ENOENT;
    if (fd >= 0 && fstat(fd, &file) == 0 && S_ISDIR(file.st_mode)) {
        if (n > 0 && path[n - 1] != '/') {
            close(fd);
            redirect(x, path);
            return;
        }
        int directory = fd;
        name = "index.html";
        fd = open_below(directory, name);
        int error = errno;
        close(directory);
        errno = error;
        if (fd >= 0 && fstat(fd, &file) != 0)
            file.st_mode = 0;
    }
    if (fd >= 0 && S_ISREG(file.st_mode)) {
        answer_with(x, fd, &file, name);
    } else if (fd >= 0) {
        close(fd);
        refuse(x, 404);
    } else {
        refuse(x, errno == EACCES ? 403 : ran_out(errno) ? 503 : 404);
    }
}

/*
 * Unix sockets: who gets the path, what may be in the way, and what is left there.
 */
#define _GNU_SOURCE
#include "listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64], path[96];

static tlsmem_listen_options unix_options(const char *at)
{
    tlsmem_listen_options options = echo_options();
    options.host = NULL;
    options.path = at;
    return options;
}

static int exists(const char *at)
{
    struct stat status;
    return lstat(at, &status) == 0;
}

static int serves(tlsmem_loop *loop, const char *at)
{
    visitor v;
    int fd = unix_client(at);
    if (fd < 0)
        return 0;
    visit(&v, loop, fd, 0);
    return all_served(loop, &v, 1);
}

/** A socket file, with a socket that listens behind it; -1 for a dead one. */
static int socket_at(const char *at, int type, int alive)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    strcpy(address.sun_path, at);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(!alive || type == SOCK_DGRAM || listen(fd, 1) == 0);
    if (alive)
        return fd;
    close(fd);
    return -1;
}

static int family_seen;

static int look_at_peer(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    family_seen = accepted->peer->sa_family;
    CHECK(accepted->peer_length >= sizeof(sa_family_t), "%u bytes of address", (unsigned)accepted->peer_length);
    return echo_accept(listener, accepted, user);
}

static void round_trips(void)
{
    char abstract[64], longest[120];
    const char *all[] = { path, abstract, longest };
    snprintf(abstract, sizeof abstract, "@tlsmem-test-%d", (int)getpid());
    snprintf(longest, sizeof longest, "@tlsmem-%0*d", 108 - 8, (int)getpid()); /* a name may fill the whole address */
    longest[107] = 0; /* (the plain client has no room for one more) */
    for (int i = 0; i < 3; i++) {
        tlsmem_loop *loop = tlsmem_loop_new();
        tlsmem_listen_options options = unix_options(all[i]);
        tlsmem_listener *listener;
        situation("a Unix socket at %s", all[i]);
        options.on_accept = look_at_peer;
        listener = listen_in(loop, &options);
        CHECK_STATUS(tlsmem_listener_port(listener), 0);
        CHECK(exists(path) == (i == 0), "the file is %sthere", i == 0 ? "not " : "");
        CHECK(serves(loop, all[i]) && family_seen == AF_UNIX, "family %d", family_seen);
        CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_ESYSTEM);
        CHECK(errno == EADDRINUSE, "errno %d for what is taken", errno);
        CHECK(serves(loop, all[i]), "not served after another one wanted the place");
        tlsmem_listener_free(listener);
        CHECK(!exists(path), "the file is left behind");
        CHECK(unix_client(all[i]) == -1, "it still listens");
        listen_in(loop, &options);
        CHECK(serves(loop, all[i]), "not served the second time");
        tlsmem_loop_free(loop);
        CHECK(!exists(path), "the file is left behind by the loop");
    }
}

static void in_the_way(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options options = unix_options(path);
    struct stat before, after;
    situation("a dead socket is in the way");
    socket_at(path, SOCK_STREAM, 0);
    tlsmem_listener *listener = listen_in(loop, &options);
    CHECK(serves(loop, path), "not served");
    tlsmem_listener_free(listener);
    CHECK(!exists(path), "the file is left behind");
    for (int i = 0; i < 6; i++) {
        static const char *const what[] = {
            "a live socket", "a live socket for datagrams", "a file", "a folder", "a link that leads nowhere",
            "a link to a dead socket"
        };
        int fd = -1;
        char target[96];
        snprintf(target, sizeof target, "%s/target", folder);
        situation("%s is in the way", what[i]);
        if (i < 2) {
            fd = socket_at(path, i == 0 ? SOCK_STREAM : SOCK_DGRAM, 1);
        } else if (i == 2) {
            fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
            MUST(write(fd, "text", 4) == 4);
        } else if (i == 3) {
            MUST(mkdir(path, 0700) == 0);
        } else {
            if (i == 5)
                socket_at(target, SOCK_STREAM, 0);
            MUST(symlink(target, path) == 0);
        }
        MUST(lstat(path, &before) == 0);
        CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_ESYSTEM);
        CHECK(errno == EADDRINUSE, "errno %d", errno);
        CHECK(lstat(path, &after) == 0 && after.st_ino == before.st_ino && after.st_size == before.st_size,
              "it was touched");
        if (i == 0) { /* whoever listens there goes on */
            int client = unix_client(path);
            CHECK(client >= 0, "nobody listens there any more");
            close(client);
        }
        close(fd);
        MUST(remove(path) == 0);
        unlink(target);
    }
    tlsmem_loop_free(loop);
}

static void replaced_file(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options options = unix_options(path);
    tlsmem_listener *listener = listen_in(loop, &options);
    situation("the file of a listener was replaced by another's");
    MUST(unlink(path) == 0);
    int fd = socket_at(path, SOCK_STREAM, 1);
    tlsmem_listener_free(listener);
    CHECK(exists(path), "the other's file was removed");
    int client = unix_client(path);
    CHECK(client >= 0, "the other listens no more");
    close(client);
    close(fd);
    MUST(unlink(path) == 0);
    situation("the file of a listener was removed by another");
    listener = listen_in(loop, &options);
    MUST(unlink(path) == 0);
    tlsmem_listener_free(listener);
    CHECK(!exists(path), "it is there again");
    tlsmem_loop_free(loop);
}

static void no_paths(void)
{
    tlsmem_loop *loop = tlsmem_loop_new();
    tlsmem_listen_options options = unix_options("");
    char long_path[200];
    situation("paths that cannot be");
    CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_EINVAL);
    options.path = "@";
    CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_EINVAL);
    for (size_t n = 105; n < 112; n++)
        for (int abstract = 0; abstract < 2; abstract++) {
            snprintf(long_path, sizeof long_path, "%s%0*d", abstract ? "@tlsmem-" : "tlsmem-", (int)n - 7 - abstract,
                     (int)getpid());
            MUST(strlen(long_path) == n && chdir(folder) == 0);
            options.path = long_path;
            int expected = n <= (abstract ? 108 : 107) ? TLSMEM_OK : TLSMEM_EINVAL;
            tlsmem_listener *listener = NULL;
            CHECK(tlsmem_loop_listen(loop, server_ctx, &options, &listener) == expected, "%zu bytes", n);
            tlsmem_listener_free(listener);
            CHECK(!exists(long_path), "%zu bytes: the file is there", n);
        }
    options.path = "/no/such/folder/socket";
    CHECK_STATUS(tlsmem_loop_listen(loop, server_ctx, &options, NULL), TLSMEM_ESYSTEM);
    CHECK(errno == ENOENT, "errno %d", errno);
    tlsmem_loop_free(loop);
}

void unix_places(void)
{
    char before[512];
    strcpy(folder, "/tmp/tlsmem-XXXXXX");
    MUST(mkdtemp(folder) != NULL && getcwd(before, sizeof before) != NULL);
    snprintf(path, sizeof path, "%s/socket", folder);
    round_trips();
    in_the_way();
    replaced_file();
    no_paths();
    MUST(chdir(before) == 0);
    CHECK(rmdir(folder) == 0, "something is left in the folder");
}

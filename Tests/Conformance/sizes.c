/*
 * A program that was built against an older header has smaller structs (docs/abi.md). Each is put at the end of a page behind
 * which there is none: whoever reads or writes more of it than its `size` says ends this program.
 */
#include "support.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static tlsmem_ctx *unfrozen, *server, *client;
static tlsmem *c;
static tlsmem_loop *loop;
static tlsmem_wire *wire;
static unsigned char *page_end;

static int made(tlsmem_loop *with_options)
{
    int status = with_options == NULL && errno == EINVAL ? TLSMEM_EINVAL : TLSMEM_OK;
    tlsmem_loop_free(with_options);
    return status;
}

static int on_accept(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user)
{
    (void)listener, (void)accepted, (void)user;
    return 1;
}

static tlsmem_listen_options listening(void)
{
    tlsmem_listen_options options = TLSMEM_LISTEN_OPTIONS_INIT;
    options.host = "127.0.0.1";
    options.on_accept = on_accept;
    return options;
}

static tlsmem_connect_options connecting(void)
{
    tlsmem_connect_options options = TLSMEM_CONNECT_OPTIONS_INIT;
    options.path = "@nobody listens here";
    return options;
}

static void on_new(tlsmem *of, const tlsmem_session_entry *entry, void *user)
{
    (void)of, (void)entry, (void)user;
}

static int on_find(tlsmem *of, const tlsmem_session_entry *entry, void *user)
{
    (void)of, (void)entry, (void)user;
    return TLSMEM_AGAIN;
}

static tlsmem_session_callbacks keeping(void)
{
    tlsmem_session_callbacks callbacks = TLSMEM_SESSION_CALLBACKS_INIT;
    callbacks.on_new = on_new;
    callbacks.on_find = on_find;
    return callbacks;
}

/* Whatever else it says: only a size that it does not know is TLSMEM_EINVAL. */
#define ROW(type, init, bytes, call)                              \
    static int call_with_##type##_##bytes(size_t size)            \
    {                                                             \
        type value = init, *it = (type *)(page_end - (bytes));    \
        memcpy(it, &value, bytes);                                \
        memcpy(it, &size, sizeof size);                           \
        return call;                                              \
    }
#include "../ABI/sizes.h"
#undef ROW

typedef struct row { const char *name; size_t bytes; int (*call_with)(size_t size); } row;
static const row rows[] = {
#define ROW(type, init, bytes, call) { #type, bytes, call_with_##type##_##bytes },
#include "../ABI/sizes.h"
#undef ROW
};

static int is_known(const char *name, size_t bytes)
{
    int known = 0;
    for (const row *r = rows; r < rows + sizeof rows / sizeof *rows; r++)
        known |= strcmp(r->name, name) == 0 && r->bytes == bytes;
    return known;
}

static void try_row(const row *r)
{
    size_t left, more = r->bytes + sizeof(void *);
    situation("%s of %zu bytes", r->name, r->bytes);
    if (!is_known(r->name, more))
        CHECK(r->call_with(more) == TLSMEM_EINVAL, "a newer one is not refused");
    CHECK(r->call_with(r->bytes) != TLSMEM_EINVAL, "it is not taken");
    memcpy(&left, page_end - r->bytes, sizeof left);
    CHECK(left == r->bytes, "its size is %zu now", left);
}

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    begin("sizes");
    unsigned char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    page_end = pages + page;
    unfrozen = context(TLSMEM_SERVER, 0);
    server = context(TLSMEM_SERVER, 0);
    client = context(TLSMEM_CLIENT, 0);
    c = connection(client, NULL, NULL);
    loop = new_loop();
    wire = tlsmem_wire_new(NULL);
    MUST(loop != NULL && wire != NULL);
    for (const row *r = rows; r < rows + sizeof rows / sizeof *rows; r++)
        try_row(r);
    tlsmem_wire_free(wire);
    tlsmem_free(c);
    tlsmem_loop_free(loop);
    tlsmem_ctx_free(client);
    tlsmem_ctx_free(server);
    tlsmem_ctx_free(unfrozen);
    munmap(pages, 2 * page);
    return finish();
}

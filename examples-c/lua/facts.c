/* facts.c - what is known of a connection: what was negotiated, and who the peer is. */
#include "module.h"
#include <netdb.h>
#include <sys/socket.h>

static int push_text(lua_State *L, const char *text)
{
    if (text == NULL || *text == '\0')
        lua_pushnil(L);
    else
        lua_pushstring(L, text);
    return 1;
}

static int fact_protocol(lua_State *L)
{
    return push_text(L, tlsmem_protocol_name(check_open(L)->c));
}

static int fact_cipher(lua_State *L)
{
    return push_text(L, tlsmem_cipher_name(check_open(L)->c));
}

static int fact_group(lua_State *L)
{
    return push_text(L, tlsmem_group_name(check_open(L)->c));
}

/* On a server: the name that the client asks for. */
static int fact_server_name(lua_State *L)
{
    return push_text(L, tlsmem_server_name(check_open(L)->c));
}

static int fact_alpn(lua_State *L)
{
    const char *name;
    size_t n;
    if (tlsmem_alpn(check_open(L)->c, &name, &n) == TLSMEM_OK)
        lua_pushlstring(L, name, n);
    else
        lua_pushnil(L);
    return 1;
}

static int fact_resumed(lua_State *L)
{
    lua_pushboolean(L, tlsmem_is_resumed(check_open(L)->c));
    return 1;
}

/* Text or bytes that are asked for twice: how many, and what; nil where there is none. */
typedef ptrdiff_t (*copied)(const tlsmem *c, char *to, size_t n);

static int push_copy(lua_State *L, copied copy)
{
    struct connection *k = check_open(L);
    ptrdiff_t n = copy(k->c, NULL, 0);
    if (n == TLSMEM_AGAIN) {
        lua_pushnil(L);
        return 1;
    }
    if (n < 0)
        return fail(L, (int)n, NULL);
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(L, &buffer, (size_t)n + 1); /* the one for the NUL of a text */
    n = copy(k->c, to, (size_t)n + 1);
    luaL_pushresultsize(&buffer, n > 0 ? (size_t)n : 0);
    return 1;
}

static ptrdiff_t copy_certificate(const tlsmem *c, char *to, size_t n)
{
    return tlsmem_peer_certificate(c, to, n);
}

/* DER. */
static int fact_certificate(lua_State *L)
{
    return push_copy(L, copy_certificate);
}

static int fact_pem(lua_State *L)
{
    return push_copy(L, tlsmem_peer_pem);
}

static int fact_subject(lua_State *L)
{
    return push_copy(L, tlsmem_peer_subject);
}

static int fact_issuer(lua_State *L)
{
    return push_copy(L, tlsmem_peer_issuer);
}

/* The names that the certificate is for, "DNS:example.org": a list. */
static int fact_names(lua_State *L)
{
    struct connection *k = check_open(L);
    luaL_Buffer buffer;
    lua_newtable(L);
    for (size_t i = 0;; i++) {
        ptrdiff_t n = tlsmem_peer_san(k->c, i, NULL, 0);
        if (n < 0)
            return 1;
        char *to = luaL_buffinitsize(L, &buffer, (size_t)n + 1);
        n = tlsmem_peer_san(k->c, i, to, (size_t)n + 1);
        luaL_pushresultsize(&buffer, n > 0 ? (size_t)n : 0);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* c:peer_address(): host and port, in digits; nil for a Unix socket. */
static int fact_address(lua_State *L)
{
    struct connection *k = check_open(L);
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    char host[64], port[8]; /* digits, and the name of an interface */
    if (getpeername(tlsmem_fd(k->c), (struct sockaddr *)&address, &n) != 0 || address.ss_family == AF_UNIX
        || getnameinfo((struct sockaddr *)&address, n, host, sizeof host, port, sizeof port,
                       NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, host);
    if (lua_stringtonumber(L, port) == 0)
        lua_pushnil(L);
    return 2;
}

/* c:timeout{ idle = ms, read = ms, write = ms, close = ms }: 0 for none; the connection then fails with TLSMEM_ETIMEOUT. */
static int set_timeouts(lua_State *L)
{
    static const char *const names[] = { "idle", "read", "write", "close", NULL };
    static const tlsmem_timeout which[] = { TLSMEM_TIMEOUT_IDLE, TLSMEM_TIMEOUT_READ, TLSMEM_TIMEOUT_WRITE,
                                            TLSMEM_TIMEOUT_CLOSE };
    struct connection *k = check_open(L);
    check_options(L, 2, names);
    for (int i = 0; names[i] != NULL; i++, lua_pop(L, 1)) {
        if (lua_getfield(L, 2, names[i]) == LUA_TNIL)
            continue;
        lua_Number ms = luaL_checknumber(L, -1);
        luaL_argcheck(L, ms >= 0 && ms <= UINT32_MAX, 2, "milliseconds, 0 for none");
        (void)tlsmem_set_timeout(k->c, which[i], (uint32_t)ms);
    }
    lua_settop(L, 1);
    return 1;
}

const luaL_Reg fact_functions[] = {
    { "protocol", fact_protocol }, { "cipher", fact_cipher }, { "group", fact_group }, { "alpn", fact_alpn },
    { "server_name", fact_server_name }, { "resumed", fact_resumed }, { "peer_certificate", fact_certificate },
    { "peer_pem", fact_pem }, { "peer_subject", fact_subject }, { "peer_issuer", fact_issuer },
    { "peer_names", fact_names }, { "peer_address", fact_address }, { "timeout", set_timeouts }, { NULL, NULL },
};

/* context.c - tlsmem.client{...} and tlsmem.server{...}: what many connections have in common, from a table of options. */
#include "module.h"
#include <string.h>

tlsmem_ctx *check_context(lua_State *L, int index)
{
    return *(tlsmem_ctx **)luaL_checkudata(L, index, CONTEXT);
}

/* An option's value is on top of the stack, and its name is given: what is of the wrong type is an error of the argument. */
static const char *text(lua_State *L, const char *name, size_t *n)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_argerror(L, 1, lua_pushfstring(L, "%s: string expected, got %s", name, luaL_typename(L, -1)));
    return n != NULL ? lua_tolstring(L, -1, n) : check_text(L, -1); /* bytes, or a text */
}

/* How an option is set: by its text, by its bytes, which may have zeros among them, or in a way of its own. */
typedef int (*by_text)(tlsmem_ctx *ctx, const char *text);
typedef int (*by_bytes)(tlsmem_ctx *ctx, const void *bytes, size_t n);
typedef int (*by_more)(lua_State *L, tlsmem_ctx *ctx, const char *name);

static ptrdiff_t tell_password(char *password, size_t size, const char *subject, void *user)
{
    size_t n = strlen(user);
    (void)subject;
    if (n > size)
        return -1;
    memcpy(password, user, n);
    return (ptrdiff_t)n;
}

/* The text stays in the table of options until all are set; see configure. */
static int set_password(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    return tlsmem_ctx_set_password_cb(ctx, tell_password, (void *)text(L, name, NULL));
}

static int version(lua_State *L, const char *name)
{
    const char *digits = text(L, name, NULL);
    if (strcmp(digits, "1.2") != 0 && strcmp(digits, "1.3") != 0)
        luaL_argerror(L, 1, lua_pushfstring(L, "%s: \"1.2\" or \"1.3\" expected, got \"%s\"", name, digits));
    return digits[2] == '2' ? TLSMEM_TLS1_2 : TLSMEM_TLS1_3;
}
static int set_min(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    return tlsmem_ctx_set_min_version(ctx, version(L, name));
}
static int set_max(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    return tlsmem_ctx_set_max_version(ctx, version(L, name));
}

/* One protocol, "h2,http/1.1", or { "h2", "http/1.1" }. */
static int set_alpn(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    if (!lua_istable(L, -1))
        return tlsmem_ctx_set_alpn(ctx, text(L, name, NULL));
    luaL_Buffer list;
    int table = lua_gettop(L);
    luaL_buffinit(L, &list);
    for (lua_Integer i = 1, n = luaL_len(L, table); i <= n; i++) {
        if (i > 1)
            luaL_addchar(&list, ',');
        if (lua_geti(L, table, i) != LUA_TSTRING)
            luaL_argerror(L, 1, lua_pushfstring(L, "%s: a list of strings expected", name));
        luaL_addvalue(&list);
    }
    luaL_pushresult(&list);
    int status = tlsmem_ctx_set_alpn(ctx, check_text(L, -1));
    lua_pop(L, 1);
    return status;
}

static int set_verify(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    const char *word = text(L, name, NULL);
    static const struct { const char *word; tlsmem_verify verify; } all[] = {
        { "none", TLSMEM_VERIFY_NONE }, { "optional", TLSMEM_VERIFY_OPTIONAL }, { "required", TLSMEM_VERIFY_REQUIRED },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(word, all[i].word) == 0)
            return tlsmem_ctx_set_verify(ctx, all[i].verify);
    return luaL_argerror(L, 1, lua_pushfstring(L, "%s: \"none\", \"optional\" or \"required\" expected", name));
}

static int set_insecure(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    if (!lua_isboolean(L, -1)) /* "no", 0 and the like are true in Lua, and would switch it off */
        luaL_argerror(L, 1, lua_pushfstring(L, "%s: true or false expected", name));
    return lua_toboolean(L, -1) ? tlsmem_ctx_insecure_no_verify(ctx) : TLSMEM_OK;
}

static int set_limits(lua_State *L, tlsmem_ctx *ctx, const char *name)
{
    tlsmem_limits limits = TLSMEM_LIMITS_INIT;
    const struct { const char *name; size_t *bytes; uint32_t *ms; } all[] = {
        { "outgoing_max", &limits.outgoing_max, NULL }, { "outgoing_low", &limits.outgoing_low, NULL },
        { "outgoing_high", &limits.outgoing_high, NULL }, { "incoming_max", &limits.incoming_max, NULL },
        { "incoming_low", &limits.incoming_low, NULL }, { "handshake_ms", NULL, &limits.handshake_ms },
        { "idle_ms", NULL, &limits.idle_ms }, { "close_ms", NULL, &limits.close_ms },
        { "read_ms", NULL, &limits.read_ms }, { "write_ms", NULL, &limits.write_ms },
    };
    if (!lua_istable(L, -1))
        luaL_argerror(L, 1, lua_pushfstring(L, "%s: table expected", name));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        size_t i = 0, count = sizeof all / sizeof *all;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        lua_Integer value = lua_tointeger(L, -1);
        while (i < count && strcmp(all[i].name, key) != 0)
            i++;
        if (i == count || !lua_isinteger(L, -1) || value < 0 || value > UINT32_MAX)
            luaL_argerror(L, 1, lua_pushfstring(L, "%s: %s is no limit, or its value none", name, key));
        if (all[i].bytes != NULL)
            *all[i].bytes = (size_t)value;
        else
            *all[i].ms = (uint32_t)value;
    }
    return tlsmem_ctx_set_limits(ctx, &limits);
}

/* In the order in which they are set: a password before the key that needs it. */
static const struct option {
    const char *name;
    by_text text;
    by_bytes bytes;
    by_more more;
} options[] = {
    { "password", NULL, NULL, set_password },
    { "min", NULL, NULL, set_min },
    { "max", NULL, NULL, set_max },
    { "ciphers", tlsmem_ctx_set_ciphers, NULL, NULL },
    { "groups", tlsmem_ctx_set_groups, NULL, NULL },
    { "cert", tlsmem_ctx_set_cert_file, NULL, NULL },
    { "cert_pem", NULL, tlsmem_ctx_set_cert_mem, NULL },
    { "key", tlsmem_ctx_set_key_file, NULL, NULL },
    { "key_pem", NULL, tlsmem_ctx_set_key_mem, NULL },
    { "ca", tlsmem_ctx_set_ca_file, NULL, NULL },
    { "ca_pem", NULL, tlsmem_ctx_set_ca_mem, NULL },
    { "ca_dir", tlsmem_ctx_set_ca_dir, NULL, NULL },
    { "crl", tlsmem_ctx_add_crl, NULL, NULL },
    { "verify", NULL, NULL, set_verify },
    { "insecure_no_verify", NULL, NULL, set_insecure },
    { "alpn", NULL, NULL, set_alpn },
    { "keylog", tlsmem_ctx_set_keylog, NULL, NULL },
    { "limits", NULL, NULL, set_limits },
};
enum { OPTIONS = sizeof options / sizeof *options };

static void check(lua_State *L, const tlsmem_ctx *ctx, const char *name, int status)
{
    tlsmem_error_info info = TLSMEM_ERROR_INFO_INIT;
    char why[sizeof info.sentence];
    if (status == TLSMEM_OK)
        return;
    if (tlsmem_ctx_error(ctx, &info) != TLSMEM_OK || info.status != status)
        info = (tlsmem_error_info)TLSMEM_ERROR_INFO_INIT;
    info.status = status;
    memcpy(why, info.sentence, sizeof why);
    lua_pushfstring(L, "%s: %s", name, why[0] != '\0' ? why : tlsmem_strerror(status));
    info.sentence[0] = '\0';
    strncat(info.sentence, lua_tostring(L, -1), sizeof info.sentence - 1);
    push_failure(L, &info);
    lua_error(L);
}

static void configure(lua_State *L, tlsmem_ctx *ctx)
{
    const char *names[OPTIONS + 1] = { NULL };
    for (int i = 0; i < OPTIONS; i++)
        names[i] = options[i].name;
    check_options(L, 1, names);
    for (const struct option *o = options; o < options + OPTIONS; o++, lua_pop(L, 1)) {
        size_t n = 0;
        if (lua_getfield(L, 1, o->name) == LUA_TNIL)
            continue;
        const char *given = o->more != NULL ? NULL : text(L, o->name, &n);
        check(L, ctx, o->name, o->more != NULL ? o->more(L, ctx, o->name)
              : o->text != NULL ? o->text(ctx, given) : o->bytes(ctx, given, n));
    }
    check(L, ctx, "password", tlsmem_ctx_set_password_cb(ctx, NULL, NULL)); /* the text may go now */
}

static int trusts_somebody(lua_State *L)
{
    static const char *const words[] = { "ca", "ca_pem", "ca_dir", "insecure_no_verify" };
    int some = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        lua_getfield(L, 1, words[i]);
        some += lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    return some > 0;
}

static int new_context(lua_State *L, tlsmem_role role)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1))
        lua_newtable(L), lua_replace(L, 1);
    tlsmem_ctx **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, CONTEXT);
    *box = tlsmem_ctx_new(role);
    if (*box == NULL)
        return fail(L, TLSMEM_ENOMEM, NULL);
    configure(L, *box);
    if (role == TLSMEM_CLIENT && !trusts_somebody(L))
        check(L, *box, "the system's authorities", tlsmem_ctx_set_ca_system(*box));
    return 1;
}

int new_client(lua_State *L)
{
    return new_context(L, TLSMEM_CLIENT);
}

int new_server(lua_State *L)
{
    return new_context(L, TLSMEM_SERVER);
}

static int context_gc(lua_State *L)
{
    tlsmem_ctx **box = luaL_checkudata(L, 1, CONTEXT);
    tlsmem_ctx_free(*box); /* connections keep it by themselves */
    *box = NULL;
    return 0;
}

void open_contexts(lua_State *L)
{
    static const luaL_Reg metamethods[] = { { "__gc", context_gc }, { NULL, NULL } };
    const luaL_Reg *const none[] = { NULL };
    new_kind(L, CONTEXT, metamethods, none);
}

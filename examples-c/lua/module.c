/* module.c - what require "tlsmem" returns. */
#include "module.h"
#include <string.h>

void new_kind(lua_State *L, const char *name, const luaL_Reg *metamethods, const luaL_Reg *const functions[])
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    for (; *functions != NULL; functions++)
        luaL_setfuncs(L, *functions, 0);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void check_options(lua_State *L, int index, const char *const names[])
{
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
        int i = 0;
        while (names[i] != NULL && strcmp(names[i], key) != 0)
            i++;
        if (names[i] == NULL)
            luaL_argerror(L, index, lua_pushfstring(L, "%s is no option here", key));
    }
}

/* The one name that the interpreter looks for. */
__attribute__((visibility("default"))) int luaopen_tlsmem(lua_State *L);

int luaopen_tlsmem(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "client", new_client }, { "server", new_server }, { "loop", new_loop }, { NULL, NULL },
    };
    luaL_checkversion(L);
    open_errors(L);
    open_contexts(L);
    open_loop(L);
    open_timers(L);
    open_listeners(L);
    open_connections(L);
    luaL_newlib(L, functions);
    lua_pushstring(L, tlsmem_version_string());
    lua_setfield(L, -2, "version");
    lua_pushstring(L, tlsmem_openssl_version());
    lua_setfield(L, -2, "openssl_version");
    return 1;
}

const char *check_text(lua_State *L, int index)
{
    size_t n;
    const char *text = luaL_checklstring(L, index, &n);
    if (strlen(text) != n)
        luaL_error(L, "a text with a zero in it: C would take what is before that for the whole");
    return text;
}

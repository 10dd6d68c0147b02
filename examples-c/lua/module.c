/* module.c - what require "tlsmem" returns. */
#include "module.h"

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

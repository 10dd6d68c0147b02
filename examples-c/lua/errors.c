/* errors.c - what has failed, as a Lua value: a table with the status, the sentence, and whatever else is known of it. */
#include "module.h"
#include <string.h>

static void set_number(lua_State *L, const char *name, lua_Integer value, lua_Integer unknown)
{
    if (value == unknown)
        return;
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

void push_failure(lua_State *L, const tlsmem_error_info *info)
{
    lua_createtable(L, 0, 8);
    lua_pushstring(L, tlsmem_status_name(info->status));
    lua_setfield(L, -2, "status");
    lua_pushstring(L, info->sentence[0] != '\0' ? info->sentence : tlsmem_strerror(info->status));
    lua_setfield(L, -2, "sentence");
    set_number(L, "alert_sent", info->alert_sent, -1);
    set_number(L, "alert_received", info->alert_received, -1);
    set_number(L, "verify_depth", info->verify_depth, -1);
    set_number(L, "verify_result", info->verify_result, 0);
    set_number(L, "openssl_code", (lua_Integer)info->openssl_code, 0);
    set_number(L, "errno", info->sys_errno, 0);
    luaL_setmetatable(L, FAILURE);
}

int fail(lua_State *L, int status, const char *sentence)
{
    tlsmem_error_info info = TLSMEM_ERROR_INFO_INIT;
    info.status = status;
    if (sentence != NULL)
        strncat(info.sentence, sentence, sizeof info.sentence - 1);
    push_failure(L, &info);
    return lua_error(L);
}

int fail_connection(lua_State *L, const tlsmem *c, int status)
{
    tlsmem_error_info info = TLSMEM_ERROR_INFO_INIT;
    if (tlsmem_error(c, &info) != TLSMEM_OK || info.status == TLSMEM_OK)
        return fail(L, status, NULL);
    push_failure(L, &info);
    return lua_error(L);
}

int is_failure(lua_State *L, int index)
{
    int is = lua_istable(L, index) && lua_getmetatable(L, index);
    if (is) {
        luaL_getmetatable(L, FAILURE);
        is = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    return is;
}

static int sentence(lua_State *L)
{
    if (!lua_istable(L, 1) || lua_getfield(L, 1, "sentence") != LUA_TSTRING)
        lua_pushliteral(L, FAILURE);
    return 1;
}

void open_errors(lua_State *L)
{
    luaL_newmetatable(L, FAILURE);
    lua_pushcfunction(L, sentence);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}

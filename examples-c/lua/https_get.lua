-- https_get.lua - prints what an HTTPS server answers to a GET: lua5.4 https_get.lua URL [--ca FILE]
--
-- The server is verified, by the system's authorities or those in FILE. Exit codes: 0 done, 1 usage, 2 the server refused
-- or its answer is no HTTP, 3 TLS or the network has failed.
local tlsmem = require "tlsmem"

local function leave(code, ...)
    io.stderr:write("https_get.lua: ", ...)
    io.stderr:write("\n")
    os.exit(code, true)
end

local usage = "usage: https_get.lua https://HOST[:PORT][/PATH] [--ca FILE]"
local url, ca, at = nil, nil, 1
while arg[at] do
    if arg[at] == "--ca" and arg[at + 1] then
        ca, at = arg[at + 1], at + 2
    elseif not url and arg[at]:sub(1, 1) ~= "-" then
        url, at = arg[at], at + 1
    else
        leave(1, usage)
    end
end
local authority, path = (url or ""):match("^https://([^/?#]+)([^#]*)")
if not authority or path:find("[%c ]") then leave(1, usage) end
local host, port = authority:match("^%[([%x:.]+)%]:?(%d*)$")
if not host then host, port = authority:match("^([^:@%c ]+):?(%d*)$") end
port = port == "" and 443 or math.tointeger(tonumber(port))
if not host or not port or port < 1 or port > 65535 then leave(1, usage) end
if path:sub(1, 1) ~= "/" then path = "/" .. path end

-- What is wrong with the answer, beside the errors of TLS: a string without a place.
local function bad(what) error(what, 0) end

local function status_and_headers(c)
    local line = c:read("l") or bad("the server has closed without an answer")
    local status = line:match("^HTTP/1%.[01] (%d%d%d)")
    if not status then bad("this is no HTTP: " .. line:sub(1, 80):gsub("%c", "?")) end
    local headers, count = {}, 0
    for header in c:lines() do
        if header == "" then return status, line, headers end
        local name, value = header:match("^([^:%s]+):%s*(.-)%s*$")
        count = count + 1
        if not name or count > 200 then bad("its headers are none") end
        headers[name:lower()] = value
    end
    bad("the server has closed in the middle of its headers")
end

local function copy(c, left)
    while left > 0 do
        local piece = c:read("s", math.min(left, 65536)) or bad("the server has closed in the middle of its answer")
        io.stdout:write(piece)
        left = left - #piece
    end
end

local function copy_chunks(c)
    repeat
        local size = tonumber((c:read("l") or ""):match("^(%x+)") or bad("a chunk has no length"), 16)
        copy(c, size)
        local last = c:read("l")
        while size == 0 and last and last ~= "" do last = c:read("l") end -- trailers
        if last ~= "" then bad("a chunk does not end") end
    until size == 0
end

local function get()
    local c <close> = tlsmem.loop():connect(tlsmem.client { ca = ca, alpn = "http/1.1" }, host, port)
    c:write("GET ", path, " HTTP/1.1\r\nHost: ", authority, "\r\nConnection: close\r\nAccept: */*\r\n\r\n")
    local status, line, headers
    repeat status, line, headers = status_and_headers(c) until status:sub(1, 1) ~= "1"
    if (headers["transfer-encoding"] or ""):lower() == "chunked" then
        copy_chunks(c)
    elseif headers["content-length"] then
        copy(c, tonumber(headers["content-length"]:match("^%d+$")) or bad("its length is none"))
    else
        for piece in c:lines("s") do io.stdout:write(piece) end -- and a close_notify, or it is cut: an error
    end
    if tonumber(status) >= 400 then bad(line) end
end

local good, problem = pcall(get)
io.stdout:flush()
if not good then leave(type(problem) == "table" and 3 or 2, tostring(problem)) end

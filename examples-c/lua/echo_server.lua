-- echo_server.lua - says what it hears, over TLS: lua5.4 echo_server.lua --cert FILE --key FILE [--host HOST] [--port PORT]
local tlsmem = require "tlsmem"

local options = { ["--host"] = "127.0.0.1", ["--port"] = "0" }
for i = 1, #arg, 2 do
    if not arg[i]:find("^%-%-[chkp]%l+$") or not arg[i + 1] then error("not understood: " .. arg[i], 0) end
    options[arg[i]] = arg[i + 1]
end
local host, port = options["--host"], math.tointeger(tonumber(options["--port"]))
if not options["--cert"] or not options["--key"] or not port then
    error("usage: echo_server.lua --cert FILE --key FILE [--host HOST] [--port PORT]", 0)
end

local ctx = tlsmem.server { cert = options["--cert"], key = options["--key"] }
local loop <close> = tlsmem.loop()

-- One task for each client. What nobody takes holds up the writing, and what is not read holds up the client.
local listener = loop:listen(ctx, host, port, function(c)
    for piece in c:lines("s") do c:write(piece) end
end)

-- Whatever a client does wrong ends its connection, and is told here; without this function, to nobody.
loop:on_error(function(problem) io.stderr:write("a client: ", tostring(problem), "\n") end)

print(("listening on %s:%d"):format(host, listener:port()))
io.stdout:flush()
loop:run()

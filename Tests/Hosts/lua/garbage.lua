-- garbage.lua FOLDER MODE [ROUNDS] - everything is dropped at every moment, under one mode of the collector: "incremental",
-- "generational", "stop" (nothing but what is asked for), or "always" (all of it, whenever anything is done).
local both = require "both"
local tlsmem, mode, rounds = both.tlsmem, arg[2], tonumber(arg[3] or 20)
collectgarbage(mode == "always" and "stop" or mode)

-- Hooks are a coroutine's own: each begins with this.
local function begin()
    if mode == "always" then debug.sethook(function() collectgarbage() end, "", 50) end
end
begin()

local collect = mode == "incremental" and function() collectgarbage("step", 100) end or collectgarbage

-- Waits until what was dropped is gone.
local function gone(weak)
    for _ = 1, 10 do collectgarbage() end
    assert(next(weak) == nil, "something was kept")
end
local function weakly(...) return setmetatable({ ... }, { __mode = "v" }) end

-- Contexts, listeners and connections that nobody but the loop has; a collection wherever Lua is called.
local function alone()
    local loop = tlsmem.loop()
    local ended = 0
    loop:on_error(function() collect() ended = ended + 1 end)
    local port = loop:listen(both.server(), "127.0.0.1", 0, function(c)
        begin()
        collect()
        for line in c:lines() do
            collect()
            c:write(line, "\n")
        end
    end):port()
    collect()
    local weak
    loop:spawn(function()
        begin()
        local c = loop:connect(both.client(), "127.0.0.1", port)
        collect()
        c:write "one\n"
        assert(c:read() == "one")
        weak = weakly(c)
        c = nil -- open, and dropped
        loop:timer(0, collect)
        loop:sleep(1)
        c = loop:connect(both.client(), "127.0.0.1", port)
        loop:spawn(function() collect() pcall(c.read, c) collect() end) -- waits when it is closed
        coroutine.yield()
        c:close()
        c = loop:connect(both.client(), "127.0.0.1", port)
        collect()
        coroutine.wrap(function() c:close() end)() -- closed for nobody, in the background
        c = nil
        gone(weak)
        loop:stop()
    end)
    loop:run()
    while ended < 1 do loop:spawn(loop.stop, loop) loop:run() end -- the server has heard of the one that was dropped
    return loop -- with a listener and what is still being closed
end

-- A loop that is dropped with live connections, waiting tasks, and timers, also those that were closed or cancelled.
local function dropped(close)
    local loop = alone()
    local port = loop:listen(both.server(), "127.0.0.1", 0, function(c) c:read() end):port()
    local weak = weakly(loop, loop:timer(100000, print), loop:connect(both.client(), "127.0.0.1", port))
    loop:timer(100000, print):cancel()
    loop:spawn(function() begin() loop:connect(both.client(), "127.0.0.1", port):read() end)
    loop:spawn(function() loop:sleep(100000) end)
    loop:spawn(function() loop:connect(both.client(), "127.0.0.1", 1):read() end)
    loop:timer(0, function() loop:stop() end)
    loop:on_error(print)
    loop:run()
    if close then loop:close() end
    loop = nil
    gone(weak)
end

-- A connection, and nothing else, which keeps its loop, until that is gone too.
local function last()
    local loop = tlsmem.loop()
    local port = loop:listen(both.server(), "127.0.0.1", 0, both.echo):port()
    local c = loop:connect(both.client(), "127.0.0.1", port)
    local weak = weakly(loop, c)
    loop = nil
    collectgarbage()
    c:write "alive\n"
    assert(c:read() == "alive")
    c = nil
    gone(weak)
end

local descriptors
for i = 1, rounds do
    alone()
    dropped(false)
    dropped(true)
    last()
    if i == math.min(2, rounds) then
        for _ = 1, 5 do collectgarbage() end
        descriptors = both.descriptors()
    end
end
for _ = 1, 5 do collectgarbage() end
assert(both.descriptors() == descriptors, "descriptors are left")
left = alone() -- for lua_close
print "nothing is left"

-- mistakes.lua FOLDER - errors: where they are raised, whom they end, and that the loop goes on afterwards.
local both = require "both"
local tlsmem, loop, fails, says = both.tlsmem, both.loop, both.fails, both.says
local ctx, left = both.client()
local handlers = {
    mistake = function() error "the handler fails" end,
    object = function() error(setmetatable({}, { __tostring = function() return "an object" end })) end,
    closed = function(c) c:close() c:write "after" end,
    upstream = function() loop:connect(ctx, "127.0.0.1", 1) end,
    echo = both.echo,
    stay = function() while not left do loop:sleep(1) end end,
}
local listener = both.listen(function(c) handlers[c:read()](c) end)
local port = listener:port()
local function connect() return loop:connect(ctx, "127.0.0.1", port) end
local function run() loop:run() end

-- Runs f as a task until it is over, and raises what comes out of run meanwhile.
local function task(f, ...)
    local over
    loop:spawn(function(...) f(...) over = true loop:stop() end, ...)
    run()
    assert(over)
end

-- Has a handler do this, and reads to the end of it.
local function ask(what, read)
    local c <close> = connect()
    c:write(what, "\n")
    return c:read(read or "a")
end

-- A task's error comes out of run, as it is, and the others are there still.
local object, slept = {}, false
loop:spawn(function() loop:sleep(1) error(object) end)
loop:spawn(function() loop:sleep(30) slept = true loop:stop() end)
assert(both.failure(run) == object and not slept)
run()
assert(slept)
says("with 2: these words", task, function(...) error("with " .. select("#", ...) .. ": " .. table.concat({ ... }, " ")) end,
     "these", "words")
loop:timer(1, function() error "a timer" end)
says("a timer", run)
says("a variable", task, function()
    local v <close> = setmetatable({}, { __close = function() error "a variable" end })
    error "is replaced by what it closes with"
end)
local cancelled = loop:timer(0, function() error "was cancelled" end)
assert(cancelled:cancel() and not cancelled:cancel())
task(function() loop:sleep(2) end)

-- pcall in a task takes an error object, from whichever call, and the task goes on.
task(function()
    fails("TLSMEM_ECONNECT", loop.connect, loop, ctx, "127.0.0.1", 1)
    local strange = both.client { ca = both.file "other-ca.pem" }
    local refused = fails("TLSMEM_EVERIFY", loop.connect, loop, strange, "127.0.0.1", port)
    assert(refused.alert_sent == 48 and refused.verify_result == 20 and refused.verify_depth == 0)
    fails("TLSMEM_EINVAL", loop.connect, loop, ctx, "127.0.0.1", 0)
    fails("TLSMEM_EINVAL", loop.connect, loop, ctx, "127.0.0.1", port, { name = "" })
    fails("TLSMEM_EHOST", loop.connect, loop, ctx, "127.0.0.1", port, { name = "other.example" })
    local cut, why = pcall(loop.connect, loop, ctx, "127.0.0.1", port, { name = "localhost\0.other.example" })
    assert(not cut and tostring(why):find("a zero in it", 1, true), tostring(why))
    local c = connect()
    c:write("echo\n", 1, " ", 2.5, "\n")
    assert(c:read() == "1 2.5")
    c:timeout { read = 20 }
    fails("TLSMEM_ETIMEOUT", c.read, c)
    fails("TLSMEM_ETIMEOUT", c.write, c, "word")
    c:close()
    for _, name in ipairs { "read", "write", "lines", "protocol", "peer_subject", "close_write", "timeout" } do
        says("attempt to use a closed connection", c[name], c)
    end
    c:close()
    c:abort()
end)

-- close waits for the peer's, and says when that does not come.
task(function()
    local c = loop:connect(both.client { limits = { close_ms = 30 } }, "127.0.0.1", port):write "stay\n"
    fails("TLSMEM_ETIMEOUT", c.close, c)
    says("attempt to use a closed connection", c.protocol, c)
    c = connect():write "stay\n"
    loop:timer(20, function() left = true end)
    c:close()
    assert(left)
end)

-- What is read past a limit is left, and so is what came before a cut.
task(function()
    local c <close> = connect()
    c:write("echo\n", ("x"):rep(3000), "\nrest")
    fails("TLSMEM_ELIMIT", c.read, c, "l", 2999)
    assert(c:read("l", 3001) == ("x"):rep(3000) and c:read(4) == "rest")
    c:close_write()
    fails("TLSMEM_ESTATE", c.write, c, "more")
    assert(c:read(1) == nil and c:read() == nil and c:read("s") == nil and c:read("a") == "")
end)

-- A mistake in a handler ends its connection, without close_notify, and comes out of run; what a peer or another server did
-- wrong ends the connection only.
for what, words in pairs { mistake = "the handler fails", object = "an object", closed = "attempt to use a closed" } do
    local over
    loop:spawn(function()
        if what == "closed" then ask(what) else fails("TLSMEM_ETRUNCATED", ask, what) end
        over = true
    end)
    assert(tostring(both.failure(run)):find(words, 1, true))
    task(function() while not over do loop:sleep(1) end end)
end
task(fails, "TLSMEM_ETRUNCATED", ask, "upstream")

-- With on_error run goes on, and all of it is told there, with a traceback.
local told = {}
loop:on_error(function(problem, traceback) told[#told + 1] = tostring(problem) .. "\n" .. traceback end)
task(function()
    fails("TLSMEM_ETRUNCATED", ask, "mistake")
    fails("TLSMEM_ETRUNCATED", ask, "upstream")
    pcall(loop.connect, loop, both.client { ca = both.file "other-ca.pem" }, "127.0.0.1", port)
    loop:spawn(error, "a task")
    loop:sleep(5)
end)
for i, words in ipairs { "the handler fails", "no address could be connected to", "alert 48", "a task" } do
    assert(told[i] and told[i]:find(words, 1, true), told[i])
end
assert(told[1]:find("stack traceback", 1, true) and told[1]:find("mistakes.lua", 1, true))
loop:on_error(function() error "even this" end)
loop:spawn(error, "a task")
says("even this", run)
loop:on_error(nil)

-- Who waits while another task closes learns that.
task(function()
    local c, closed = connect():write "echo\n"
    loop:spawn(function() closed = fails("TLSMEM_CLOSED", c.read, c) end)
    coroutine.yield()
    c:close()
    while not closed do loop:sleep(1) end
end)

-- Who cannot wait is told so, and does not disturb those who can.
local c = connect()
c:write "echo\n"
task(function()
    says("nobody can wait here", coroutine.wrap(function() c:read() end))
    says("nobody can wait here", table.sort, { 1, 2 }, function() c:read() end)
    says("attempt to yield across", table.sort, { 1, 2 }, function() coroutine.yield() end)
    says("is running already", loop.run, loop)
    says("loop:stop() first", loop.close, loop)
    for i = 1, 5 do coroutine.yield(i) end
    c:write "well\n"
    assert(c:read() == "well")
end)

-- A task that somebody else has resumed fails there; the loop finds it dead, says so, and goes on.
local waiting
loop:spawn(function() waiting = coroutine.running() c:read() end)
says("cannot resume dead coroutine", task, function()
    coroutine.yield()
    local _, problem = coroutine.resume(waiting)
    assert(problem:find("nobody can wait here", 1, true))
    c:write "for nobody\n"
    loop:sleep(1000)
end)
task(function() assert(c:read() == "for nobody") c:close() end)

-- So is one that somebody has closed, when what it waits for is collected.
local sleeper
loop:spawn(function() sleeper = coroutine.running() loop:sleep(100000) end)
says("cannot resume dead coroutine", task, function()
    coroutine.yield()
    coroutine.close(sleeper)
    collectgarbage()
    collectgarbage()
    loop:sleep(1000)
end)

-- Without a task, and in no loop that runs, the same calls run the loop themselves.
local alone = connect()
alone:write "echo\n":write "alone\n"
assert(alone:read() == "alone" and alone:close() == nil)

-- Wrong arguments are errors of the argument, and options that there are not, too.
for words, f in pairs {
    ["verifi is no option"] = function() tlsmem.client { verifi = "none" } end,
    ["number is no option"] = function() tlsmem.client { "ca.pem" } end,
    ["nam is no option"] = function() loop:connect(ctx, "127.0.0.1", port, { nam = "localhost" }) end,
    ["port is no option"] = function() loop:listen(both.server(), nil, 0, print, { port = 1 }) end,
    ["table expected"] = function() loop:listen(both.server(), nil, 0, print, 1) end,
    ["string expected, got number"] = function() tlsmem.client { ca = 1 } end,
    ["true or false expected"] = function() tlsmem.client { insecure_no_verify = "no" } end,
    ["\"1.2\" or \"1.3\" expected"] = function() tlsmem.client { min = "1.1" } end,
    ["foo is no limit"] = function() tlsmem.client { limits = { foo = 1 } } end,
    ["no port"] = function() loop:connect(ctx, "127.0.0.1", 65536) end,
    ["tlsmem.context expected"] = function() loop:connect({}, "127.0.0.1", port) end,
    ["tlsmem.loop expected"] = function() loop.connect(ctx, ctx, "127.0.0.1", port) end,
    ["function expected"] = function() loop:spawn(1) end,
    ["milliseconds"] = function() loop:sleep(-1) end,
    ["invalid option 'x'"] = function() connect():read "x" end,
    ["bytes, 1 or more"] = function() connect():read(0) end,
    ["bad argument"] = function() connect():write({}) end,
    ["reed is no option"] = function() connect():timeout { reed = 1 } end,
} do says(words, f) end
fails("TLSMEM_ECONFIG", tlsmem.client, { ca = "/nowhere" })
fails("TLSMEM_ECONFIG", both.server, { key = both.file "client.key" })
fails("TLSMEM_ENOIDENTITY", loop.listen, loop, tlsmem.server {}, nil, 0, print)
fails("TLSMEM_ESTATE", loop.listen, loop, ctx, nil, 0, print)
assert(fails("TLSMEM_ESYSTEM", loop.listen, loop, both.server(), "127.0.0.1", port, print).sentence == "Address already in use")

-- A Unix socket in place of host and port.
local there = loop:listen(both.server(), nil, nil, both.echo, { path = "@" .. tostring(loop) })
assert(there:port() == 0)
local near = loop:connect(ctx, nil, nil, { path = "@" .. tostring(loop), name = "localhost", timeout = 5000 })
assert(near:write "near\n":read() == "near" and near:peer_address() == nil)
near:close()
there:close()

listener:close()
listener:close()
fails("TLSMEM_ESTATE", listener.port, listener)
loop:run()
loop:close()
loop:close()
fails("TLSMEM_ESTATE", loop.run, loop)
fails("TLSMEM_ESTATE", loop.spawn, loop, print)
assert(getmetatable(loop) == false and loop.__gc == nil)
print "all mistakes were told"

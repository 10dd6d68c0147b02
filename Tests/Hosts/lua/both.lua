-- both.lua - what these scripts share: a server and clients in one loop, with the throw-away certificates of the folder
-- that is the first argument.
local tlsmem = require "tlsmem"
local both = { tlsmem = tlsmem, loop = tlsmem.loop() }

function both.file(name) return arg[1] .. "/" .. name end

-- A server's context with these options besides.
function both.server(options)
    local all = { cert = both.file "server.pem", key = both.file "server.key" }
    for name, value in pairs(options or {}) do all[name] = value end
    return tlsmem.server(all)
end

function both.client(options)
    local all = { ca = both.file "ca.pem" }
    for name, value in pairs(options or {}) do all[name] = value end
    return tlsmem.client(all)
end

-- Listens on a free port, with this handler.
function both.listen(handler, options, how)
    return both.loop:listen(both.server(options), "127.0.0.1", 0, handler, how)
end

-- The handler of an echo.
function both.echo(c)
    for piece in c:lines("s") do c:write(piece) end
end

-- Calls it, which has to fail; returns with what.
function both.failure(f, ...)
    local good, problem = pcall(f, ...)
    assert(not good, "nothing failed")
    return problem
end

-- It has to fail with an error object of this status.
function both.fails(status, f, ...)
    local problem = both.failure(f, ...)
    assert(type(problem) == "table" and problem.status == status,
           ("%s expected, got: %s"):format(status, type(problem) == "table" and problem.status or problem))
    assert(#tostring(problem) > 0 and tostring(problem) == problem.sentence)
    return problem
end

-- It has to fail with a string in which this is.
function both.says(words, f, ...)
    local problem = both.failure(f, ...)
    assert(type(problem) == "string" and problem:find(words, 1, true), ("%q expected, got: %s"):format(words, problem))
end

-- How many descriptors this process has below 1024.
function both.descriptors()
    local count = 0
    for fd = 0, 1023 do
        local info <close> = io.open("/proc/self/fdinfo/" .. fd)
        if info then count = count + 1 end
    end
    return count
end

-- The memory that it uses, in KiB.
function both.memory()
    for line in io.lines("/proc/self/status") do
        local kib = line:match("^VmRSS:%s*(%d+)")
        if kib then return tonumber(kib) end
    end
end

return both

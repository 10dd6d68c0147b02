-- many.lua FOLDER COUNT - so many connections at once in one loop, of both versions, each with an echo of its own; and then as
-- many who write to one connection.
local both = require "both"
local loop, count = both.loop, tonumber(arg[2])
local here, served, done = 0, 0, 0
local listener = both.listen(function(c)
    served = served + 1
    both.echo(c)
end)
local contexts = { both.client { max = "1.2" }, both.client { min = "1.3" } }

for i = 1, count do
    loop:spawn(function()
        local c <close> = loop:connect(contexts[i % 2 + 1], "127.0.0.1", listener:port())
        assert(c:protocol() == (i % 2 == 0 and "TLSv1.2" or "TLSv1.3"))
        here = here + 1
        while here < count do loop:sleep(5) end -- until all are there
        local words = ("%d of %d\n"):format(i, count):rep(500)
        c:write(words):close_write()
        assert(c:read("a") == words)
        done = done + 1
        if done == count then listener:close() end
    end)
end
loop:run()
assert(served == count and done == count)
print(count .. " at once")

-- What one task writes stays in one piece, whoever writes besides; and small pieces keep their order.
local pieces, whole = 0, nil
listener = both.listen(function(c)
    while true do
        local letter = c:read(1)
        if not letter then break end
        assert(c:read(300000) == letter:rep(300000))
        pieces = pieces + 1
    end
    for i = 1, 1000 do c:write(i, " ") end
end)
local c = loop:connect(contexts[1], "127.0.0.1", listener:port())
local left = 26
for i = 0, 25 do
    loop:spawn(function()
        c:write(string.char(97 + i):rep(300001))
        left = left - 1
        if left > 0 then return end
        c:close_write()
        whole = c:read("a")
        c:close()
        listener:close()
    end)
end
loop:run()
local expected = {}
for i = 1, 1000 do expected[i] = i .. " " end
assert(pieces == 26 and whole == table.concat(expected))
print "in one piece each"

-- cycles.lua FOLDER COUNT [dropped] - connects and closes so many times, one after the other, or drops what it connected; the
-- descriptors and the memory at the end are those of the tenth part. What is dropped is collected before there is too much of
-- it, although the rest of the memory gives no reason to.
local both = require "both"
local loop, count, dropped = both.loop, tonumber(arg[2]), arg[3] == "dropped"
local ballast = {}
for i = 1, dropped and 80000 or 0 do ballast[i] = {} end
local ctx = both.client { max = "1.2" }
local served, descriptors, memory, most = 0, 0, 0, 0
local listener = both.listen(function(c)
    served = served + 1
    if not dropped then assert(c:read() == "word") c:write("answer\n") end
    c:read("s")
end)

loop:spawn(function()
    for i = 1, count do
        local c = loop:connect(ctx, "127.0.0.1", listener:port())
        if not dropped then
            c:write("word\n")
            assert(c:read() == "answer")
            c:close()
        end
        if i == count // 10 then descriptors, memory = both.descriptors(), both.memory() end
        if i % 20 == 0 then most = math.max(most, both.descriptors()) end
    end
    listener:close()
    collectgarbage()
end)
loop:run()
collectgarbage()
collectgarbage()
print("served", served)
print("descriptors", descriptors, both.descriptors(), "at most", most)
print("memory", memory, both.memory())

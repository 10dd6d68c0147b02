-- ending.lua FOLDER HOW - the state is closed while everything is alive: at the end of the script, by os.exit in a task or a
-- handler, or by an error in a task.
local both = require "both"
local loop, how = both.loop, arg[2]
keep = {}
local port = both.listen(function(c)
    keep[#keep + 1] = c
    if c:read() == "exit" then os.exit(7, true) end
    both.echo(c)
end):port()
for i = 1, 5 do
    loop:spawn(function()
        local c <close> = loop:connect(both.client(), "127.0.0.1", port)
        keep[#keep + 1] = c
        c:write("word\n", ("x"):rep(100000)) -- more comes back than is read
        c:read(10)
        keep[#keep + 1] = loop:timer(100000, print)
        if i == 5 then loop:stop() end
        c:read "a"
    end)
end
loop:spawn(loop.sleep, loop, 100000)
setmetatable(keep, { __gc = function() -- all of it is used once more, by whoever is finalized first or last
    for _, thing in ipairs(keep) do
        for _, name in ipairs { "write", "read", "close", "cancel" } do
            if thing[name] then pcall(thing[name], thing) end
        end
    end
    pcall(loop.run, loop)
    pcall(loop.spawn, loop, print)
end })
loop:run()
if how == "exit" then
    loop:spawn(function() os.exit(7, true) end)
elseif how == "handler" then
    loop:spawn(function() loop:connect(both.client(), "127.0.0.1", port):write "exit\n":read() end)
elseif how == "error" then
    loop:spawn(error, "at the end")
else
    return
end
loop:run()

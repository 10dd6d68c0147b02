-- pump.lua FOLDER PORT FILE - sends a file, and writes what comes back to standard output, both at once.
local both = require "both"
local loop = both.loop
local c = loop:connect(both.client(), "localhost", tonumber(arg[2]))
loop:spawn(function()
    for piece in io.lines(arg[3], 100000) do c:write(piece) end
    c:close_write()
end)
loop:spawn(function()
    for piece in c:lines("s") do io.stdout:write(piece) end
    c:close()
end)
loop:run()

-- pace.lua FOLDER MIBS - a server whose clients say what they do: "take", which it writes so many MiB to, or "take whole", in
-- one string; "give", of which it reads nothing until another has said "go on", and then tells how many bytes there were.
local both = require "both"
local loop, size = both.loop, tonumber(arg[2]) << 20
local piece = ("0123456789abcdef"):rep(4096)
local go_on = false

local function give_to(c, piece)
    local written, finished = 0, false
    loop:spawn(function()
        local before
        repeat -- until it is held up, which is when nothing was written for a while
            before = written
            loop:sleep(300)
        until written == before
        print("held up", written, "memory", both.memory())
        io.stdout:flush()
    end)
    while written < size do
        c:write(piece)
        written = written + #piece
    end
end

local listener = both.listen(function(c)
    local what = c:read()
    if what == "take" or what == "take whole" then
        give_to(c, what == "take" and piece or piece:rep(size // #piece))
        c:close_write()
        c:read("s")
    elseif what == "give" then
        while not go_on do loop:sleep(10) end
        print("memory", both.memory())
        local count = 0
        while count < size do count = count + #c:read("s") end
        c:write(tostring(count))
    elseif what == "go on" then
        go_on = true
    end
end)
print("listening on 127.0.0.1:" .. listener:port())
io.stdout:flush()
loop:run()

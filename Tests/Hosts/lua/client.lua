-- client.lua FOLDER HOST PORT CA [ask|cut] - connects, and says what it knows of the server, or why it failed.
local both = require "both"
local _, host, port, ca, what = table.unpack(arg)
local ctx = both.client { ca = both.file(ca), alpn = { "nothing", "http/1.1" } }

local function talk()
    local c <close> = both.loop:connect(ctx, host, tonumber(port))
    print("protocol", c:protocol())
    print("cipher", c:cipher())
    print("alpn", c:alpn())
    print("subject", c:peer_subject())
    print("issuer", c:peer_issuer())
    print("names", table.concat(c:peer_names(), " "))
    print("pem", #c:peer_pem(), "der", #c:peer_certificate(), "address", c:peer_address())
    if what then
        c:write("hello\n")
        print("line", c:read())
        print("rest", c:read("a"))
    end
end

local good, problem = pcall(talk)
if not good then
    print("failed", type(problem) == "table" and problem.status, problem)
    print("alerts", type(problem) == "table" and problem.alert_sent, type(problem) == "table" and problem.alert_received)
end

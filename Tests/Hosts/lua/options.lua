-- options.lua FOLDER ENCRYPTED - what the options of contexts do, each seen in a handshake. ENCRYPTED is server.key, behind the
-- password "open sesame".
local both = require "both"
local tlsmem, loop, fails, file = both.tlsmem, both.loop, both.fails, both.file
local encrypted = arg[2]
local function text(name)
    local handle <close> = io.open(name)
    return handle:read "a"
end

-- Connects a client to a server, and returns what ask(c) says of the client's end, or what it fails with.
local function handshake(server, client, ask)
    local listener <close> = loop:listen(server, "127.0.0.1", 0, function(c)
        c:write(c:peer_subject() or "nobody", "\n")
        c:read "s"
    end)
    local c <close> = loop:connect(client, "127.0.0.1", listener:port())
    return c:read() or "nothing", ask and ask(c)
end
local function fact(name) return function(c) return c[name](c) end end
local server, client = both.server, both.client

assert(handshake(server(), client()) == "nobody")
assert(handshake(tlsmem.server { cert = file "server.pem", key = encrypted, password = "open sesame" }, client()) == "nobody")
fails("TLSMEM_ECONFIG", tlsmem.server, { cert = file "server.pem", key = encrypted, password = "wrong" })
fails("TLSMEM_ECONFIG", tlsmem.server, { cert = file "server.pem", key = encrypted })
assert(handshake(tlsmem.server { cert_pem = text(file "server.pem"), key_pem = text(file "server.key") },
                 tlsmem.client { ca_pem = text(file "ca.pem") }) == "nobody")

for version, name in pairs { ["1.2"] = "TLSv1.2", ["1.3"] = "TLSv1.3" } do
    local _, protocol = handshake(server { min = version, max = version }, client(), fact "protocol")
    assert(protocol == name)
    _, protocol = handshake(server(), client { min = version, max = version }, fact "protocol")
    assert(protocol == name)
end
fails("TLSMEM_EVERSION", handshake, server { max = "1.2" }, client { min = "1.3" })
fails("TLSMEM_ECONFIG", client, { min = "1.3", max = "1.2" })
local _, cipher = handshake(server { max = "1.2" }, client { ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" }, fact "cipher")
assert(cipher == "ECDHE-ECDSA-AES128-GCM-SHA256")
local _, group = handshake(server(), client { groups = "P-256" }, fact "group")
assert(group == "secp256r1")
fails("TLSMEM_ECONFIG", client, { ciphers = "NO-SUCH-CIPHER" })

for _, offered in ipairs { "b", "b,c", { "b", "c" }, { "x", "b" } } do
    local _, alpn = handshake(server { alpn = { "a", "b" } }, client { alpn = offered }, fact "alpn")
    assert(alpn == "b")
end
fails("TLSMEM_EALPN", handshake, server { alpn = "a" }, client { alpn = "c" })

local known = { cert = file "client.pem", key = file "client.key" }
local examined = { verify = "required", ca = file "ca.pem", max = "1.2" }
assert(handshake(server(examined), client(known)) == "CN=test client")
assert(fails("TLSMEM_EALERT", handshake, server(examined), client()).alert_received == 40)
examined.verify = "optional"
assert(handshake(server(examined), client()) == "nobody" and handshake(server(examined), client(known)) == "CN=test client")
local expired = client { cert = file "expired-client.pem", key = file "expired-client.key" }
fails("TLSMEM_EREJECTED", handshake, server(examined), expired)

fails("TLSMEM_EVERIFY", handshake, server(), tlsmem.client()) -- by the system's authorities
fails("TLSMEM_EVERIFY", handshake, server(), tlsmem.client { insecure_no_verify = false })
assert(handshake(server(), tlsmem.client { insecure_no_verify = true }) == "nobody")
local keylog = os.tmpname()
assert(handshake(server(), client { keylog = keylog }) == "nobody" and text(keylog):find "CLIENT_TRAFFIC_SECRET_0")
os.remove(keylog)
assert(fails("TLSMEM_EINVAL", client, { limits = { outgoing_max = 1 } }).sentence:find "^limits: ")
print "each option does what it says"

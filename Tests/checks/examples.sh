# The examples under valgrind.

watched=(valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect)

memory_pair_watched() {
    "${watched[@]}" build/examples/memory_pair --cert "$certs/server.pem" --key "$certs/server.key" --ca "$certs/ca.pem" \
        --tls "$1" --bytes 300000
}

# Server and client over TCP, both watched; the client's answer is what it sent.
echo_watched() {
    local line server code=0
    exec 7< <(exec "${watched[@]}" build/examples/echo_server --cert "$certs/server.pem" --key "$certs/server.key" --port 0 --max 1)
    server=$!
    read -r line <&7
    seq 1 30000 > "$work/text"
    "${watched[@]}" build/examples/relay_client --host 127.0.0.1 --port "${line##*:}" --ca "$certs/ca.pem" --tls "$1" \
        < "$work/text" > "$work/answer" || { code=$?; kill "$server"; }
    exec 7<&-
    wait "$server" && cmp "$work/text" "$work/answer" && return "$code"
}

# A file from OpenSSL's server, and the first lines of a file that does not come whole.
https_get_watched() {
    local port server code=0
    head -c 300000 /dev/urandom > "$certs/file"
    coproc server { cd "$certs" && exec openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -WWW; }
    port=$(sed -n 's/^ACCEPT .*://p;T;q' <&"${server[0]}")
    "${watched[@]}" build/examples/https_get --ca "$certs/ca.pem" --tls "$1" --output "$work/answer" --show-cert --max-time 60 \
        "https://localhost:$port/file" && cmp "$certs/file" "$work/answer" || code=1
    "${watched[@]}" build/examples/https_get --ca "$certs/other-ca.pem" --tls "$1" "https://localhost:$port/file"
    [ $? = 3 ] || code=1
    kill "$server_PID"
    return "$code"
}

# A message, and back to plain; and a client that does not trust the server.
starttls_watched() {
    local line port server code=0
    exec 7< <(exec "${watched[@]}" build/examples/starttls --cert "$certs/server.pem" --key "$certs/server.key" --port 0 \
        --max 2 --print)
    server=$!
    read -r line <&7 && port=${line##*:}
    seq 1 5000 > "$work/text"
    "${watched[@]}" build/examples/starttls --mode client --port "$port" --ca "$certs/ca.pem" --tls "$1" --from a --to b \
        --stop-tls < "$work/text" || code=1
    "${watched[@]}" build/examples/starttls --mode client --port "$port" --ca "$certs/other-ca.pem" --tls "$1"
    [ $? = 3 ] || { code=1; kill "$server"; }
    cmp "$work/text" - <&7 || code=1
    exec 7<&-
    wait "$server" && return "$code"
}

certs=$work/certificates
Tests/certificates "$certs"
succeeds "valgrind: memory_pair, TLS 1.2" memory_pair_watched 1.2
succeeds "valgrind: memory_pair, TLS 1.3" memory_pair_watched 1.3
succeeds "valgrind: echo_server and relay_client, TLS 1.2" echo_watched 1.2
succeeds "valgrind: echo_server and relay_client, TLS 1.3" echo_watched 1.3
succeeds "valgrind: https_get, TLS 1.2" https_get_watched 1.2
succeeds "valgrind: https_get, TLS 1.3" https_get_watched 1.3
succeeds "valgrind: starttls, TLS 1.2" starttls_watched 1.2
succeeds "valgrind: starttls, TLS 1.3" starttls_watched 1.3

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

certs=$work/certificates
Tests/certificates "$certs"
succeeds "valgrind: memory_pair, TLS 1.2" memory_pair_watched 1.2
succeeds "valgrind: memory_pair, TLS 1.3" memory_pair_watched 1.3
succeeds "valgrind: echo_server and relay_client, TLS 1.2" echo_watched 1.2
succeeds "valgrind: echo_server and relay_client, TLS 1.3" echo_watched 1.3

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

# A server of files and a few requests of every kind.
web_watched() { # PROGRAM CURL-OPTION
    local line server url options more path code=0
    mkdir -p "$work/root/sub"
    seq 1 100000 > "$work/root/text" && echo index > "$work/root/sub/index.html"
    exec 7< <(exec "${watched[@]}" "build/examples/$1" --cert "$certs/server.pem" --key "$certs/server.key" --port 0 \
        --root "$work/root" --log /dev/null)
    server=$!
    read -r line <&7
    url=https://localhost:${line##*:}
    options=("$2" --silent --show-error --noproxy '*' --cacert "$certs/ca.pem" --max-time 60 --output "$work/answer")
    curl "${options[@]}" "$url/text" && cmp "$work/answer" "$work/root/text" || code=1
    curl "${options[@]}" --data-binary "@$work/root/text" -H 'Transfer-Encoding: chunked' "$url/echo" &&
        cmp "$work/answer" "$work/root/text" || code=1
    for more in "--range 5-9" --head "-X DELETE" "-H Range:bytes=9999999-"; do
        # shellcheck disable=SC2086
        curl "${options[@]}" $more "$url/text" || code=1
    done
    for path in sub/ sub %2e%2e/x echo; do
        curl "${options[@]}" "$url/$path" || code=1
    done
    curl "${options[@]}" --max-filesize 10 "$url/text" && code=1 # broken off
    head -c 3000000 /dev/zero | curl "${options[@]}" --data-binary @- "$url/echo" || code=1
    kill "$server"
    exec 7<&-
    wait "$server" && return "$code"
}

certs=$work/certificates
Tests/certificates "$certs"
succeeds "valgrind: memory_pair, TLS 1.2" memory_pair_watched 1.2
succeeds "valgrind: memory_pair, TLS 1.3" memory_pair_watched 1.3
succeeds "valgrind: echo_server and relay_client, TLS 1.2" echo_watched 1.2
succeeds "valgrind: echo_server and relay_client, TLS 1.3" echo_watched 1.3
succeeds "valgrind: https_server and curl" web_watched https_server --http1.1
succeeds "valgrind: h2_server and curl" web_watched h2_server --http2

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

# A server in somebody's loop: two clients that come and go, one that says nothing, and one that has had an echo; those are
# there when it is told to end. What a library keeps as long as the process may stay, but no connection is among that.
loop_watched() {
    local line port server client version log=$work/watched.log
    exec 7< <(exec "${watched[@]}" --show-leak-kinds=all --log-file="$log" build/examples/"$1" \
        --cert "$certs/server.pem" --key "$certs/server.key" --port 0)
    server=$!
    read -r line <&7
    port=${line##*:}
    seq 1 30000 > "$work/text"
    for version in 1.2 1.3; do
        build/examples/relay_client --host 127.0.0.1 --port "$port" --ca "$certs/ca.pem" --tls "$version" \
            < "$work/text" > "$work/answer"
        cmp "$work/text" "$work/answer" || { kill "$server"; return 1; }
    done
    rm -f "$work/words" && mkfifo "$work/words"
    exec 8<> "/dev/tcp/127.0.0.1/$port" 9<> "$work/words"
    build/examples/relay_client --host 127.0.0.1 --port "$port" --ca "$certs/ca.pem" < "$work/words" > "$work/answer" 2>&1 &
    client=$!
    echo here >&9
    timeout 20 sh -c 'until grep -q here "$0"; do sleep 0.05; done' "$work/answer" || { kill "$server"; return 1; }
    kill "$server"
    wait "$server" || { echo "exit code $?"; grep -A12 -m1 -E 'Invalid|uninit|definitely|indirectly' "$log"; return 1; }
    ! grep -B4 -A8 -m1 -w SSL_new "$log" || return 1
    wait "$client" || : # the server went without a word
    exec 7<&- 8<&- 9<&-
}

certs=$work/certificates
Tests/certificates "$certs"
succeeds "valgrind: memory_pair, TLS 1.2" memory_pair_watched 1.2
succeeds "valgrind: memory_pair, TLS 1.3" memory_pair_watched 1.3
succeeds "valgrind: echo_server and relay_client, TLS 1.2" echo_watched 1.2
succeeds "valgrind: echo_server and relay_client, TLS 1.3" echo_watched 1.3
for program in own_loop_{poll,epoll,libuv,libevent,libev,glib,io_uring} nested_{poll,libuv}; do
    succeeds "valgrind: $program" loop_watched "$program"
done

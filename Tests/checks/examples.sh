# Every example under valgrind: no error, nothing lost. A server is talked to and then ended by SIGTERM, most of them with
# clients that are still there; a client talks to somebody. A program that has no row in the table fails: whoever adds one
# says how it is exercised.

folder=${EXAMPLES:-build/examples}
valgrind=(valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect)
certs=$work/certificates
identity=(--cert "$certs/server.pem" --key "$certs/server.key")
both="1.2 1.3"

exercised() {
    case $1 in
        hello) said_hello hello ;;
        hello_poll) said_hello hello_poll fd && said_hello hello_poll buffers ;;
        line_client) typed ;;
        hundred_seeds) watched hundred_seeds "$work/recording" > "$work/said" && grep -qx '100 seeds passed' "$work/said" ;;
        memory_pair) paired ;;
        protocol_test) tested ;;
        echo_server | own_loop_* | nested_* | remote_key | fleet_server) echoed "$1" ;;
        relay_client) asked_for_echos ;;
        relay_server) relayed ;;
        tls_proxy) proxied ;;
        https_server) served https_server --http1.1 ;;
        h2_server) served h2_server --http2 && served h2_server --http1.1 ;;
        https_get) fetched ;;
        starttls) mailed ;;
        starttls_postgres) asked_a_database ;;
        plugin_host) loaded ;;
        *) echo "Tests/checks/examples.sh does not say how $1 is exercised"; return 1 ;;
    esac
}

watched() { local name=$1; shift; timeout 60 "${valgrind[@]}" "$folder/$name" "$@"; }

# begin COMMAND...: starts what says where it listens, which is then in $port; end: ends all that was begun
begun=()
begin() {
    local line heard
    exec {heard}< <(exec "$@")
    begun+=("$!")
    while read -r line <&"$heard"; do
        case $line in listening\ on*) port=${line##*:}; return ;; esac
    done
    echo "$* does not listen"
    return 1
}
end() {
    local pid code all=0
    for pid in "${begun[@]}"; do
        kill "$pid" || all=1
        timeout 30 tail --pid="$pid" --sleep-interval=0.1 --follow /dev/null || kill -KILL "$pid"
        wait "$pid" || { code=$?; echo "a server ended with code $code"; all=1; }
    done
    begun=()
    return "$all"
}
server() { local name=$1; shift; begin "${valgrind[@]}" "$folder/$name" --port 0 "${identity[@]}" "$@"; }
helper() { local name=$1; shift; begin "$folder/$name" --port 0 "${identity[@]}" "$@"; } # not watched

# fails CODE COMMAND...: it ends with this code
fails() { local code=0 wanted=$1; shift; "$@" || code=$?; [ "$code" = "$wanted" ] || { echo "code $code: $*"; return 1; }; }
# The peer of most servers: a text there and back; a client that does not trust it; one that speaks no TLS.
echo_of() { "$folder/relay_client" --port "$port" --ca "$certs/ca.pem" "$@" < "$certs/text" | cmp "$certs/text"; }
other_clients() {
    fails 3 "$folder/relay_client" --port "$port" --ca "$certs/other-ca.pem" < /dev/null && echo no TLS > "/dev/tcp/127.0.0.1/$port"
}
# Two that are still there when the server is ended: one has said nothing, the other has had its echo.
stay() {
    local silent words heard=$work/heard.$port
    exec {silent}<> "/dev/tcp/127.0.0.1/$port"
    exec {words}> >(exec "$folder/relay_client" --port "$port" --ca "$certs/ca.pem" > "$heard" 2>&1)
    echo here >&"$words"
    timeout 20 sh -c 'until grep -q here "$0"; do sleep 0.05; done' "$heard"
}

said_hello() { # PROGRAM [FACE]
    helper echo_server && [ "$(watched "$@" 127.0.0.1 "$port" "$certs/ca.pem")" = hello ] &&
        fails 3 watched "$@" 127.0.0.1 "$port" "$certs/other-ca.pem"
}
typed() { # there and back; and nothing of what was typed is lost when the input ends
    helper echo_server && watched line_client 127.0.0.1 "$port" "$certs/ca.pem" < "$certs/text" | cmp "$certs/text" &&
        fails 1 watched line_client 127.0.0.1 "$port" "$certs/other-ca.pem" < "$certs/text"
}
paired() {
    for version in $both; do watched memory_pair "${identity[@]}" --ca "$certs/ca.pem" --tls "$version" --bytes 300000 || return; done
    fails 3 watched memory_pair "${identity[@]}" --ca "$certs/other-ca.pem"
}
tested() { # two seeds that break connections, and one that finds the mistake
    watched protocol_test "${identity[@]}" --ca "$certs/ca.pem" --seeds 6 &&
        fails 3 watched protocol_test "${identity[@]}" --ca "$certs/ca.pem" --wrong
}
echoed() { server "$1" --stats && echo_of --tls 1.2 && echo_of --tls 1.3 && other_clients && stay; }
asked_for_echos() {
    helper echo_server || return
    for version in $both; do
        watched relay_client --port "$port" --ca "$certs/ca.pem" --tls "$version" --show-verdict --keylog-stderr --trace < "$certs/text" | cmp "$certs/text" || return
    done
    fails 3 watched relay_client --port "$port" --ca "$certs/other-ca.pem" < /dev/null
}
relayed() {
    server relay_server < "$certs/text" && sleep 1 | "$folder/relay_client" --port "$port" --ca "$certs/ca.pem" | cmp "$certs/text" &&
        other_clients
}
proxied() { # both modes, one after the other, with a PROXY header between them, and before all an echo over TLS
    helper echo_server &&
        server tls_proxy --mode client --ca "$certs/ca.pem" --upstream "localhost:$port" --accept-proxy --drain 1 &&
        server tls_proxy --upstream "127.0.0.1:$port" --send-proxy --threads 2 --drain 1 || return
    echo_of --tls 1.2 && kill -HUP "${begun[@]:1}" && kill -USR1 "${begun[@]:1}" && echo_of --tls 1.3 &&
        other_clients && stay
}
served() { # what asks for localhost gets a context of its own
    server "$1" --root "$certs" --sites "$certs/sites" --client-ca "$certs/ca.pem" --client-verify optional --show-verdict && curl --silent --fail "$2" --cacert "$certs/ca.pem" "https://localhost:$port/text" | cmp "$certs/text" &&
        fails 22 curl --silent --fail "$2" --cacert "$certs/ca.pem" "https://localhost:$port/none" && other_clients
}
fetched() {
    helper https_server --root "$certs" &&
        watched https_get --ca "$certs/ca.pem" "https://localhost:$port/text" | cmp "$certs/text" &&
        watched https_get --resume --ca "$certs/ca.pem" "https://localhost:$port/text" | cmp "$certs/text" &&
        fails 3 watched https_get --ca "$certs/other-ca.pem" "https://localhost:$port/text"
}
mailed() {
    server starttls --mode server && watched starttls --mode client --port "$port" --ca "$certs/ca.pem" --host localhost \
        --from a@example.org --to b@example.org --stop-tls < "$certs/text" && other_clients
}

asked_a_database() {
    begin python3 Tests/checks/database.py "$certs" && watched starttls_postgres --host localhost --port "$port" --ca "$certs/ca.pem" &&
        fails 3 watched starttls_postgres --host localhost --port "$port" --ca "$certs/other-ca.pem"
}

# Both plugins in one host, three times over; the server alone; a client that trusts nobody.
loaded() {
    local plugins=$folder/plugins
    watched plugin_host --port 0 "${identity[@]}" --ca "$certs/ca.pem" --max 1 --rounds 3 "$plugins/echo.so" "$plugins/fetch.so" |
        grep -c '^hello$' | grep -qx 3 &&
        begin "${valgrind[@]}" "$folder/plugin_host" --port 0 "${identity[@]}" "$plugins/echo.so" && echo_of && other_clients && stay &&
        fails 3 watched plugin_host --port "$port" --ca "$certs/other-ca.pem" "$plugins/fetch.so"
}

# What of two at a time they said, and with which code they ended, is in files.
Tests/certificates "$certs"
seq 1 20000 > "$certs/text"
mkdir "$certs/sites" && for file in pem key; do cp "$certs/server.$file" "$certs/sites/localhost.$file"; done
programs=$(make --silent -C examples-c --eval='programs:;@echo $(notdir $(TARGETS))' programs)
check "the Makefile names its examples" [ "$(wc -w <<< "$programs")" -gt 7 ]
for program in $programs; do
    [ "$(jobs -pr | wc -l)" -lt 2 ] || wait -n
    { exercised "$program"; code=$?; end && [ "$code" = 0 ]; } > "$work/$program.said" 2>&1 && : > "$work/$program.good" &
done
wait
held() { [ -e "$work/$1.good" ] || cat "$work/$1.said"; }
for program in $programs; do check "valgrind: $program" held "$program"; done

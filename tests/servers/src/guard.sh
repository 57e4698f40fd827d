# Runs a server that cannot outlive whoever started it: sh guard.sh HOME COMMAND…
#
# Standard input is a pipe held by the owner. A line on it is a signal to send to the server; its end means that the
# owner is gone, however it went: the server is killed and its directory removed. Ends when the server ends.
home=$1
shift
exec 3<&0
"$@" </dev/null >>"$home/log" 2>&1 3<&- &
server=$!
(
    while read -r signal; do kill -s "$signal" "$server"; done
    trap '' TERM
    kill -s KILL "$server"
) <&3 >/dev/null 2>&1 &
watch=$!
exec 3<&- </dev/null
wait "$server"
status=$?
kill "$watch" 2>/dev/null
# A watch that came to the end of its pipe is not killed but succeeds, or says that there was no server left.
wait "$watch" 2>/dev/null
[ $? -le 1 ] && rm -rf "$home"
exit "$status"

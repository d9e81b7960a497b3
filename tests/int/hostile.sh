#!/usr/bin/env bash
# hostile: a client that breaks the protocol loses its connection and nothing
# else: one line in the log, no descriptor in the broker, others go on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

fake_machine
for i in {0..7}; do
	fake_device "0000:01:10.$i" 020000 igbvf "$((4000 + i))"
done
policy <<-END
	allow uid $USER1 use all managed
	limit any requests 100000/s
END
broker_start --sysroot "$fake"

hold other $USER2 hello ask=1
poll quiet 1 # the other's session and a spare
calm=$(fds "$broker_pid")
pid=$broker_pid

# calm_again WHAT: the broker is as it was, and the other client has noticed
# nothing.
calm_again() {
	wait_for "$1: its session is gone" quiet 1
	wait_for "$1: the broker has no descriptor more than before" has_fds "$pid" "$calm"
	check "$1: others are served" peer $USER3 hello ask=3
	poll quiet 1
}

# hostile WHAT REGEX STEP...: closed, and the log has one line about it.
hostile() {
	local what=$1 regex=$2
	shift 2
	log_skip
	check "$what: loses its connection" peer $USER1 "$@" closed
	calm_again "$what"
	log_news >"$out"
	check_says "closed the connection of uid $USER1, pid [0-9]+: it sent .*$regex" \
		"$what: the log says so"
	check_equal 1 "$(log_news | wc -l)" "$what: in one line"
}

hostile "garbage" "" send=ffffffffffffffff
hostile "garbage behind a hello" "" hello send=deadbeef
hostile "a request without an op" "" send=0801
hostile "an unknown op" "" send=0801fa0100
hostile "a request cut short" "" send=080112
hostile "two ops in one request" "" send=0801120208011a00
hostile "bytes behind the request" "" send=08011a0000
hostile "a packet of 9000 bytes" "longer than the limit" long=9000
hostile "a packet of 64 KB" "longer than the limit" long=65536
hostile "8192 bytes of garbage" "" long=8192
hostile "no bytes" "no bytes" empty
hostile "no bytes behind a hello" "no bytes" hello empty
hostile "an fd" "an fd where none belongs" fds=1
hostile "two fds" "several fds" fds=2
hostile "thirty fds" "several fds" fds=30
hostile "no fd where one is promised" "no fd where one belongs" send=08012a060a0210013801

# Less than a request, and no request.

log_skip
check "nothing at all" peer $USER1 shutdown=write closed
check "a client that connects and goes" peer $USER1
check "and one that asks and goes" peer $USER1 burst=1
calm_again "silence"
check_equal '' "$(log_news)" "silence: is not logged"

# A client that asks and does not read holds up itself alone.
hold lazy $USER1 burst=100000
sent=$(sed -n 's/^sent //p' "$dir/lazy.out")
check_most 5000 "$sent" "a client that does not read can not write for ever"
check "another one of the same user is served meanwhile" peer $USER1 hello ask=20
check "and so are others" peer $USER3 hello ask=20
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
check "when it reads, all is answered" \
	peer $USER1 hello burst=3000 drain
check "the lazy one may go" release lazy
calm_again "not reading"
check_most "$((rss + 2048))" "$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")" \
	"not reading: the broker keeps no memory for it (KiB)"

# Watching without reading either.
hold watcher $USER1 send=08016200 answer=0
for i in {1..5}; do
	reload
done
check "a watcher that does not read" release watcher
calm_again "not watching"

# Fast, but within the limit.
check "3,000 requests one after another" peer $USER1 ask=3000
note "3,000 requests take $(cat "$out") ms"
calm_again "haste"

# Many at once, each of them wrong.
clients=()
for i in {1..40}; do
	peer "$((62000 + i))" send=ffff closed >"$dir/many.$i" 2>&1 &
	clients+=($!)
done
bad=0
for client in "${clients[@]}"; do
	wait "$client" || bad=$((bad + 1))
done
check_equal 0 "$bad" "forty at once: all are closed"
calm_again "forty at once"

check "the client that was there all the time ends as it likes" release other
check_equal "$pid" "$broker_pid" "the broker is the same process"
check_not "and alive" broker_is_dead

# What a client is called must not reach a terminal.
log_skip
check "a name with control bytes" peer $USER1 name=1b5b33316d0a0d07 connect \
	send=08012a040a021001 answer=1
check "a name that is no UTF-8" peer $USER1 name=fffe80c3 connect \
	send=08012a040a021001 answer=1
log_news >"$out"
check_says 'uid 61001, pid [0-9]+ \(\?\[31m' "is logged without them"
check_equal '' "$(grep -a -n '[^[:print:]]' "$broker_log")" "the log is printable"
broker_stop

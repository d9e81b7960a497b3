#!/usr/bin/env bash
# limits: what one user may use up, and what a thousand cost.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$INT_SRC/lib.sh"
# shellcheck source-path=SCRIPTDIR source=fake.sh
. "$INT_SRC/fake.sh"

fake_machine
for i in {0..7}; do
	fake_device "0000:01:10.$i" 020000 igbvf "$((4000 + i))"
done
policy <<-END
	limit uid $USER1 connections 4
	limit uid $USER2 requests 5/s
	limit uid $USER3 connections 2000
	limit uid 61011 connections 2 requests 1/s
	limit any requests 100000/s
END

# nofile PID: how many files it may open, soft and hard.
nofile() {
	awk '/^Max open files/ { print $4, $5 }' "/proc/$1/limits"
}

# The broker raises what it was started with: for good if it may, else as far
# as it can.  It counts for its sessions too (isolate.c).
want=$(ulimit -Hn)
if [ "$want" = unlimited ] || [ "$want" -ge 131072 ] || (ulimit -Hn 131072) 2>/dev/null; then
	want=131072
fi
ulimit -Sn 1024
broker_start --sysroot "$fake"
poll quiet 0
calm=$(fds "$broker_pid")
check_equal "$want $want" "$(nofile "$broker_pid")" "the broker may open many files"
check_equal "$want $want" "$(nofile "$(sessions spare)")" "and so may its sessions"

# ---- connections

hold four $USER1 crowd=3 hello
log_skip
check "the fifth of four connections is closed" peer $USER1 closed
log_news >"$out"
check_says "uid $USER1, pid [0-9]+ \(peer\): not served: too many connections" \
	"and the log says whose it was"
check_equal 1 "$(wc -l <"$out")" "in one line"
check_exit 69 "the command finds no broker then" vb $USER1 status
check_says 'closed the connection' "and says how that looked"
check "others are served" vb $USER2 status
check "the four end" release four
wait_for "and there is room again" peer $USER1 hello

hold many 61010 crowd=63 hello
check "without a limit line it is 64" peer 61010 closed
check "they end" release many
poll quiet 0

# ---- requests per second: more of them wait, none is refused

# A second's worth at once, and then one each 200 ms.
check "10 requests at 5/s are all answered" peer $USER2 ask=10
ms=$(cat "$out")
check_least 900 "$ms" "they take their time (ms)"
check_most 10000 "$ms" "and not for ever (ms)"
hold slow $USER2 burst=8
check "an hello is not counted: it is the session's to answer" peer $USER2 hello
start=${EPOCHREALTIME/./}
check "others are not slowed down" peer $USER1 ask=100
check_most 5000 "$(((${EPOCHREALTIME/./} - start) / 1000))" "by the slow one (ms)"
log_skip
check "a slow client that leaves" release slow
check "and its user's next" peer $USER2 ask=1
check_equal '' "$(log_news)" "are worth no log line"
poll quiet 0

wait_for "and leave nothing" has_fds "$broker_pid" "$calm"

# Leaving is no request: who has used up the rate makes room all the same.
check "a user at the rate, with all his connections" peer 61011 crowd=1 ask=1
poll quiet 0
check "has connections again when those are closed" peer 61011 hello

# ---- a thousand connections

start=${EPOCHREALTIME/./}
hold crowd $USER3 crowd=999 hello
ms=$(((${EPOCHREALTIME/./} - start) / 1000))
check "somebody else is served beside a thousand" vb $USER1 status

# kib PID KIND...: KiB of these kinds of its memory, together.
kib() {
	local pid=$1
	shift
	awk -v kinds=" $*: " 'index(kinds, " " $1) { n += $2 } END { print n + 0 }' \
		"/proc/$pid/smaps_rollup" 2>/dev/null
}

# Of every 20th session; reading all would take longer than making them.
mapfile -t sessions < <(sessions)
check_least 1000 "${#sessions[@]}" "a thousand sessions"
worst=0 sum=0 count=0
for ((i = 0; i < ${#sessions[@]}; i += 20)); do
	n=$(kib "${sessions[i]}" Private_Dirty: Private_Clean)
	sum=$((sum + n))
	count=$((count + 1))
	[ "$n" -le "$worst" ] || worst=$n
done
rss=$(kib "$broker_pid" Rss)
private=$(kib "$broker_pid" Private_Dirty: Private_Clean)
note "1,000 connections in $ms ms; the broker: $rss KiB resident, $private KiB private;" \
	"a session: $((sum / count)) KiB private, $worst at most"
if sanitized; then
	note "built with a sanitizer: memory is not compared"
else
	check_most 6144 "$rss" "the broker's memory (KiB; the goal is 4096)"
	check_most 200 "$worst" "a session's (KiB; the goal is 150)"
fi
check "a request among a thousand" peer $USER1 ask=100
check_most 5000 "$(cat "$out")" "is not slow (ms for 100)"
reload
check "a reload among a thousand" log_has 'policy loaded'
check "they all go" release crowd
wait_for "with their sessions" quiet 0
wait_for "and descriptors" has_fds "$broker_pid" "$calm"
n=$(kib "$broker_pid" Rss)
note "afterwards the broker has $n KiB"

# The whole machine's limit is far away: here is the process's own.
prlimit --pid "$broker_pid" --nofile=40:
hold crowd $USER3 crowd=5 hello
log_skip
peer $USER3 crowd=60 hello >"$dir/over.out" 2>&1 &
over=$!
wait_for "out of descriptors: it says so" log_has 'accept: Too many open files|not served: Too many open files'
check "those who are connected go on" release crowd
wait "$over"
prlimit --pid "$broker_pid" --nofile=16384:
wait_for "and others when there are some again" peer $USER1 hello ask=1
check_most 60 "$(log_news | wc -l)" "without a flood in the log"
broker_stop

# shellcheck shell=bash
# faults.sh: the engine of the scenarios faults*. A broker built with fault points
# (make faults) is killed with SIGKILL at every point, is started again, and whatever
# it was in the middle of must be found leased or home. The build lists the points;
# which of them a kind of cycle visits, and how often, is not written down but traced,
# and then every visit is a death of its own. Sourced, instead of scenario.sh.
#
# Kinds of cycle: plain (a lease and its end), start (the broker finds a lease that
# ended without it: deaths in the middle of reconciling), quarantine (a device that
# can not be reset), ask (a lease is revoked), holders (a client keeps the group), cdev
# and cdevholders (plain and holders by iommufd, for a kernel that has it).
#
# An armed broker dies; the broker that is started after a death has the next point in
# it already, but is disarmed (the mark file is there) until it has brought all home.
# There are hundreds of cycles, so loops here wait without forking.

# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

faulty=/lab/build/faults/vfiobrokerd
mark=$scenario_tmp/mark trace=$scenario_tmp/trace
held=$scenario_tmp/held
kinds=(plain start quarantine ask holders)
take_args=()
kind='' broker_log_n=0 client='' keeper='' keeper_id='' lost=0 kept=0
deaths=() # "KIND POINT" or "KIND POINT#N"
missed=() # the same: the cycle passed by it
declare -A died=() # by point

chmod 755 "$scenario_tmp" /run/lab
touch "$held"
chmod 666 "$held"
mkfifo "$scenario_tmp/nap"
mkfifo -m 666 "$scenario_tmp/hold" "$scenario_tmp/go"
exec {nap}<>"$scenario_tmp/nap"

# within SECONDS COMMAND...: until it succeeds.
within() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		read -r -t 0.01 -u "$nap" _ || :
	done
}

# detach LOG COMMAND...: in the background and nobody's child, so that bash has
# nothing to say about its end; its pid into $detached.
detach() {
	local log=$1
	shift
	detached=$("$@" </dev/null >"$log" 2>&1 & echo $!)
}

# A process that nobody has reaped yet is gone too.
gone() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ $stat == *") Z "* ]]
}

dead() {
	gone "$broker_pid"
}

# ---- the broker

start() {
	log=$scenario_tmp/log$((broker_log_n++ % 2))
	rm -f "$broker_socket"
	detach "$log" env VFIOBROKER_FAULT="${1-}" VFIOBROKER_FAULT_MARK="$mark" \
		VFIOBROKER_FAULT_TRACE="$trace" "$faulty"
	broker_pid=$detached
	within 20 serves_or_dead
}

serves_or_dead() {
	log_has 'ready at' || dead
}

stop() {
	kill -KILL "$broker_pid"
	within 20 dead
}

log_has() {
	local lines
	mapfile -t lines <"$log"
	[[ ${lines[*]} == *"$1"* ]]
}

arm() {
	: >"$trace"
	rm -f "$mark"
}

disarm() {
	: >"$mark"
}

# ---- clients

# take BDF COMMAND...: alice has it run with the device; $client is its pid.
take() {
	local bdf=$1
	shift
	: >"$held"
	detach "$scenario_tmp/client.log" setpriv --reuid=alice --regid=alice --init-groups \
		vfiobroker exec --device "$bdf" "${take_args[@]}" -- "$@"
	client=$detached
}

hold() {
	take "$1" sh -c "echo >$held; read x <$scenario_tmp/hold"
	within 20 holds_or_not
}

# The client has become the program, or there is none (any more).
holds_or_not() {
	holds || [ -z "$client" ] || gone "$client"
}

holds() {
	[ -s "$held" ]
}

let_go() {
	[ -n "$client" ] || return 0
	kill -KILL "$client" 2>/dev/null
	within 20 gone "$client"
	client=
}

# ---- devices

on() {
	if [ "$2" = none ]; then
		[ ! -e "$sys/$1/driver" ]
	else
		[ "$sys/$1/driver" -ef "/sys/bus/pci/drivers/$2" ]
	fi
}

home() {
	local override
	[ ! -e "/run/vfiobroker/devices/$1" ] && on "$1" "$2" &&
		read -r override <"$sys/$1/driver_override" && [ "$override" = "(null)" ]
}

step_is() {
	local key value
	while read -r key value; do
		[ "$key" != step ] || break
	done 2>/dev/null <"/run/vfiobroker/devices/$1"
	[ "${value-}" = "$2" ]
}

lease_of() {
	sed -n 's/^lease //p' "/run/vfiobroker/devices/$1"
}

# All is where it was before anybody asked, but for what the keeper keeps.
all_home() {
	local files want
	home "$VF" igbvf && home "$EDU" none || return
	files=$(shopt -s nullglob dotglob && cd /run/vfiobroker &&
		echo devices/* leases/*)
	want=leases/sequence
	[ -z "$keeper" ] || want="devices/$V2 leases/$keeper_id leases/sequence"
	[ "$files" = "$want" ]
}

# ---- the cycles: prepare_KIND with a broker that can not die, act_KIND with one that
# can, until it is dead or all is done, after_KIND with one that was started again.

dead_or() {
	dead || "$@"
}

prepare_plain() {
	:
}

act_plain() {
	if [ -z "$keeper" ]; then
		take "$VF" true
		within 20 gone "$client"
	else
		hold "$VF"
		dead || let_go
	fi
	within 20 dead_or home "$VF" igbvf
}

# With a keeper the client is a holder too, if the grant went out before the death.
after_plain() {
	[ -n "$client" ] && holds || return 0
	kept=$((kept + 1)) what="still leased to its holder, then "
	within 20 log_has "$VF: host -> leased (its lease lives)" && step_is "$VF" leased &&
		! gone "$client"
}

prepare_cdev() {
	:
}

act_cdev() {
	take_args=(--iommufd)
	act_plain
	take_args=()
}

after_cdev() {
	after_plain
}

prepare_cdevholders() {
	take_args=(--iommufd)
	prepare_holders
	take_args=()
}

act_cdevholders() {
	act_holders
}

after_cdevholders() {
	after_holders
}

prepare_start() {
	hold "$VF"
	stop
	let_go
}

act_start() {
	start "${1-}"
	within 20 dead_or home "$VF" igbvf
}

after_start() {
	:
}

prepare_quarantine() {
	:
}

act_quarantine() {
	take "$EDU" true
	within 20 dead_or step_is "$EDU" quarantined
}

after_quarantine() {
	what="in quarantine, recovered, "
	within 20 step_is "$EDU" quarantined && vfiobroker recover "$EDU"
}

prepare_ask() {
	hold "$VF"
}

act_ask() {
	vfiobroker revoke "$(lease_of "$VF")" --grace 0 >"$scenario_tmp/revoke.log" 2>&1
	within 20 dead_or home "$VF" igbvf
}

after_ask() {
	what="with its lease revoked, then "
	! gone "$client"
}

# The client closes the lease when it is told to go, and keeps the group.
prepare_holders() {
	take "$VF" bash "$scenario_tmp/cheat"
	within 20 holds_or_not
}

act_holders() {
	echo >"$scenario_tmp/go"
	within 20 dead_or log_has "still held by pid $client "
}

after_holders() {
	what="draining while its group is held, then "
	within 20 log_has "$VF is still held by pid $client" && on "$VF" vfio-pci
}

cat >"$scenario_tmp/cheat" <<-END_CHEAT
	i=3
	for name in \${LISTEN_FDNAMES//:/ }; do
		[ "\$name" = lease ] && lease=\$i
		i=\$((i + 1))
	done
	echo >$held
	read -r x <$scenario_tmp/go
	exec {lease}<&-
	read -r x <$scenario_tmp/hold
END_CHEAT
chmod 644 "$scenario_tmp/cheat"

# ---- one death

# lose WHY: names what was lost, shows all there is to see, and goes on from scratch.
lose() {
	lost=$((lost + 1))
	{
		grep -H . /run/vfiobroker/devices/* /run/vfiobroker/leases/*
		ls -lA /run/vfiobroker/* "$sys/$VF/driver" "$sys/$EDU/driver"
		head "$sys/$VF/driver_override" "$sys/$EDU/driver_override"
		tail -n 15 "$scenario_tmp"/log*
		cat "$scenario_tmp/client.log"
	} >"$scenario_out" 2>&1
	fail "nothing is lost by a death at $point ($kind)" "$1"
	let_go
	vfiobroker recover "$VF"
	vfiobroker recover "$EDU"
	within 20 all_home
}

keeper_kept() {
	[ -z "$keeper" ] || {
		within 20 log_has "$V2: host -> leased (its lease lives)" &&
			step_is "$V2" leased && on "$V2" vfio-pci && ! gone "$keeper"
	}
}

# death KIND POINT NEXT
death() {
	local begin what='' end="died at"
	kind=$1 point=$2
	"prepare_$kind"
	arm
	"act_$kind" "$point"
	if within 5 dead; then
		died[${point%#*}]=1
	else
		missed+=("$kind $point") end="passed by"
		disarm
		stop
		let_go
	fi
	[[ $kind == ask || $kind == *holders ]] || within 20 holds_or_not
	begin=${EPOCHREALTIME/./}
	start "$3"
	if dead; then
		lose "the broker does not start again"
	elif ! "after_$kind" >"$scenario_tmp/after.log" 2>&1; then
		lose "it is not $what"
	elif ! keeper_kept; then
		lose "$V2 is not leased any more"
	else
		let_go
		within 20 all_home || lose "not home after 20 s"
	fi
	printf '%s %s (%s): found %shome after %d ms\n' "$end" "$point" "$kind" "$what" \
		$(((${EPOCHREALTIME/./} - begin) / 1000))
}

# ---- all deaths

# trace_cycle KIND: how often it visits what goes into visits[].
trace_cycle() {
	local name
	kind=$1 visits=()
	start
	disarm
	"prepare_$kind"
	arm
	"act_$kind"
	disarm
	"after_$kind" >/dev/null 2>&1
	let_go
	within 20 all_home || fail "a cycle to trace: $kind"
	stop
	while read -r name; do
		visits[$name]=$((${visits[$name]-0} + 1))
	done <"$trace"
}

# Notes what each kind of cycle visits; twice, because a closing client can be caught
# in the middle, and is looked at once more then. For the rarer kinds it is only what
# no plain cycle visits.
trace_cycles() {
	local each name i
	local -A visits first seen=()
	for each in "${kinds[@]}"; do
		trace_cycle "$each"
		first=()
		for name in "${!visits[@]}"; do
			first[$name]=${visits[$name]}
		done
		trace_cycle "$each"
		for name in "${!visits[@]}"; do
			[ -n "${first[$name]-}" ] || continue
			[[ $each == plain || $each == start || $each == cdev || -z ${seen[$name]-} ]] || continue
			seen[$name]=1
			[[ " ${killing[*]} " == *" $each "* ]] || continue
			deaths+=("$each $name")
			for ((i = 2; i <= visits[$name] && i <= first[$name]; i++)); do
				deaths+=("$each $name#$i")
			done
		done
	done
	printf '%s\n' "${!seen[@]}" | sort >"$scenario_tmp/visited"
}

# all_deaths KIND...: in these kinds of cycle.
all_deaths() {
	local i next n again killing=("$@")
	"$faulty" --fault-points | sort -u >"$scenario_tmp/points"
	n=$(wc -l <"$scenario_tmp/points")
	trace_cycles
	start "${deaths[0]#* }"
	for i in "${!deaths[@]}"; do
		next=${deaths[i + 1]-}
		# shellcheck disable=SC2086 # kind and point
		death ${deaths[i]} "${next#* }"
	done
	again=("${missed[@]}") missed=()
	for i in "${again[@]}"; do
		disarm
		stop
		start "${i#* }"
		# shellcheck disable=SC2086
		death $i ''
	done
	for i in "${missed[@]}"; do
		next=${i#* }
		echo "passed by twice: $i"
		[ -n "${died[${next%#*}]-}" ] || fail "the broker dies at $i" "the cycle passed by it"
	done
	check "$n points, $((${#deaths[@]} - ${#missed[@]})) deaths, $lost lost" [ "$lost" = 0 ]
	disarm
	stop
}

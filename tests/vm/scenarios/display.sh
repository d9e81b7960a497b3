#!/bin/bash
# display: the guard's reasons that need a display: the one the machine was booted on,
# the console's, and one that a process draws on. Each refuses by name and is lifted by
# its name while it holds; the picture comes back.
# lab: alone --display
# shellcheck source-path=SCRIPTDIR source=../scenario.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scenario.sh"

# reload: with standard input.
reload() {
	local was
	was=$(grep -c 'policy loaded' "$broker_log")
	{ echo "allow user alice use $VGA managed reset none"; cat; } | policy
	kill -HUP "$broker_pid"
	poll 10 more_loads "$was" || fail "the policy is reloaded"
}
more_loads() {
	[ "$(grep -c 'policy loaded' "$broker_log")" -gt "$1" ]
}
take() {
	as alice vfiobroker exec --device "$VGA" -- true
}
on_bochs() {
	[ "$(driver_of "$VGA")" = bochs-drm ] && ! [ -e "/run/vfiobroker/devices/$VGA" ]
}
# granted: it is lent and comes home.
granted() {
	check "it is given" take
	wait_for 20 "and comes home" on_bochs
	wait_for 20 "with its node" compgen -G "$sys/$VGA/drm/card*"
	wait_for 20 "and a picture for the console" console_is_on
}
console_is_on() {
	compgen -G "$sys/$VGA/graphics/fb*" && grep -q 1 "$console/bind"
}
# refused_for REASON with the others tolerated.
refused_for() {
	local reason others=()
	for reason in BOOT_VGA CONSOLE DRM_IN_USE; do
		reason=${reason,,}
		[ "${reason//_/-}" = "$1" ] || others+=("tolerate ${reason//_/-} on $VGA")
	done
	reload < <(printf '%s\n' "${others[@]}")
	reason=${1^^}
	check_exit 77 "$1 alone is enough to refuse it" take
	check_match "the host needs $VGA: ${reason//-/_}: " "by its name" take
	check_match "tolerate $1 on $VGA" "with the line that lifts it" take
	check "and it stays" on_bochs
}

# The machine as it has booted; a console draws its picture when it has something to say.
check_match '^1$' "the machine was booted on it" cat "$sys/$VGA/boot_vga"
console=$(dirname "$(grep -l 'frame buffer' /sys/class/vtconsole/*/name)")
echo "a line on the screen" >/dev/tty1
wait_for 20 "the console is on it" console_is_on
(exec sleep 1000 <>"/dev/dri/$(basename "$sys/$VGA"/drm/card*)") &
drawing=$!

policy </dev/null
broker_start || exit
reload </dev/null
check_exit 77 "a display in use is refused" take
for reason in BOOT_VGA CONSOLE DRM_IN_USE; do
	check_match "the host needs $VGA: $reason: " "because of $reason" take
done
check_match "card[0-9]+ open in $drawing \\(sleep\\)" "who draws on it is named" take
check_match "fb[0-9]+ under vtcon" "and what the console has" take
mount -o remount,hidepid=invisible /proc
check_match "card[0-9]+ open in $drawing" "also where /proc hides it from others" take
mount -o remount,hidepid=off /proc
refused_for boot-vga
refused_for console
refused_for drm-in-use

# All of it is lifted while all of it holds.
reload <<-END
	tolerate boot-vga on $VGA
	tolerate console on $VGA
	tolerate drm-in-use on $VGA
END
granted
check "who drew on it was not killed" kill -0 "$drawing"
kill "$drawing"
wait "$drawing" 2>/dev/null

# Nobody draws on it any more: one reason less.
reload <<-END
	tolerate boot-vga on $VGA
	tolerate console on $VGA
END
granted
broker_stop
rm -rf /run/vfiobroker

# shellcheck shell=bash disable=SC2034 # whoever sources this uses the variables
# host.sh: what the commands that run on the development machine (deps, image,
# kernel, lab) have in common: where the cache is, how a cache entry gets built
# exactly once, and how to talk to apt about a Debian suite without touching the
# machine's own configuration. Sourced, never run.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$vm_dir/../.." && pwd)
cache_dir=${VFIOBROKER_CACHE:-/var/cache/vfiobroker}
vm_suite=trixie

export LC_ALL=C DEBIAN_FRONTEND=noninteractive
export HOME=${HOME:-/root}
unset CDPATH

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 125
}

# The address of the Debian archive this machine uses, for one kind of suite:
# "main" (the archive itself) or "security". Read from the machine, because the
# right answer differs between machines and none of them belongs in this tree.
debian_uri() {
	local want=$1 file uri=
	local -a files=()
	for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list \
		/etc/apt/sources.list.d/*.list; do
		[ ! -f "$file" ] || files+=("$file")
	done
	[ ${#files[@]} -eq 0 ] || uri=$(awk -v want="$want" '
		function offer(uri, suite) {
			if (suite ~ /^(bookworm|stable|oldstable)/ && found == "" &&
			    (suite ~ /-security/) == (want == "security"))
				found = uri
		}
		$1 == "deb" { sub(/\[[^]]*\] */, ""); offer($2, $3) }
		$1 == "URIs:" { uri = $2 }
		$1 == "Suites:" { suite = $2 }
		uri != "" && suite != "" { offer(uri, suite); uri = suite = "" }
		END { print found }
	' "${files[@]}")
	[ -n "$uri" ] || die "no Debian archive ($want) in this machine's apt sources"
	printf '%s\n' "${uri%/}"
}

# apt_private DIR ARGS...: run "apt-get ARGS" with the sources.list of directory
# DIR (see apt_sources) and package lists of its own. The machine's own sources
# are not read at all, so an unreachable third party in them does no harm.
apt_private() {
	local dir=$1
	shift
	apt-get -qq \
		-o Dir::Etc::sourcelist="$dir/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::Lists="$dir/lists" \
		-o Dir::Cache="$dir/cache" \
		-o Acquire::Retries=3 \
		-o Acquire::Languages=none \
		-o APT::Install-Recommends=false \
		-o APT::Sandbox::User=root \
		-o DPkg::Lock::Timeout=600 \
		-o Dpkg::Use-Pty=0 \
		"$@"
}

# apt_sources DIR "URI SUITE"...: prepare DIR for apt_private.
apt_sources() {
	local dir=$1 source
	shift
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	for source in "$@"; do
		printf 'deb [signed-by=%s] %s main\n' \
			/usr/share/keyrings/debian-archive-keyring.gpg "$source"
	done >"$dir/sources.list"
	apt_private "$dir" update
}

# cache_key FILE...: a short name for what the files (under tests/vm) say.
cache_key() {
	(cd "$vm_dir" && sha256sum "$@") | sha256sum | cut -c1-16
}

# cache_entry KIND KEY BUILDER: print the directory of a cache entry, calling
# BUILDER with an empty directory to fill if it does not exist yet. Whoever comes
# second waits for the first; nobody ever sees a half-built entry. Entries of
# older keys are removed unless a running lab still holds their lock.
cache_entry() {
	local kind=$1 key=$2 builder=$3
	local dir=$cache_dir/$kind-$key
	if [ ! -e "$dir/lock" ]; then
		mkdir -p "$cache_dir"
		exec {build_lock}>"$cache_dir/$kind.lock"
		flock "$build_lock"
		if [ ! -e "$dir/lock" ]; then
			rm -rf "$cache_dir/$kind".tmp.*
			local new
			new=$(mktemp -d "$cache_dir/$kind.tmp.XXXXXX")
			chmod 0755 "$new"
			"$builder" "$new" >&2
			: >"$new/lock"
			mv "$new" "$dir"
			cache_expire "$kind" "$dir"
		fi
		exec {build_lock}>&-
	fi
	printf '%s\n' "$dir"
}

cache_expire() {
	local kind=$1 keep=$2 old
	for old in "$cache_dir/$kind"-*; do
		if [ ! -d "$old" ] || [ "$old" = "$keep" ]; then
			continue
		fi
		if [ -e "$old/lock" ]; then
			flock -n -x "$old/lock" rm -rf "$old" || true
		else
			rm -rf "$old"
		fi
	done
}

# cache_use DIR: keep the entry DIR from being expired while this process
# lives (an open shared lock, inherited by nobody who outlives it).
cache_use() {
	local fd
	exec {fd}<"$1/lock"
	flock -s "$fd"
}

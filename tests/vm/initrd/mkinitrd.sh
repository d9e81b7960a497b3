# shellcheck shell=bash
# mkinitrd.sh: makes the lab's initial ramdisks: one static busybox, one init
# script, and exactly the kernel modules asked for, uncompressed and numbered in
# the order they must be loaded. Distribution initramfs generators make images a
# hundred times larger, which an emulated CPU takes long to unpack. Sourced.

# initrd_modules ROOT VERSION TREE MODULE...: copy the modules and what they
# depend on from ROOT/lib/modules/VERSION into TREE/modules.
initrd_modules() {
	local root=$1 version=$2 tree=$3 kind file rest n=100 module
	shift 3
	mkdir -p "$tree/modules"
	for module in "$@"; do
		modprobe -d "$root" -S "$version" --show-depends "$module"
	done | while read -r kind file rest; do
		[ "$kind" = insmod ] || continue
		module=${file##*/}
		module=${module%%.ko*}
		[ ! -e "$(echo "$tree"/modules/*-"$module.ko")" ] || continue
		case $file in
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$tree/modules/$n-$module.ko"
		n=$((n + 1))
	done
}

# initrd_pack TREE BUSYBOX INIT OUT
initrd_pack() {
	local tree=$1 busybox=$2 init=$3 out=$4
	mkdir -p "$tree"/{bin,dev,proc,sys,root}
	cp "$busybox" "$tree/bin/busybox"
	ln -sf busybox "$tree/bin/sh"
	cp "$init" "$tree/init"
	chmod 0755 "$tree/bin/busybox" "$tree/init"
	(cd "$tree" && find . -print0 | LC_ALL=C sort -z |
		cpio --quiet -0 -o -H newc -R 0:0) >"$out"
}

# shellcheck shell=bash
# machine.sh: the hardware of L1 as QEMU arguments. A q35 with an emulated Intel
# IOMMU and the devices the tests talk about; the addresses are fixed, because they
# are the RFC's own and because tests name them (see lib.sh). Two settings keep bugs of
# QEMU 10.0 away: with more than 2.75 GiB the firmware would put the VFs' BARs above 4
# GiB, where QEMU maps them at the lower half of their address (igbvf then talks to
# nobody); and without x2APIC (eim=on) the local APICs are memory, whose access by one
# CPU while the other sizes PCI BARs aborts QEMU (iotlb_to_section). Sourced.

# A NIC without boot ROM, which nobody would boot from.
machine_nic() {
	local model=$1 id=$2 place=$3
	machine+=(-netdev "user,id=$id,restrict=on"
		-device "$model,netdev=$id,romfile=,$place")
}

# machine_display: a VGA card, which the kernel takes for the one it was booted on.
machine_display() {
	machine+=(-device "VGA,romfile=,bus=pcie.0,addr=9")
}

# machine_share DIR TAG ADDR: a directory of the host, read-only, over 9p.
machine_share() {
	machine+=(-fsdev "local,id=$2,path=${1//,/,,},security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=$2,mount_tag=$2,bus=pcie.0,addr=$3")
}

# machine_port NAME FILE: what the guest writes to /dev/virtio-ports/NAME.
machine_port() {
	machine+=(-chardev "file,id=$1,path=${2//,/,,}"
		-device "virtserialport,bus=vs0.0,chardev=$1,name=$1")
}

# machine_kvm [ROOT]: can L1 run under KVM, and give KVM to L2 in its turn? Emulated
# unless the CPU really shows it: /dev/kvm also opens on machines where a guest under it
# hangs for ever. ROOT is where /proc, /dev and /sys are, for the self-test.
machine_kvm() {
	local root=${1-} nested
	[ "${VFIOBROKER_LAB_ACCEL-}" != tcg ] || return
	grep -Eqw 'vmx|svm' "$root/proc/cpuinfo" || return
	[[ -r $root/dev/kvm && -w $root/dev/kvm ]] || return
	for nested in "$root"/sys/module/kvm_{intel,amd}/parameters/nested; do
		[[ ! -r $nested || $(<"$nested") != [Y1]* ]] || return 0
	done
	return 1
}

# machine_cpu [ROOT]: begins the array "machine". Interrupt remapping needs an irqchip
# that is not all in the kernel.
machine_cpu() {
	if machine_kvm "${1-}"; then
		machine=(-machine "q35,kernel-irqchip=split" -accel kvm -cpu host)
	else
		machine=(-machine "q35,kernel-irqchip=off" -accel "tcg,thread=multi"
			-cpu "max,+svm,-vmx")
	fi
}

# machine_build IMAGE TMP: the whole machine into the array "machine".
machine_build() {
	local image=${1//,/,,} tmp=$2
	machine_cpu
	machine+=(
		-nodefaults -no-user-config -display none -no-reboot -name vfiolab
		-smp 2 -m 2560M
		-device "intel-iommu,intremap=on,eim=on,caching-mode=on"
		-chardev "file,id=console,path=${tmp//,/,,}/console" -serial chardev:console
		-chardev "pipe,id=monitor,path=${tmp//,/,,}/monitor" -mon chardev=monitor

		-drive "file=$image/root.img,format=raw,if=none,id=root,snapshot=on,cache=unsafe"
		-device "virtio-blk-pci,drive=root,bus=pcie.0,addr=3"

		-device "pcie-root-port,id=rp1,bus=pcie.0,chassis=1,addr=4"
		-device "pcie-root-port,id=rp2,bus=pcie.0,chassis=2,addr=5"
		-device "edu,bus=pcie.0,addr=6"
		-device "pcie-pci-bridge,id=br1,bus=pcie.0,addr=7"
		-device "pcie-root-port,id=rp3,bus=pcie.0,chassis=3,addr=8"

		-device "nvme-subsys,id=ss0"
		-drive "file=$image/nvme.img,format=raw,if=none,id=nvme,snapshot=on,cache=unsafe"
		-device "nvme,bus=rp3,serial=a1,subsys=ss0,sriov_max_vfs=8,sriov_vq_flexible=16,sriov_vi_flexible=8,max_ioqpairs=18,msix_qsize=17"
		-device "nvme-ns,drive=nvme,nsid=1"

		-device "virtio-serial-pci,id=vs0,bus=pcie.0,addr=10"
	)
	machine_nic igb n0 bus=rp1
	machine_nic e1000e n1 bus=rp2
	machine_nic e1000 n2 bus=br1,addr=1
	machine_nic e1000 n3 bus=br1,addr=2
	machine_port lab.out "$tmp/out"
	machine_port lab.err "$tmp/err"
	machine_port lab.status "$tmp/status"
}

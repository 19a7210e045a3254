# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by setup.sh. Part 1: packages of the build machine.

QEMU_PACKAGES=(qemu-system-arm qemu-system-common qemu-system-data qemu-utils)
QEMU_MINIMUM=1:10.0

host_package_version() {
	dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null | sed -n 's/^installed //p'
}

# Lists, one a line, what packages.txt asks for and the machine lacks.
host_missing_packages() {
	local package
	sed 's/#.*//; /^[[:space:]]*$/d' "$HERE/packages.txt" | while read -r package; do
		[ -n "$(host_package_version "$package")" ] || echo "$package"
	done
}

# Succeeds if every QEMU package is there and new enough (older SMMUv3 models have no stage 2).
host_qemu_is_new() {
	local package version
	for package in "${QEMU_PACKAGES[@]}"; do
		version=$(host_package_version "$package")
		[ -n "$version" ] && dpkg --compare-versions "$version" ge "$QEMU_MINIMUM" || return 1
	done
}

# Installs QEMU from bookworm-backports through a private copy of apt's configuration, backports at pin 100.
host_install_qemu() {
	local root package wanted=()
	root=$(mktemp -d "${TMPDIR:-/tmp}/ravelin-apt.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$root'" EXIT
	apt_private_conf "$root" amd64
	mkdir -p "$root/parts"
	[ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$root/parts/machine.list"
	cp -a /etc/apt/sources.list.d/. "$root/parts/"
	apt_line_for bookworm-backports > "$root/sources.list"
	cat > "$root/preferences" <<-EOF
		Package: *
		Pin: release n=bookworm-backports
		Pin-Priority: 100
	EOF
	cat >> "$root/apt.conf" <<-EOF
		Dir::State::status "/var/lib/dpkg/status";
		Dir::State::extended_states "/var/lib/apt/extended_states";
		Dir::Etc::sourceparts "$root/parts";
		Dir::Etc::preferences "$root/preferences";
	EOF
	for package in "${QEMU_PACKAGES[@]}"; do
		wanted+=("$package/bookworm-backports")
	done
	logged "reading the package lists of bookworm-backports" apt-get -c "$root/apt.conf" update
	logged "installing QEMU 10" env DEBIAN_FRONTEND=noninteractive \
		apt-get -c "$root/apt.conf" install -y --no-install-recommends "${wanted[@]}"
	rm -rf "$root"
	trap - EXIT
}

setup_host() {
	local missing
	missing=$(host_missing_packages | tr '\n' ' ')
	if [ -z "$missing" ] && host_qemu_is_new; then
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		die "packages are missing on this machine and only root can install them: ${missing:-QEMU 10}" \
			"Run this once, then 'make setup' again:" "    sudo $HERE/setup.sh host"
	fi
	LOG=$(mktemp "${TMPDIR:-/tmp}/ravelin-setup-host.XXXXXX.log")
	if [ -n "$missing" ]; then
		say "installing packages: $missing"
		logged "reading the package lists" apt-get update
		# shellcheck disable=SC2086
		logged "installing packages" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends $missing
	fi
	if ! host_qemu_is_new; then
		say "installing QEMU 10 from bookworm-backports (pin 100)"
		host_install_qemu
	fi
	[ -z "$(host_missing_packages)" ] || die "apt reported success, yet missing: $(host_missing_packages | tr '\n' ' ')"
	host_qemu_is_new || die "apt reported success, yet QEMU is older than ${QEMU_MINIMUM#1:}"
	rm -f "$LOG"
}

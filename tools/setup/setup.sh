#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Brings a minimal Debian 12 to where the tree builds, runs and tests without the network:
#   1. packages of the build machine (apt; QEMU 10 from bookworm-backports at pin 100), which needs root;
#   2. arm64 pieces (kernels, headers, libraries, busybox, QEMU) in the cache, which does not.
# Does only what is missing; says nothing but one line when nothing is.
#
# Usage: setup.sh [all|host|cache]     (host = only part 1, cache = only part 2; default all)
set -euo pipefail
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${RAVELIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ravelin}

say() { printf 'setup: %s\n' "$*"; }
die() {
	printf 'setup: error: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf 'setup: %s\n' "$@" >&2
	exit 1
}

# shellcheck source=tools/setup/apt.sh
. "$HERE/apt.sh"
# shellcheck source=tools/setup/host.sh
. "$HERE/host.sh"
# shellcheck source=tools/setup/pieces.sh
. "$HERE/pieces.sh"

check_machine() {
	local codename
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
	[ "$codename" = bookworm ] || die "this machine runs '$codename'; set-up knows Debian 12 (bookworm)" \
		"Use a Debian 12 machine, container or chroot."
	[ "$(dpkg --print-architecture)" = amd64 ] || die "set-up knows amd64 build machines only"
}

main() {
	check_machine
	case ${1:-all} in
	all) setup_host && setup_cache ;;
	host) setup_host ;;
	cache) setup_cache ;;
	*) die "unknown part '$1'" "Usage: setup.sh [all|host|cache]" ;;
	esac
}

main "$@"

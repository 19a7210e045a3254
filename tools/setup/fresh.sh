#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Proves that no installation step is missing: in a bare Debian 12 chroot that holds make, git and a clone of main,
# runs set-up, then, without network, the build and the unit tests. Needs root, some 4 GB under ${TMPDIR:-/tmp} and a
# few minutes.
#
# Usage: fresh.sh [--keep]     (--keep leaves the chroot for a look)
set -euo pipefail
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)

say() { printf 'fresh: %s\n' "$*"; }
die() {
	printf 'fresh: error: %s\n' "$@" >&2
	exit 1
}

# shellcheck source=tools/setup/apt.sh
. "$HERE/apt.sh"

keep=no
case ${1:-} in
'') ;;
--keep) keep=yes ;;
*) die "unknown option '$1'; there is only --keep" ;;
esac
[ "$(id -u)" -eq 0 ] || die "a chroot takes root: sudo make fresh"
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: run 'make setup'"

root=$(mktemp -d "${TMPDIR:-/tmp}/ravelin-fresh.XXXXXX")
leave() {
	if [ "$keep" = yes ]; then
		say "the chroot is $root"
	else
		rm -rf "$root"
	fi
}
trap leave EXIT
trap 'exit 143' TERM INT HUP
chmod 755 "$root"

# Runs a shell command in the chroot with a /proc of its own; $1 = unshare's further options.
inside() {
	# shellcheck disable=SC2086
	unshare --mount --pid --fork --kill-child $1 sh -c '
		mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/dev/shm" && exec chroot "$1" /usr/bin/env -i \
			HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 ${http_proxy:+http_proxy="$http_proxy"} \
			${https_proxy:+https_proxy="$https_proxy"} sh -c "cd /root/ravelin && $2"' sh "$root" "$2"
}

say "making a bare Debian 12 in $root"
line=$(apt_line_for bookworm)
mmdebstrap --quiet --mode=root --variant=apt --include=make,git,ca-certificates \
	--aptopt='Apt::Install-Recommends "false"' bookworm "$root/" "$line"
# What this machine needs to reach its mirror, the chroot needs too.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
apt-config dump | grep -E '^Acquire::(.*Proxy|Check-)' > "$root/etc/apt/apt.conf.d/90machine" || true
key=$(sed -n 's/.*signed-by=\([^] ]*\).*/\1/p' <<< "$line")
if [ -n "$key" ] && [ ! -e "$root$key" ]; then
	install -D -m 644 "$key" "$root$key"
fi

say "cloning main ($(git -C "$TOP" rev-parse --short main))"
git clone --quiet --no-hardlinks --single-branch --branch main "$TOP" "$root/root/ravelin"

say "make setup"
inside '' 'make setup'
say "make setup once more (there must be nothing to do)"
inside '' 'make setup' | tee "$root/second"
[ "$(grep -c . "$root/second")" -eq 1 ] || die "set-up found something to do the second time"
say "build, without network"
inside --net 'make -j2 all tests'
say "unit tests, without network"
inside --net 'make unit'
say "done in $SECONDS s"

# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sourced by setup.sh. Part 2: the arm64 pieces, all through one private apt root, unpacked into the cache:
#   kernels/X/{Image,config,release,md5sums,modules/lib/modules/RELEASE}   X = 6.1, 6.12, 7.2
#   headers/X/build          ready to be KDIR of an out-of-tree build with the cross compiler (6.1, 6.12)
#   sysroot/                 arm64 static libraries and headers (libfdt, BearSSL)
#   arm64-root/              busybox, QEMU and its libraries, as the test host runs them
#   cbmc/root/               CBMC for this PC, with the libraries it needs
#   TAKEN                    what was taken: piece, suite, package, version, SHA-256
# A stamp per piece says that it is whole; raise RECIPE when a piece's recipe changes.

SUITES=(bookworm bookworm-updates bookworm-backports trixie trixie-backports sid)
RECIPE=1

# --- apt -------------------------------------------------------------------------------------------------------

# Prepares the private root once a run. Package lists are read again only when something has to be fetched.
apt_ready=no
pieces_apt_open() {
	local suite
	[ "$apt_ready" = no ] || return 0
	say "reading the package lists of ${SUITES[*]}"
	apt_private_conf "$CACHE/apt" arm64
	for suite in "${SUITES[@]}"; do
		apt_line_for "$suite"
	done > "$CACHE/apt/sources.list"
	grep -E ' bookworm(-backports|-updates)? main$' "$CACHE/apt/sources.list" > "$CACHE/apt/bookworm.list"
	logged "reading the package lists" apt-get -c "$CACHE/apt/apt.conf" update
	apt_ready=yes
}

# Prints the version of package $1 in suite $2 (empty: not there).
pieces_version() {
	apt-cache -c "$CACHE/apt/apt.conf" madison "$1" |
		awk -F' *\\| *' -v want="$2/main" '{ split($3, f, " "); if (f[2] == want) { print $2; exit } }'
}

# Prints field $2 of package $1 (NAME=VERSION).
pieces_field() {
	apt-cache -c "$CACHE/apt/apt.conf" show --no-all-versions "$1" | sed -n "s/^$2: //p" | head -n 1
}

# Downloads packages (NAME[:ARCH]=VERSION) into the directory $1, which apt fills with verified .deb files.
pieces_download() {
	local dir=$1
	shift
	mkdir -p "$dir"
	(cd "$dir" && logged "downloading $*" apt-get -c "$CACHE/apt/apt.conf" download "$@")
}

pieces_note() {
	local piece=$1 suite=$2 dir=$3 deb
	for deb in "$dir"/*.deb; do
		printf '%s\t%s\t%s\t%s\t%s\n' "$piece" "$suite" "$(dpkg-deb -f "$deb" Package)" \
			"$(dpkg-deb -f "$deb" Version)" "$(sha256sum < "$deb" | cut -d' ' -f1)"
	done
}

# --- stamps ----------------------------------------------------------------------------------------------------

piece_is_done() {
	[ "$(cat "$CACHE/stamps/$1" 2>/dev/null | head -n 1)" = "recipe $RECIPE" ]
}

# Marks piece $1 whole; standard input is what was taken for it, for TAKEN.
piece_done() {
	mkdir -p "$CACHE/stamps"
	{ echo "recipe $RECIPE"; cat; } > "$CACHE/stamps/$1.new"
	mv "$CACHE/stamps/$1.new" "$CACHE/stamps/$1"
	{
		printf '# piece\tsuite\tpackage\tversion\tsha256 of the .deb (kernels: also of the Image)\n'
		tail -q -n +2 "$CACHE"/stamps/*
	} > "$CACHE/TAKEN.new"
	mv "$CACHE/TAKEN.new" "$CACHE/TAKEN"
}

# Runs `$2 piece arguments...` for a piece that is not there, in a scratch directory, under a clean slate.
piece() {
	local name=$1 recipe=$2
	shift 2
	piece_is_done "$name" && return 0
	pieces_apt_open
	SCRATCH=$CACHE/scratch/$name
	rm -rf "$SCRATCH"
	mkdir -p "$SCRATCH"
	"$recipe" "$name" "$@"
	rm -rf "$SCRATCH"
}

# --- kernels ---------------------------------------------------------------------------------------------------

# Finds where the cloud metapackage of series $1 stands among the suites $2...; sets K_SUITE, K_VERSION, K_RELEASE.
kernel_resolve() {
	local series=$1 suite
	shift
	for suite in "$@"; do
		K_SUITE=$suite
		K_VERSION=$(pieces_version linux-image-cloud-arm64 "$suite")
		case $K_VERSION in
		"$series".*)
			K_RELEASE=$(pieces_field "linux-image-cloud-arm64=$K_VERSION" Depends |
				grep -o 'linux-image-[^ ]*-cloud-arm64' | head -n 1)
			K_RELEASE=${K_RELEASE#linux-image-}
			return 0
			;;
		esac
	done
	die "no cloud kernel $series in $*: linux-image-cloud-arm64 has moved on" \
		"Change the series or its suites in tools/setup/pieces.sh (setup_cache)."
}

piece_kernel() {
	local name=$1 series=$2 packages root vmlinuz
	shift 2
	kernel_resolve "$series" "$@"
	say "kernel $series: $K_RELEASE ($K_VERSION, $K_SUITE)"
	packages=("linux-image-$K_RELEASE=$K_VERSION")
	case $(pieces_field "linux-image-$K_RELEASE=$K_VERSION" Depends) in
	*linux-binary-*) # from 7.x on Image, configuration and modules are packages of their own
		packages=("linux-binary-$K_RELEASE=$K_VERSION" "linux-base-$K_RELEASE=$K_VERSION"
			"linux-modules-$K_RELEASE=$K_VERSION") ;;
	esac
	rm -rf "$CACHE/debs/$name" "$CACHE/kernels/$series"
	pieces_download "$CACHE/debs/$name" "${packages[@]}"
	root=$SCRATCH/root
	for deb in "$CACHE/debs/$name"/*.deb; do
		dpkg-deb -x "$deb" "$root"
		dpkg-deb --ctrl-tarfile "$deb" | tar -xOf - ./md5sums >> "$SCRATCH/md5sums"
	done
	mkdir -p "$SCRATCH/out/modules/lib/modules"
	for vmlinuz in "$root/boot/vmlinuz-$K_RELEASE" "$root/usr/lib/modules/$K_RELEASE/vmlinuz"; do
		[ ! -f "$vmlinuz" ] || cp "$vmlinuz" "$SCRATCH/out/Image"
	done
	[ "$(dd if="$SCRATCH/out/Image" bs=1 skip=56 count=4 2>/dev/null)" = ARMd ] ||
		die "the kernel in ${packages[0]} is not a plain arm64 Image"
	find "$root" -name config-"$K_RELEASE" -o -name config -path "*/$K_RELEASE/*" | head -n 1 |
		xargs -I{} cp {} "$SCRATCH/out/config"
	find "$root" -type d -path "*lib/modules/$K_RELEASE" -exec cp -a {} "$SCRATCH/out/modules/lib/modules/" \;
	rm -f "$SCRATCH/out/modules/lib/modules/$K_RELEASE/"{vmlinuz,build,source}
	logged "depmod" depmod -b "$SCRATCH/out/modules" "$K_RELEASE"
	echo "$K_RELEASE" > "$SCRATCH/out/release"
	cp "$SCRATCH/md5sums" "$SCRATCH/out/md5sums"
	mkdir -p "$CACHE/kernels"
	mv "$SCRATCH/out" "$CACHE/kernels/$series"
	{
		pieces_note "$name" "$K_SUITE" "$CACHE/debs/$name"
		printf '%s\t%s\tImage\t%s\t%s\n' "$name" "$K_SUITE" "$K_RELEASE" \
			"$(sha256sum < "$CACHE/kernels/$series/Image" | cut -d' ' -f1)"
	} | piece_done "$name"
}

# --- headers ---------------------------------------------------------------------------------------------------

# Headers, common headers and kbuild of one version, that of the kernel taken; kbuild is the build machine's.
piece_headers() {
	local name=$1 series=$2 suite release version common kbuild src out
	suite=$(awk -F'\t' '$3 == "Image" { print $2 }' "$CACHE/stamps/kernel-$series")
	release=$(cat "$CACHE/kernels/$series/release")
	version=$(awk -F'\t' '$3 ~ /^linux-image/ { print $4 }' "$CACHE/stamps/kernel-$series")
	say "headers $series: $release ($version)"
	src=linux-headers-$release
	common=linux-headers-${release%-cloud-arm64}-common
	kbuild=$(pieces_field "$src=$version" Depends | grep -o 'linux-kbuild-[^ ,(]*')
	pieces_download "$SCRATCH/debs" "$src=$version" "$common=$version" "$kbuild:amd64=$version"
	out=$SCRATCH/out
	for deb in "$SCRATCH/debs"/*.deb; do
		dpkg-deb -x "$deb" "$out"
	done
	ln -s "usr/src/$src" "$out/build"
	# The packages name each other by absolute path; make them find each other where they are.
	rm -rf "$CACHE/headers/$series"
	mkdir -p "$CACHE/headers"
	mv "$out" "$CACHE/headers/$series"
	out=$CACHE/headers/$series
	grep -rlI --include='Makefile*' --include='.kernelvariables' '/usr/\(src\|lib\)/linux-' "$out/usr/src/$src" |
		xargs -r sed -i "s,\\(^\\|[ =]\\)/usr/\\(src\\|lib\\)/linux-,\\1$out/usr/\\2/linux-,g"
	headers_prove "$series"
	pieces_note "$name" "$suite" "$SCRATCH/debs" | piece_done "$name"
}

# Builds a trivial module against headers $1: the only proof that they can be used.
headers_prove() {
	local dir=$SCRATCH/prove release
	release=$(cat "$CACHE/kernels/$1/release")
	mkdir -p "$dir"
	echo 'obj-m := prove.o' > "$dir/Kbuild"
	cat > "$dir/prove.c" <<-'EOF'
		#include <linux/module.h>
		static int __init prove_init(void)
		{
			pr_info("prove\n");
			return 0;
		}
		module_init(prove_init);
		MODULE_LICENSE("GPL");
	EOF
	logged "building a module against the headers of $1" make -C "$CACHE/headers/$1/build" M="$dir" \
		ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CONFIG_DEBUG_INFO_BTF_MODULES= modules
	modinfo -F vermagic "$dir/prove.ko" | grep -q "^$release " ||
		die "a module built against the headers of $1 does not carry the release $release"
}

# --- libraries, busybox, QEMU ----------------------------------------------------------------------------------

# Downloads what apt would install for the packages $2... on a bare bookworm (+ backports) system, into $1.
download_closure() {
	local dir=$1 names
	shift
	names=$(apt-get -c "$CACHE/apt/apt.conf" -o Dir::Etc::sourcelist="$CACHE/apt/bookworm.list" \
		-o APT::Get::List-Cleanup=false -s -qq install --no-install-recommends "$@" 2>>"$LOG" |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p') ||
		die "apt cannot resolve $*; the log is $LOG"
	[ -n "$names" ] || die "apt cannot resolve $*; the log is $LOG"
	# shellcheck disable=SC2086
	pieces_download "$dir" $names
}

piece_sysroot() {
	local name=$1 package packages=()
	say "arm64 static libraries: libfdt, BearSSL"
	for package in libfdt-dev libbearssl-dev; do
		packages+=("$package=$(pieces_version $package bookworm)")
	done
	pieces_download "$SCRATCH/debs" "${packages[@]}"
	for deb in "$SCRATCH/debs"/*.deb; do
		dpkg-deb -x "$deb" "$SCRATCH/out"
	done
	rm -rf "$SCRATCH/out/usr/share" "$CACHE/sysroot"
	mv "$SCRATCH/out" "$CACHE/sysroot"
	pieces_note "$name" bookworm "$SCRATCH/debs" | piece_done "$name"
}

# The whole dependency closure is unpacked; the initramfs later takes only what QEMU links to.
piece_arm64_root() {
	local name=$1
	say "arm64 user space of the test host: busybox, QEMU and its libraries"
	download_closure "$SCRATCH/debs" busybox-static qemu-system-arm/bookworm-backports \
		qemu-system-common/bookworm-backports qemu-system-data/bookworm-backports
	for deb in "$SCRATCH/debs"/*.deb; do
		dpkg-deb -x "$deb" "$SCRATCH/out"
	done
	rm -rf "$SCRATCH/out"/usr/share/{doc,man,locale,lintian,bug} "$SCRATCH/out"/{etc,var} "$CACHE/arm64-root"
	mv "$SCRATCH/out" "$CACHE/arm64-root"
	pieces_note "$name" bookworm+backports "$SCRATCH/debs" | piece_done "$name"
}

# The prover, with the loader and libraries of its own Debian, newer than the build machine's (test/proof/run).
piece_cbmc() {
	local name=$1 package packages=()
	say "CBMC, for make prove"
	for package in cbmc libc6 libgcc-s1 libstdc++6 minisat zlib1g; do
		packages+=("$package:amd64=$(pieces_version "$package:amd64" trixie)")
	done
	pieces_download "$SCRATCH/debs" "${packages[@]}"
	mkdir "$SCRATCH/out"
	for deb in "$SCRATCH/debs"/*.deb; do
		dpkg-deb -x "$deb" "$SCRATCH/out/root"
	done
	rm -rf "$SCRATCH/out/root/usr/share" "$CACHE/cbmc"
	mv "$SCRATCH/out" "$CACHE/cbmc"
	pieces_note "$name" trixie "$SCRATCH/debs" | piece_done "$name"
}

setup_cache() {
	local started=$SECONDS
	mkdir -p "$CACHE"
	LOG=$CACHE/setup.log
	exec 9> "$CACHE/lock"
	flock -n 9 || { say "another set-up is at work; waiting for it" && flock 9; }
	piece kernel-6.1 piece_kernel 6.1 bookworm
	piece kernel-6.12 piece_kernel 6.12 bookworm-backports trixie
	piece kernel-7.2 piece_kernel 7.2 trixie-backports sid
	piece headers-6.1 piece_headers 6.1
	piece headers-6.12 piece_headers 6.12
	piece sysroot piece_sysroot
	piece arm64-root piece_arm64_root
	piece cbmc piece_cbmc
	if [ "$apt_ready" = yes ]; then
		rm -rf "$CACHE/scratch"
		say "done in $((SECONDS - started)) s; what was taken: $CACHE/TAKEN"
	else
		say "everything is there ($CACHE)"
	fi
	exec 9>&-
}

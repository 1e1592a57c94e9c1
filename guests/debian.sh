# What the recipes of guests from Debian's packages share. Sourced by guests/*/recipe, which are called as: recipe CACHE OUT.
# Packages are kept in CACHE; OUT gets what the recipe makes, and a file `version` that names the package.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=guests/${here##*/}
cache=$1 out=$2
arch=amd64
apt_options=()
mkdir -p "$cache" "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stop() {
	echo "$name: $*" >&2
	exit 1
}

# Packages of another architecture by package lists of our own in CACHE: the machine's apt is not told of it, and nobody needs to be root.
use_arch() {
	local lists
	arch=$1
	lists=$(cd "$cache" && pwd)/apt-$arch
	mkdir -p "$lists"/{lists,cache}/partial
	apt_options=(-o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o Dir::State="$lists"
		-o Dir::State::status=/dev/null -o Dir::Cache="$lists/cache")
}

# Bring our own lists, once a day. An archive that is not reached is not fatal: what is wanted may be in CACHE or in lists that did come.
need_lists() {
	[[ $arch == amd64 ]] || [[ -n $(find "$cache/apt-$arch/lists" -name '*_Packages*' -mtime -1) ]] ||
		apt-get -q "${apt_options[@]}" update >&2 || true
}

# The newest file of a package in CACHE, PACKAGE being a pattern; fails when there is none.
cached() {
	local found
	found=$(compgen -G "$cache/${1}_*_$arch.deb" | sort -V | tail -n 1)
	[[ -n $found ]] && echo "$found"
}

# Print the file of a package, downloaded unless it is there. apt-get download writes into the current folder.
fetch() {
	if ! cached "$1"; then
		need_lists
		(cd "$cache" && apt-get -q "${apt_options[@]}" download "$1") >&2 ||
			stop "$1 for $arch could not be downloaded; if the archive has a newer one by now: apt-get update"
		cached "$1"
	fi
}

# A meta package names the kernel of the day. Without a network a kernel that is in CACHE will do.
fetch_kernel() {
	local flavour=$1 package
	need_lists
	package=$(apt-cache "${apt_options[@]}" depends "linux-image-$flavour" 2>/dev/null |
		sed -n "s/^ *Depends: \(linux-image-.*-$flavour\)\$/\1/p" | head -n 1)
	[[ -n $package ]] || cached "linux-image-*-$flavour" || stop "no linux-image-$flavour: run apt-get update first"
	[[ -z $package ]] || fetch "$package"
}

# Unpack from a package what matches the pattern into `work`.
unpack() {
	dpkg-deb --fsys-tarfile "$1" | tar -x -C "$work" --wildcards "$2"
}

# An initial file system of busybox and guests/linux/init. The same input gives the same bytes: fixed times and owners, sorted names.
# Without compression, which would cost a guest's time.
make_initrd() {
	local root=$work/root
	mkdir -p "$root"/{bin,dev,proc,sys,run,tmp}
	unpack "$(fetch busybox-static)" ./bin/busybox
	mv "$work/bin/busybox" "$root/bin/"
	cp "$here/../linux/init" "$root/init"
	cp "$here/../linux/run/"* "$root/run/"
	(cd "$root" && find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort |
		cpio --quiet --reproducible -o -H newc -R 0:0) >"$out/initrd"
}

# The last step: the file that says it is done.
write_version() {
	dpkg-deb -f "$1" Package Version | sed 's/^[^:]*: //' | paste -sd' ' >"$out/version"
	echo "$name: $(cat "$out/version")" >&2
}

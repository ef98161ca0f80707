#!/usr/bin/env bash
# Runs the steps of Dockerfile without a container engine, in roots that debootstrap makes: the build stage, then the
# runtime stage, in which moderator runs as the image's user on a root file system that cannot be written.
#   image-check.sh           debootstrap makes a root in .cache/image (once)
#   image-check.sh ROOT      takes a minimal Debian 13 root, which is not changed
# Needs root and overlayfs. Uses this machine's caches of Go and npm.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'image-check: %s\n' "$*" >&2; exit 1; }
say() { printf 'image-check: %s\n' "$*"; }

[ "$(id -u)" = 0 ] || die "needs root, to mount and chroot"
command -v go >/dev/null || die "go is not installed"
[ -e .cache/onnxruntime/libonnxruntime.so.1 ] || die "no ONNX Runtime: run make setup, which does the image's first stage"
work=$PWD/.cache/image
base=${1:-$work/base}
mkdir -p "$work"
if [ ! -e "$base/etc/debian_version" ]; then
	command -v debootstrap >/dev/null || die "debootstrap is not installed: apt-get install debootstrap"
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$') ||
		die "no Debian mirror in apt's sources"
	say "debootstrap of Debian 13"
	debootstrap --variant=minbase trixie "$base.new" "$mirror" >"$work/debootstrap.log" 2>&1 ||
		{ tail -n 20 "$work/debootstrap.log" >&2; die "debootstrap failed: see the lines above"; }
	mv "$base.new" "$base"
fi

mounts=()
cleanup() {
	local i
	for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do umount -l "${mounts[i]}" || true; done
	rm -rf "$work"/{build,runtime}
}
trap cleanup EXIT
mounted() { mount "$@" && mounts+=("${*: -1}"); }

# stage NAME: makes a copy of the base, as FROM does. Changes go to a layer that is deleted at the end.
stage() {
	rm -rf "${work:?}/$1"
	mkdir -p "$work/$1"/{upper,work,root}
	mounted -t overlay overlay -o "lowerdir=$base,upperdir=$work/$1/upper,workdir=$work/$1/work" "$work/$1/root" ||
		die "overlayfs does not work here"
	mounted -t proc proc "$work/$1/root/proc"
	mounted --bind /dev "$work/$1/root/dev"
	# This machine's settings for its package mirrors.
	mkdir -p "$work/$1/root/etc/ssl/certs"
	cp /etc/resolv.conf /etc/hosts "$work/$1/root/etc/"
	cp -r /etc/apt/apt.conf.d/. "$work/$1/root/etc/apt/apt.conf.d/"
	cp /etc/ssl/certs/ca-certificates.crt "$work/$1/root/etc/ssl/certs/"
}

stage build
root=$work/build/root
mkdir -p "$root/usr/local/go" "$root/src" "$root/root/go/pkg/mod" "$root/root/.cache/go-build"
mounted --bind "$(go env GOROOT)" "$root/usr/local/go"
mounted --bind "$(go env GOMODCACHE)" "$root/root/go/pkg/mod"
mounted --bind "$(go env GOCACHE)" "$root/root/.cache/go-build"
# The files that .dockerignore lets through.
tar c --exclude=testdata go.mod go.sum cmd internal migrations models scripts | tar x -C "$root/src"
in_build() { chroot "$root" env PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root GOPROXY=off "$@"; }
say "build stage: packages"
in_build /src/scripts/image.sh build-packages
say "build stage: binaries"
in_build sh -c "cd /src && scripts/image.sh binaries /out check $(git rev-parse --short HEAD)"

stage runtime
root=$work/runtime/root
say "runtime stage: packages"
cp scripts/image.sh "$root/tmp/image.sh"
chroot "$root" /tmp/image.sh runtime-packages
cp "$work/build/root/out/"* "$root/usr/local/bin/"
cp .cache/onnxruntime/libonnxruntime.so.1 "$root/usr/local/lib/"
du -sh "$work/runtime/upper" | awk '{print "image-check: the image adds " $1 " to debian:trixie-slim"}'

# A read-only root, an ordinary user and no capabilities, as in the manifests.
mount -o remount,ro,bind "$root"
mounted -t tmpfs -o mode=1777 tmpfs "$root/tmp"
in_image() {
	chroot "$root" setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
		env -i PATH=/usr/local/bin:/usr/bin MODERATOR_ONNXRUNTIME_LIB=/usr/local/lib/libonnxruntime.so.1 \
		MODERATOR_DATA_DIR=/tmp/moderator "$@"
}
in_image moderator --version | grep -q 'moderator check (commit ' || die "moderator --version does not print version and commit"
# The image has no servers: only the check of the embedded Postgres may fail.
checked=$(in_image moderator check) || true
printf '%s\n' "$checked"
for part in libvips model runtime; do
	grep -q "^ok    $part" <<<"$checked" || die "$part does not work in the image"
done
if grep '^FAIL' <<<"$checked" | grep -qv '^FAIL  postgres'; then die "another check than that of the missing database fails"; fi
in_image flagctl --help >/dev/null
say "the image's steps work"

#!/usr/bin/env bash
# Installs dist/*.deb into a Debian 13 root that debootstrap makes in .cache/deb-check (once): first the client alone, then the
# server with PostgreSQL, on which `moderator check` must find everything. Needs root and overlayfs.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf 'deb-check: %s\n' "$*" >&2; exit 1; }
say() { printf 'deb-check: %s\n' "$*"; }

[ "$(id -u)" = 0 ] || die "needs root, to mount and chroot"
arch=$(dpkg --print-architecture)
client=$(ls dist/moderator-flagctl_*_"$arch".deb 2>/dev/null) && server=$(ls dist/moderator_*_"$arch".deb) || die "no packages in dist/: run make dist"
work=$PWD/.cache/deb-check
base=$work/base
mkdir -p "$work"
if [ ! -e "$base/etc/debian_version" ]; then
	command -v debootstrap >/dev/null || die "debootstrap is not installed: apt-get install debootstrap"
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$') || die "no Debian mirror in apt's sources"
	say "debootstrap of Debian 13"
	debootstrap --variant=minbase trixie "$base.new" "$mirror" >"$work/debootstrap.log" 2>&1 ||
		{ tail -n 20 "$work/debootstrap.log" >&2; die "debootstrap failed: see the lines above"; }
	mv "$base.new" "$base"
fi

root=$work/run/root
cleanup() {
	umount -l "$root/proc" "$root/dev" "$root" 2>/dev/null || true
	rm -rf "$work/run"
}
trap cleanup EXIT
cleanup
mkdir -p "$work"/run/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/run/upper,workdir=$work/run/work" "$root" || die "overlayfs does not work here"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/etc/ssl/certs"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp "$client" "$server" "$root/root/"
# Services are not started in the root.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
run() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
install() { run apt-get install -y -qq --no-install-recommends "$@" >"$work/apt.log" 2>&1 || { tail -n 30 "$work/apt.log" >&2; die "apt-get could not install $*: see the lines above"; }; }

run apt-get update -qq
install "/root/$(basename "$client")"
run flagctl --help >/dev/null
if run dpkg -l | grep -E '^ii +(postgresql|nats)'; then die "the client brings servers"; fi
say "the client is installed without servers"
install "/root/$(basename "$server")" postgresql postgresql-17-pgvector
run setpriv --reuid moderator --regid moderator --clear-groups env MODERATOR_DATA_DIR=/tmp/moderator moderator check ||
	die "a check fails in the root"
say "moderator check finds everything"

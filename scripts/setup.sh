#!/usr/bin/env bash
# Installs what moderator is built and run with on Debian 12 and 13, unless it is installed:
#   - a C compiler, pkg-config and libvips with its headers (Debian)
#   - PostgreSQL (Debian) with pgvector (Debian 13's package; on Debian 12 built from Debian 13's source package)
#   - ONNX Runtime's shared library, from the npm package onnxruntime-node, into .cache/onnxruntime
# A second run finds everything and returns at once.
set -euo pipefail
cd "$(dirname "$0")/.."

# The npm package's version and integrity are pinned together: `npm view onnxruntime-node@VERSION dist.integrity`.
ort_version=1.30.0
ort_integrity='sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw=='
ort_dir=${MODERATOR_ORT_DIR:-.cache/onnxruntime}     # a release collects the libraries of several architectures
ort_machine=${MODERATOR_ORT_MACHINE:-$(uname -m)}
pgvector_suite=trixie # the Debian release whose pgvector (0.8.0) Debian 12 builds

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else die "needs root to run '$*': run 'make setup' as root, or install sudo"; fi
}

apt_updated=
apt_install() {
	say "apt-get install $*"
	if [ -z "$apt_updated" ]; then
		as_root apt-get update -qq || die "apt-get update failed: check the sources in /etc/apt and the network"
		apt_updated=yes
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$scratch/apt.log" 2>&1 ||
		{ cat "$scratch/apt.log" >&2; die "apt-get could not install $*: see the lines above"; }
}

need_debian() {
	# shellcheck disable=SC1091
	. /etc/os-release
	case "${VERSION_ID:-}" in
	12 | 13) [ "${ID:-}" = debian ] && return ;;
	esac
	die "this script knows Debian 12 and 13, this is ${PRETTY_NAME:-unknown}: install libvips-dev, PostgreSQL with pgvector >= 0.8.0 by hand, see docs/operations/install.md"
}

# Prints the version of the newest PostgreSQL server, if any.
postgres_version() {
	find /usr/lib/postgresql/*/bin/postgres 2>/dev/null | cut -d/ -f5 | sort -n | tail -n 1
}

setup_toolchain() {
	command -v cc >/dev/null && command -v pkg-config >/dev/null && pkg-config --exists 'vips >= 8.14' && return
	need_debian
	local packages=(gcc g++ libc6-dev pkg-config libvips-dev)
	# Since Debian 13, libheif's decoders are separate packages.
	[ "$VERSION_ID" = 12 ] || packages+=(libheif-plugin-libde265 libheif-plugin-dav1d libheif-plugin-aomenc libheif-plugin-x265)
	apt_install "${packages[@]}"
}

setup_postgres() {
	[ -z "$(postgres_version)" ] || return 0
	need_debian
	apt_install postgresql-common
	# moderator runs its own cluster: keep Debian from starting one on port 5432.
	as_root sed -i 's/^#\? *create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	apt_install postgresql
}

setup_pgvector() {
	local version
	version=$(postgres_version)
	[ ! -e "/usr/share/postgresql/$version/extension/vector.control" ] || return 0
	need_debian
	if [ "$VERSION_ID" != 12 ]; then
		apt_install "postgresql-$version-pgvector"
		return
	fi
	apt_install make gcc libc6-dev "postgresql-server-dev-$version"
	build_pgvector "/usr/lib/postgresql/$version/bin/pg_config"
}

# Fetches the newer release's source package from the mirror that this machine uses. apt checks its signature and checksums.
# The lists go to a temporary folder, so that the system's own do not change.
build_pgvector() {
	local tmp mirror
	tmp=$scratch/pgvector
	mkdir "$tmp"
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		awk -v suite="$VERSION_CODENAME" '$1 == suite && /debian/ {print $2; exit}')
	[ -n "$mirror" ] || die "no Debian mirror for $VERSION_CODENAME in apt's sources: add one, pgvector's source comes from it"
	say "building pgvector from $pgvector_suite's source package"
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $pgvector_suite main" >"$tmp/sources.list"
	mkdir -p "$tmp/lists/partial"
	local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$tmp/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$tmp/lists" -o APT::Sandbox::User=root)
	(
		cd "$tmp"
		"${apt[@]}" update
		"${apt[@]}" source --download-only pgvector >/dev/null
		tar xzf pgvector_*.orig.tar.gz
		cd pgvector-*/
		# OPTFLAGS='' leaves out -march=native, as an image may run on another machine.
		make -s OPTFLAGS='' with_llvm=no PG_CONFIG="$1" >build.log 2>&1 || { tail -n 20 build.log >&2; exit 1; }
		as_root make -s with_llvm=no PG_CONFIG="$1" install >build.log 2>&1 || { tail -n 20 build.log >&2; exit 1; }
	) || die "pgvector could not be built: see the lines above"
}

setup_onnxruntime() {
	[ "$(cat "$ort_dir/VERSION" 2>/dev/null)" != "$ort_version" ] || return 0
	local arch tmp
	case "$ort_machine" in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*) die "onnxruntime-node has no library for $ort_machine: set MODERATOR_ONNXRUNTIME_LIB to your own build" ;;
	esac
	command -v npm >/dev/null || die "npm is not installed: install Node.js with npm, ONNX Runtime comes with the npm package onnxruntime-node"
	say "ONNX Runtime $ort_version from the npm package onnxruntime-node"
	tmp=$scratch/onnxruntime
	mkdir "$tmp"
	npm pack --silent --pack-destination "$tmp" "onnxruntime-node@$ort_version" >/dev/null 2>"$tmp/npm.log" ||
		{ cat "$tmp/npm.log" >&2; die "npm could not fetch onnxruntime-node@$ort_version: see the lines above"; }
	local got
	got=sha512-$(node -e 'const f=require("fs").readFileSync(process.argv[1]);process.stdout.write(require("crypto").createHash("sha512").update(f).digest("base64"))' "$tmp"/*.tgz)
	[ "$got" = "$ort_integrity" ] || die "onnxruntime-node@$ort_version has integrity $got, wanted $ort_integrity: not installed"
	tar xzf "$tmp"/*.tgz -C "$tmp" --strip-components=5 "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1"
	rm -f "$tmp"/*.tgz "$tmp/npm.log"
	echo "$ort_version" >"$tmp/VERSION"
	mkdir -p "$(dirname "$ort_dir")"
	rm -rf "$ort_dir"
	mv "$tmp" "$ort_dir"
}

if [ $# -gt 0 ]; then # only the named steps, for images
	for step in "$@"; do "setup_$step"; done
	exit
fi
command -v go >/dev/null || die "go is not installed: install Go 1.26 or newer and put it in PATH"
setup_toolchain
setup_postgres
setup_pgvector
setup_onnxruntime

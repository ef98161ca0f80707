#!/usr/bin/env bash
# Puts Mesa's software device for Vulkan (lavapipe) and the Vulkan loader into .cache/vulkan, from Debian's packages: those of
# Debian 13, on Debian 12 those of its backports. WebGPU does not run on Debian 12's own. The system's packages do not change,
# and root is not needed. A second run returns at once. Prints the variables that a program needs to use it.
# Exit code 3: this system has no such packages.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$PWD/.cache/vulkan
scratch=
say() { printf 'vulkan: %s\n' "$*" >&2; }
none() { say "$*"; exit 3; }

fetch() {
	# shellcheck disable=SC1091
	. /etc/os-release 2>/dev/null || none "the distribution is unknown: install a Vulkan driver with Mesa 25 or later by hand"
	local suites
	case "${ID:-} ${VERSION_ID:-}" in
	'debian 12') suites="$VERSION_CODENAME $VERSION_CODENAME-backports" ;;
	'debian 13') suites=$VERSION_CODENAME ;;
	*) none "this script knows Debian 12 and 13, this is ${PRETTY_NAME:-unknown}: install a Vulkan driver with Mesa 25 or later by hand" ;;
	esac
	local mirror suite
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		awk -v suite="$VERSION_CODENAME" '$1 == suite && /debian/ {print $2; exit}')
	[ -n "$mirror" ] || none "no Debian mirror for $VERSION_CODENAME in apt's sources: run apt-get update, or add one"
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/root"
	for suite in $suites; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >>"$scratch/sources.list"
	done
	local apt=(timeout 120 apt-get -qq -y -o "Dir::Etc::sourcelist=$scratch/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
	say "lavapipe from Debian's ${suites##* }"
	"${apt[@]}" update >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; none "apt-get could not read $mirror: see the lines above"; }
	# Packages that are missing or too old here are downloaded. Those that are installed in this version already are used as they are.
	"${apt[@]}" install --download-only --no-install-recommends --target-release "${suites##* }" libvulkan1 mesa-vulkan-drivers >"$scratch/log" 2>&1 ||
		{ cat "$scratch/log" >&2; none "apt-get could not download mesa-vulkan-drivers: see the lines above"; }
	local package
	for package in "$scratch"/cache/archives/*.deb; do
		[ ! -e "$package" ] || dpkg-deb --extract "$package" "$scratch/root"
	done
	mkdir -p "$(dirname "$dir")"
	rm -rf "$dir"
	mv "$scratch/root" "$dir"
}

# Packages of the same version that are installed are not in the folder, but in the system's.
driver() { find "$dir/usr/share/vulkan/icd.d" /usr/share/vulkan/icd.d -name 'lvp_icd*.json' 2>/dev/null | head -n 1; }

[ -d "$dir" ] || fetch
[ -n "$(driver)" ] || none "the packages hold no lavapipe: remove $dir and run this script again"
printf 'export VK_DRIVER_FILES=%q VK_ICD_FILENAMES=%q LD_LIBRARY_PATH=%q\n' "$(driver)" "$(driver)" \
	"$(find "$dir/usr/lib" -maxdepth 1 -name '*-linux-gnu' 2>/dev/null | head -n 1)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

#!/usr/bin/env bash
# Makes release tarballs, Debian packages for Linux and the Helm chart in dist/: programs, ONNX Runtime's library, the model, man
# pages, completions, an SBOM of the Go modules, and checksums. VERSION is the released tag; the default is that of `git describe`.
# The other architecture needs a cross compiler and its libvips (Debian: dpkg --add-architecture, then
# crossbuild-essential-arm64 libvips-dev:arm64); without them it is skipped, with a line that says so.
set -euo pipefail
cd "$(dirname "$0")/.."
cyclonedx=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

say() { printf 'dist: %3d s: %s\n' "$SECONDS" "$*"; }
die() { printf 'dist: %s\n' "$*" >&2; exit 1; }

version=${VERSION:-$(git describe --tags --always --dirty)}
version=${version#v}
debian=$version # begins with a digit
case "$version" in [0-9]*.*) ;; *) debian=0~git$version ;; esac
debian=${debian//-/+}
commit=$(git rev-parse --short HEAD)
stamp=@$(git log -1 --format=%ct) # time of all files, so that a commit always makes the same tarball
native=$(go env GOHOSTARCH)

rm -rf dist
mkdir -p dist
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# toolchain ARCH: sets CC and PKG_CONFIG for it, or says what is missing.
toolchain() {
	unset CC PKG_CONFIG
	[ "$1" != "$native" ] || return 0
	local machine
	case "$1" in
	amd64) machine=x86_64-linux-gnu ;;
	arm64) machine=aarch64-linux-gnu ;;
	esac
	command -v "$machine-gcc" >/dev/null || { missing="no cross compiler $machine-gcc"; return 1; }
	export CC=$machine-gcc PKG_CONFIG=$machine-pkg-config
	command -v "$PKG_CONFIG" >/dev/null && "$PKG_CONFIG" --exists vips || { missing="no libvips for $1 that $PKG_CONFIG finds"; return 1; }
}

# docs_of FOLDER: writes man pages and completions, which the programs of this machine's architecture print.
docs_of() {
	local name shell
	mkdir -p "$1/man" "$1/completions"
	for name in moderator flagctl; do
		"$scratch/native/$name" --man | sed "1s/\"[0-9-]*\"/\"$(git log -1 --format=%cs)\"/" | gzip -9n >"$1/man/$name.1.gz"
		for shell in bash zsh fish; do
			"$scratch/native/$name" completion "$shell" | sed "s|$scratch/[a-z0-9]*/||" >"$1/completions/$name.$shell"
		done
	done
}

build() { # ARCH FOLDER
	CGO_ENABLED=1 GOOS=linux GOARCH=$1 go build -trimpath -tags disable_grpc_modules -o "$2/" \
		-ldflags "-s -w -X moderator/internal/version.Version=$version -X moderator/internal/version.Commit=$commit" ./cmd/...
}

pack() { # ARCH
	local machine name=moderator-$version-linux-$1 folder
	folder=$scratch/$name
	mkdir -p "$folder"
	cp "$scratch/$1/"* "$folder/"
	case "$1" in
	amd64) machine=x86_64 ;;
	arm64) machine=aarch64 ;;
	esac
	MODERATOR_ORT_MACHINE=$machine MODERATOR_ORT_DIR=$PWD/.cache/dist/onnxruntime-$1 scripts/setup.sh onnxruntime
	cp ".cache/dist/onnxruntime-$1/libonnxruntime.so.1" "$folder/"
	mkdir -p "$folder/models"
	cp -r models/copydetect "$folder/models/"
	say "packs linux/$1: man pages, completions, docs, the model"
	cp -r docs examples README.md LICENSE CHANGELOG.md SECURITY.md "$folder/"
	docs_of "$folder"
	say "lists the parts of linux/$1"
	go run "$cyclonedx" bin -json -output "$folder/sbom.cdx.json" -version "$version" "$folder/moderator" 2>"$scratch/sbom.log" ||
		{ cat "$scratch/sbom.log" >&2; die "the SBOM could not be made: see the lines above"; }
	tar c -C "$scratch" --sort=name --mtime="$stamp" --owner=0 --group=0 --numeric-owner --mode=go-w "$name" | gzip -9n >"dist/$name.tar.gz"
	cp "$folder/sbom.cdx.json" "dist/$name.cdx.json"
	say "created package: dist/$name.tar.gz, $(du -h "dist/$name.tar.gz" | cut -f1)"
	for package in flagctl moderator; do
		ARCH=$1 VERSION=$debian FOLDER=$folder SOURCE_DATE_EPOCH=${stamp#@} \
			go run "$nfpm" package --packager deb --target dist/ --config "deploy/debian/nfpm-$package.yaml" >"$scratch/nfpm.log" 2>&1 ||
			{ cat "$scratch/nfpm.log" >&2; die "the Debian package of $package could not be made: see the lines above"; }
		say "$(tail -1 "$scratch/nfpm.log")"
	done
}

built=()
for arch in "$native" $([ "$native" = amd64 ] && echo arm64 || echo amd64); do
	missing=
	if ! toolchain "$arch"; then
		say "linux/$arch is SKIPPED: $missing"
		continue
	fi
	say "builds the programs of linux/$arch"
	build "$arch" "$scratch/$arch"
	[ "$arch" != "$native" ] || ln -s "$scratch/$arch" "$scratch/native"
	built+=("$arch")
done
for arch in "${built[@]}"; do pack "$arch"; done

# The chart has the release's version, which Helm wants as three numbers: of another commit it is that of Chart.yaml.
chart=$(sed -n 's/^version: //p' deploy/helm/Chart.yaml)
case "$version" in [0-9]*.[0-9]*.[0-9]*) chart=$version ;; esac
mkdir "$scratch/chart"
cp -r deploy/helm "$scratch/chart/moderator"
sed -i "s/^version: .*/version: $chart/; s/^appVersion: .*/appVersion: $chart/" "$scratch/chart/moderator/Chart.yaml"
tar c -C "$scratch/chart" --sort=name --mtime="$stamp" --owner=0 --group=0 --numeric-owner --mode=go-w moderator | gzip -9n >"dist/moderator-chart-$chart.tgz"
say "created package: dist/moderator-chart-$chart.tgz"
(cd dist && sha256sum -- * >SHA256SUMS)
say "version $version, commit $commit: $(wc -l <dist/SHA256SUMS) files in dist/SHA256SUMS"

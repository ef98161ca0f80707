#!/usr/bin/env bash
# The steps of Dockerfile and Dockerfile.gpu, for Debian 13 and Ubuntu 24.04; scripts/image-check.sh runs the same ones
# without a container engine.
#   image.sh build-packages            installs what moderator is built with
#   image.sh runtime-packages          installs what it runs with, and makes its data folder
#   image.sh binaries DIR VERSION COMMIT   builds the programs
set -euo pipefail

# libheif's decoders are separate packages: libde265 for HEIC, dav1d for AVIF.
runtime=(ca-certificates libvips42t64 libheif-plugin-libde265 libheif-plugin-dav1d libstdc++6)
build=(gcc g++ libc6-dev pkg-config libvips-dev ca-certificates)

install() {
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
	rm -rf /var/lib/apt/lists/*
}

case "${1:-}" in
build-packages) install "${build[@]}" ;;
runtime-packages)
	install "${runtime[@]}"
	mkdir -p /var/lib/moderator
	chown 10001:10001 /var/lib/moderator
	;;
binaries)
	# The tag leaves gRPC, which is not used, out of Google's storage client: 20 MB.
	CGO_ENABLED=1 go build -trimpath -tags disable_grpc_modules -o "$2/" \
		-ldflags "-s -w -X moderator/internal/version.Version=$3 -X moderator/internal/version.Commit=$4" ./cmd/...
	;;
*)
	sed -n '2,6s/^# //p' "$0" >&2
	exit 2
	;;
esac

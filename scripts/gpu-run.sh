#!/usr/bin/env bash
# Checks and measures moderator on a machine with an NVIDIA GPU within ten minutes, of which it needs only the driver.
#
#   scripts/gpu-run.sh pack DIR [tensorrt]   where PyPI is reached: gathers binaries, libraries and test data in DIR (2.5 GB)
#   DIR/gpu-run.sh run [PROVIDER]            on that machine, for cuda or tensorrt: gpu-check, then the bench's GPU part
#
# The libraries are ONNX Runtime's GPU build and NVIDIA's for CUDA 13, from their makers' wheels. Where PostgreSQL with pgvector is
# missing on that machine, the demo and the bench are left out, with a line.
set -euo pipefail

say() { printf 'gpu-run: %s\n' "$*"; }
die() { printf 'gpu-run: %s\n' "$*" >&2; exit 1; }

wheels() { # unpacks the shared libraries of wheels into $dir/lib
	local tmp wheel
	tmp=$(mktemp -d)
	python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.12 --dest "$tmp" \
		--platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 "$@"
	for wheel in "$tmp"/*.whl; do
		python3 - "$wheel" "$dir/lib" <<'EOF'
import os, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    file = os.path.basename(name)
    if file.startswith("lib") and ".so" in file:
        with open(os.path.join(sys.argv[2], file), "wb") as out:
            out.write(wheel.read(name))
EOF
	done
	rm -rf "$tmp"
}

pack() {
	[ "$(uname -m)" = x86_64 ] || die "the wheels are for x86_64, this is $(uname -m)"
	cd "$(dirname "$0")/.."
	mkdir -p "$dir/bin" "$dir/lib" "$dir/system" "$dir/models"
	say "binaries"
	go build -tags disable_grpc_modules -o "$dir/bin/" ./cmd/... ./tools/gpu-check ./tools/demo ./tools/bench
	go test -c -o "$dir/bin/embed.test" ./internal/embed
	say "ONNX Runtime and CUDA"
	wheels 'onnxruntime-gpu>=1.31,<2' 'nvidia-cublas~=13.0' 'nvidia-cuda-runtime~=13.0' 'nvidia-cuda-nvrtc~=13.0' 'nvidia-curand~=10.0' \
		'nvidia-cufft~=12.0' 'nvidia-cudnn-cu13~=9.0'
	if [ "${1:-}" = tensorrt ]; then wheels 'tensorrt-cu13-libs~=10.0'; fi
	ln -sf "$(basename "$(find "$dir/lib" -name 'libonnxruntime.so.1.*' | sort -V | tail -n 1)")" "$dir/lib/libonnxruntime.so.1"
	# libvips with its codecs. The C library is that machine's own, which must be as new as this one's.
	ldd "$dir/bin/moderator" | awk '$3 ~ /^\// && $1 !~ /^(libc|libm|libdl|librt|libpthread|libresolv)\.so/ {print $3}' | xargs -r cp -Lt "$dir/system"
	cp -r models/copydetect "$dir/models/"
	cp go.mod "$dir/" # tests look for the root of the repository
	local data=${MODERATOR_TESTDATA:-../shared/testdata}
	if [ -d "$data/golden" ]; then
		mkdir -p "$dir/testdata"
		cp -r "$data/golden" "$data/photos" "$dir/testdata/"
	fi
	cp scripts/gpu-run.sh "$dir/"
	say "packed: copy $dir to the machine, and run gpu-run.sh run there"
}

run() {
	local provider=${1:-cuda} began=$SECONDS demo=() version
	cd "$dir"
	export LD_LIBRARY_PATH=$dir/lib:$dir/system MODERATOR_ONNXRUNTIME_LIB=$dir/lib/libonnxruntime.so.1 MODERATOR_TESTDATA=$dir/testdata
	if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv; fi
	version=$(find /usr/lib/postgresql/*/bin/postgres 2>/dev/null | cut -d/ -f5 | sort -n | tail -n 1)
	if [ -z "$version" ] || [ ! -e "/usr/share/postgresql/$version/extension/vector.control" ]; then
		say "no PostgreSQL with pgvector: without the demo and the bench"
		demo=(--no-demo)
	fi
	timeout 400 bin/gpu-check --provider "$provider" --bin bin --prebuilt bin "${demo[@]}"
	[ ${#demo[@]} -eq 0 ] || return 0
	export MODERATOR_PROVIDER=$provider
	timeout $((590 - SECONDS + began)) bin/bench --bin bin --parts throughput --models vit-b32-fp32 --pictures 0.17mp --output figures.json
}

case "${1:-}" in
pack)
	[ $# -ge 2 ] || die "usage: gpu-run.sh pack DIR [tensorrt]"
	mkdir -p "$2"
	dir=$(realpath "$2")
	pack "${3:-}"
	;;
run)
	dir=$(realpath "$(dirname "$0")")
	run "${2:-cuda}"
	;;
*) die "usage: gpu-run.sh pack DIR [tensorrt], then DIR/gpu-run.sh run [PROVIDER]" ;;
esac

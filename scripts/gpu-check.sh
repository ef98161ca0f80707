#!/usr/bin/env bash
# Checks an execution provider against the CPU: gpu-check.sh [PROVIDER], by default what auto finds. WebGPU gets a software
# device where the machine has no GPU; exit code 3 says that there is none for this system either.
set -euo pipefail
cd "$(dirname "$0")/.."
provider=${1:-auto}

if [ "$provider" = webgpu ] && ! compgen -G '/dev/dri/renderD*' >/dev/null && [ ! -e /dev/nvidia0 ] && [ ! -e /dev/dxg ]; then
	variables=$(./scripts/vulkan.sh) || exit
	eval "$variables"
fi
go build -o .cache/gpu-check ./tools/gpu-check # `go run` would lose the exit code and the signals
exec .cache/gpu-check --provider "$provider" --bin bin

#!/usr/bin/env bash
# Runs the tests of all packages with C of their own under AddressSanitizer and UndefinedBehaviorSanitizer: golden pictures,
# malformed ones, and the fuzzers' corpus. The first report ends a test. libvips, its codecs and ONNX Runtime are not
# instrumented. Arguments are go test's.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
export CGO_LDFLAGS='-fsanitize=address,undefined'
export ASAN_OPTIONS=detect_leaks=0 # Go's heap holds pointers that the leak detector does not see
mapfile -t packages < <(go list -f '{{if .CgoFiles}}{{.ImportPath}}{{end}}' ./internal/...)
nice go test -asan -timeout 15m "$@" "${packages[@]}"

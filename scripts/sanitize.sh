#!/usr/bin/env bash
# Runs the tests of all packages with C code under AddressSanitizer and UndefinedBehaviorSanitizer, with golden pictures,
# malformed ones and the fuzzers' corpus. The first report ends a test. libvips, its codecs and ONNX Runtime are not
# instrumented. Arguments go to go test.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
export CGO_LDFLAGS='-fsanitize=address,undefined'
export ASAN_OPTIONS=detect_leaks=0 # the leak detector does not see pointers in Go's heap
mapfile -t packages < <(go list -f '{{if .CgoFiles}}{{.ImportPath}}{{end}}' ./internal/...)
nice go test -asan -timeout 15m "$@" "${packages[@]}"

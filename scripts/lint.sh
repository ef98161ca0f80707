#!/usr/bin/env bash
# Runs gofumpt, go vet and staticcheck. The tools' versions are pinned here; they come from the Go module proxy.
set -euo pipefail
cd "$(dirname "$0")/.."
gofumpt=mvdan.cc/gofumpt@v0.12.0
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs go run "$gofumpt" -l)
if [ -n "$unformatted" ]; then
	printf 'lint: not gofumpt-formatted:\n%s\nlint: run: go run %s -w .\n' "$unformatted" "$gofumpt" >&2
	exit 1
fi
go vet ./...
go run "$staticcheck" ./...
echo 'lint: clean'

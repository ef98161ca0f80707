#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (20s), one after the other. An input that fails is kept in the package's testdata/fuzz,
# where `go test` finds it: fix the fault, and commit both.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for package in $(git grep -l --untracked '^func Fuzz' -- '*_test.go' | xargs -n 1 dirname | sort -u); do
	# shellcheck disable=SC2013
	for target in $(grep -hoE '^func Fuzz\w+' "$package"/*_test.go | cut -c6-); do
		printf 'fuzz: %s %s\n' "$package" "$target"
		if ! nice go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" 2>&1 | tee "$log"; then
			# Go sometimes reports the end of the fuzzing time as a failure, without an input that fails.
			if grep -q 'Failing input' "$log" || ! grep -q '^ *context deadline exceeded$' "$log"; then failed+=("$package $target"); fi
		fi
	done
done
[ ${#failed[@]} -eq 0 ] || { printf 'fuzz: %s failed\n' "${failed[@]}" >&2; exit 1; }
echo 'fuzz: no failures'

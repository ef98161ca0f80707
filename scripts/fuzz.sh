#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (20s), one after the other. What fails is kept below the package's testdata/fuzz, where
# `go test` finds it from then on: mend it and commit both.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=()
for package in $(git grep -l --untracked '^func Fuzz' -- '*_test.go' | xargs -n 1 dirname | sort -u); do
	# shellcheck disable=SC2013
	for target in $(grep -hoE '^func Fuzz\w+' "$package"/*_test.go | cut -c6-); do
		printf 'fuzz: %s %s\n' "$package" "$target"
		nice go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" || failed+=("$package $target")
	done
done
[ ${#failed[@]} -eq 0 ] || { printf 'fuzz: %s failed\n' "${failed[@]}" >&2; exit 1; }
echo 'fuzz: no failures'

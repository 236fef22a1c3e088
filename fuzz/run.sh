#!/usr/bin/env bash
# Runs one fuzz target with the stable compiler:  fuzz/run.sh TARGET [SECONDS] [libFuzzer options]
# Inputs that reach new code are kept in corpus/TARGET, a failing one in artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")"

target=${1:?"usage: run.sh TARGET [SECONDS] [libFuzzer options]"}
seconds=${2:-60}
shift $(($# < 2 ? $# : 2))

# The flags of cargo-fuzz: coverage counters and comparison tracing by LLVM's SanitizerCoverage.
# Passing --target keeps them away from build scripts.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 ${RUSTFLAGS:-}"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --quiet --target "$host" --bin "$target"

mkdir -p "corpus/$target" "artifacts/$target"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "corpus/$target" \
    -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 "$@"

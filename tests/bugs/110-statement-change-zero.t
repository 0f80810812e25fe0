#!/bin/sh
# A statement about CHG-0000, which no change is, was taken as one. Found by fuzzing.
exec "${FUZZ_FROM:-build/release/fuzz}/fuzz_statement" -n 0 tests/fuzz/corpus/statement/change-zero

#!/bin/sh
# seeds.sh TARGET: the folders and files that hold its seeds: its own, and what other tests have.
echo "tests/fuzz/corpus/$1"
case $1 in
plan) echo "tests/tables/plan playbooks" ;;
inventory) echo "inventory tests/tables/inventory_refused.txt" ;;
esac

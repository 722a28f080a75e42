#!/bin/sh
# test_exports.sh FOVEA SOURCE_ROOT: networks exported on the spot by PyTorch, and
# graphs in the manner of other exporters, against PyTorch's own results, with
# passes on and off. Needs a python3 with torch and onnx.
#
# A model passes with rel_l2 of at most 1e-5, or 2e-2 where its name says that it
# was converted to f16 after the export.
set -u
fovea=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for python in python3 /usr/bin/python3 none; do
    "$python" -c 'import onnx, torch' 2>/dev/null && break
done
if [ "$python" = none ]; then
    echo "skipped: there is no python3 with torch and onnx"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
PYTHONDONTWRITEBYTECODE=1 "$python" "$2/tests/exports/make_exports.py" --few "$tmp/cases" \
    >"$tmp/log" 2>&1 || { tail "$tmp/log"; exit 1; }
grep '^not exported' "$tmp/log"

passed=0 failed=0
for passes in on off; do
    "$fovea" verify --passes "$passes" "$tmp"/cases/* >"$tmp/out"
    while read -r status name _ _ _ rel_l2 rest; do
        case $status in
        passed)
            bound=1e-5
            case $name in *_half) bound=2e-2 ;; esac
            ok=$(echo "$rel_l2 $bound" | awk '{ print (NF == 2 && $1 + 0 <= $2 + 0) ? "yes" : "no" }')
            ;;
        failed | error | unsupported) ok=no ;;
        *) continue ;; # the closing line
        esac
        if [ "$ok" = yes ]; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL passes $passes: $status $name $rel_l2 $rest"
        fi
    done <"$tmp/out"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

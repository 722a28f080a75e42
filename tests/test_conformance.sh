#!/bin/sh
# test_conformance.sh FOVEA SOURCE_ROOT: the official ONNX node tests. Those of
# conformance/node.txt and simple.txt must pass, with passes on and off; of the
# other node tests, each must be refused as unsupported or be named in
# conformance/node-not.txt.
set -u
fovea=$1
lists=$2/tests/conformance
nodes=/usr/share/libonnx-testdata/data/node
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if [ ! -d "$nodes" ]; then
    echo "SKIP node tests: libonnx-testdata is not installed"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

ls "$nodes" | sort >"$tmp/all"
grep -v '^#' "$lists/node.txt" | sort >"$tmp/listed"
grep -v '^#' "$lists/node-not.txt" | sort >"$tmp/not"

# other releases of the data lack some cases
comm -12 "$tmp/all" "$tmp/listed" >"$tmp/here"
passed=0 failed=0
for passes in on off; do
    "$fovea" verify --threads 1 --passes $passes --list "$tmp/here" --root "$nodes" >"$tmp/out"
    "$fovea" verify --threads 1 --passes $passes --list "$lists/simple.txt" --root "$nodes/../simple" \
        >>"$tmp/out"
    grep -v -e '^passed' -e '[0-9] passed, ' "$tmp/out" | sed "s/^/FAIL (passes $passes) /"
    n=$(grep -c '^passed' "$tmp/out")
    passed=$((passed + n))
    failed=$((failed + $(wc -l <"$tmp/here") + $(grep -vc '^#' "$lists/simple.txt") - n))
done

# and have others, so completeness is asked of the release the lists were made from
if [ "$(wc -l <"$tmp/all")" = 932 ]; then
    comm -23 "$tmp/all" "$tmp/listed" | comm -23 - "$tmp/not" >"$tmp/others"
    "$fovea" verify --threads 1 --list "$tmp/others" --root "$nodes" >"$tmp/out"
    grep -v -e '^unsupported' -e '[0-9] passed, ' "$tmp/out" >"$tmp/wrong"
    sed 's/^/FAIL (in neither list, yet not unsupported) /' "$tmp/wrong"
    failed=$((failed + $(wc -l <"$tmp/wrong")))
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

#!/bin/sh
# test_embed.sh FOVEA SOURCE_ROOT EMBED LIBRARY: the shared library as a client
# meets it. It shows the functions that fovea.h declares and no others, and the
# example client gives an image the class that fovea classify gives it.
set -u
fovea=$1 root=$2 embed=$3 library=$4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

# check NAME FILE FILE: both files hold the same
check() {
    if diff "$2" "$3" && [ -s "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

if nm -D "$library" | grep -q __asan_init; then
    echo "SKIP library__symbols__are_those_of_the_header: sanitizers need theirs visible"
    skipped=$((skipped + 1))
else
    sed '/^static inline/,/^}/d' "$root/runtime/fovea.h" | grep -oE 'fovea_[a-z0-9_]+\(' |
        tr -d '(' | sort -u | grep -v '_default$' >"$tmp/declared"
    nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u >"$tmp/defined"
    check library__symbols__are_those_of_the_header "$tmp/declared" "$tmp/defined"
fi

for model in "$root"/examples/shapes/*.onnx; do
    if [ ! -f "$model" ]; then
        echo "SKIP embed__image__is_the_class_of_classify: no model in examples/shapes"
        skipped=$((skipped + 1))
        break
    fi
    image=$root/examples/shapes/val/ring/0001.jpg
    "$fovea" classify --top 1 --json "$model" "$image" 2>"$tmp/err" >"$tmp/json"
    grep -o '"class": *[0-9]*' "$tmp/json" | grep -o '[0-9]*$' >"$tmp/expected"
    "$embed" "$model" "$image" | sed -n '1s/class \([0-9]*\),.*/\1/p' >"$tmp/got"
    check "embed__${model##*/}__is_the_class_of_classify" "$tmp/expected" "$tmp/got"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]

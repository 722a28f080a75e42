#!/bin/sh
# test_abi.sh LIBRARY HEADER ROOT: the shared library keeps the interface in tests/abi/fovea.abi;
# and the comparison sees a change, of a struct and of a function.
set -u
library=$1 header=$2 root=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

skip() {
    echo "SKIP abi: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

command -v abidiff >/dev/null && command -v abidw >/dev/null || skip "no abidiff (abigail-tools)"
[ "$(uname -m)" = x86_64 ] || skip "the dump is of x86-64"
if nm -D "$library" | grep -q __asan_init; then
    skip "sanitizers need their symbols visible"
fi

result() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $2"
    fi
}

"$root/tests/abi/dump" "$library" "$header" "$tmp/now.abi"
abidiff "$root/tests/abi/fovea.abi" "$tmp/now.abi" >"$tmp/report"
status=$?
[ "$status" = 0 ] || {
    cat "$tmp/report"
    echo "If the change is meant: tests/abi/dump LIBRARY runtime/fovea.h tests/abi/fovea.abi"
}
result "$status" abi__library__is_as_the_committed_dump

# changed NAME SED-EXPRESSION: abidiff tells the dump from one that was edited
changed() {
    sed "$2" "$root/tests/abi/fovea.abi" >"$tmp/edited.abi"
    cmp -s "$root/tests/abi/fovea.abi" "$tmp/edited.abi" && result 1 "$1 (nothing was edited)"
    abidiff "$tmp/edited.abi" "$tmp/now.abi" >/dev/null
    [ $? -ge 4 ]
    result $? "$1"
}

changed abi__a_function_is_gone__is_told 's/fovea_version/fovea_former/'
changed abi__a_struct_has_another_size__is_told \
    "/class-decl name='fovea_run_options'/s/size-in-bits='[0-9]*'/size-in-bits='64'/"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]

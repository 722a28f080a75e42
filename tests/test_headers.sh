#!/bin/sh
# test_headers.sh SOURCE_ROOT BUILD_ROOT CC...: every header of ours compiles
# alone, so that a file includes what it uses and no order matters.
set -u
root=$1
build=$2
shift 2
passed=0
failed=0
cd "$root" || exit 1
for header in runtime/*.h ops/*.h loaders/*.h tools/*.h tests/*.h; do
    [ -f "$header" ] || continue
    if echo "#include \"$header\"" | "$@" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror \
        -fsyntax-only -I. -I"$build" -I"$build/loaders" -x c -; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $header"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

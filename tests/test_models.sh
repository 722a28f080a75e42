#!/bin/sh
# test_models.sh FOVEA SOURCE_ROOT: every exported model of ../shared/models
# against its framework's own results, with passes on and off, and with Winograd
# convolutions off.
#
# A model passes with rel_l2 of at most 1e-5, or 2e-2 where its name says it is
# stored as fp16 or bf16; with Winograd's (auto) f32 has 5e-5. One whose operators are not all supported has to be
# listed in models/unsupported.txt.
set -u
fovea=$1
shared=$2/../shared
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if [ ! -d "$shared/models" ]; then
    echo "skipped: ../shared/models is not there"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

passed=0 failed=0
for way in "on auto" "off auto" "on off"; do
    passes=${way% *} winograd=${way#* }
    "$fovea" verify --passes "$passes" --winograd "$winograd" "$shared"/models/* \
        >"$tmp/out" 2>"$tmp/err"
    while read -r status name _ _ _ rel_l2 rest; do
        case $status in
        passed)
            bound=1e-5
            case "$winograd $rest" in "auto winograd_rel_l2"*) bound=5e-5 ;; esac
            case $name in *fp16* | *bf16*) bound=2e-2 ;; esac
            ok=$(echo "$rel_l2 $bound" | awk '{ print (NF == 2 && $1 + 0 <= $2 + 0) ? "yes" : "no" }')
            ;;
        unsupported) ok=$(grep -qx "$name" "$2/tests/models/unsupported.txt" && echo yes || echo no) ;;
        failed | error) ok=no ;;
        *) continue ;; # the closing line
        esac
        if [ "$ok" = yes ]; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL passes $passes, winograd $winograd: $status $name $rel_l2 $rest"
        fi
    done <"$tmp/out"
    cat "$tmp/err"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

#!/bin/sh
# test_models.sh FOVEA SOURCE_ROOT: every exported model of ../shared/models
# against its framework's own results, with passes on and off, in f32 and bf16.
#
# A model passes with rel_l2 of at most 1e-5, or 2e-2 where its name says it is
# stored as fp16 or bf16, or 3e-2 where it is run in bf16. One whose operators are not all supported has to be
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
for run in "f32 on" "f32 off" "bf16 on" "bf16 off"; do
    precision=${run% *} passes=${run#* }
    "$fovea" verify --precision "$precision" --passes "$passes" "$shared"/models/* >"$tmp/out" 2>"$tmp/err"
    while read -r status name _ _ _ rel_l2 rest; do
        case $status in
        passed)
            bound=1e-5
            case $name in *fp16* | *bf16*) bound=2e-2 ;; esac
            [ "$precision" = bf16 ] && bound=3e-2
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
            echo "FAIL $precision, passes $passes: $status $name $rel_l2 $rest"
        fi
    done <"$tmp/out"
    cat "$tmp/err"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

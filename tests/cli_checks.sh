# What the tests of the command line share: sourced, after setting fovea, the command under test. A
# test is begin, steps, end; a script of them closes on cli_done.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
test= ok=

# ---- a test is begin, steps, end --------------------------------------------------

begin() {
    test=$1
    ok=yes
}

broken() {
    echo "FAIL $test: $*"
    ok=no
}

end() {
    if [ "$ok" = yes ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        sed 's/^/    stderr: /' "$tmp/err" | head -5
    fi
}

skip() {
    echo "SKIP $1: $2"
    skipped=$((skipped + 1))
}

# run EXIT_CODE ARGUMENT...: the command, keeping stdout and stderr
run() {
    want=$1
    shift
    "$fovea" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    got=$?
    [ "$got" = "$want" ] || broken "fovea $*: exit $got, expected $want"
}

out_has() {
    grep -q -e "$1" "$tmp/out" || broken "stdout lacks '$1': $(head -3 "$tmp/out")"
}

err_has() {
    grep -q -e "$1" "$tmp/err" || broken "stderr lacks '$1': $(head -3 "$tmp/err")"
}

out_empty() {
    [ -s "$tmp/out" ] && broken "stdout is not empty: $(head -3 "$tmp/out")"
}

# json FILE EXPRESSION...: Python expressions over the parsed file `d` that must be true
json() {
    [ -n "$python" ] || return 0
    "$python" -I -S -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit("; ".join(e for e in sys.argv[2:] if not eval(e)) or None)' "$@" 2>"$tmp/untrue" ||
        broken "JSON: not true: $(cat "$tmp/untrue")"
}

python=$(command -v python3 || true)
[ -n "$python" ] || echo "SKIP JSON checks: there is no python3"

cli_done() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}

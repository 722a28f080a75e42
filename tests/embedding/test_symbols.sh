#!/bin/sh
# test_symbols.sh ARCHIVE HEADER: the static archive, which is one object of all of the library, shows
# the functions of fovea.h and no other name; refers to nothing that prints, ends the process, or
# changes what belongs to all of it; and has no variables but those listed here, with the reasons.
set -u
archive=$1 header=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# check NAME FILE FILE: both files hold the same
check() {
    if diff "$2" "$3"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

sed '/^static inline/,/^}/d' "$header" | grep -oE 'fovea_[a-z0-9_]+\(' | tr -d '(' | sort -u |
    grep -v '_default$' >"$tmp/declared"
nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/defined"
check archive__global_symbols__are_those_of_the_header "$tmp/declared" "$tmp/defined"

# __assert_fail is for our own mistakes, in builds that are not releases.
forbidden='_?_?(_?exit|_Exit|quick_exit|abort|atexit|on_exit|cxa_atexit|cxa_thread_atexit_impl'
forbidden=$forbidden'|signal|sigaction|sigprocmask|pthread_sigmask|raise|kill|alarm|setitimer'
forbidden=$forbidden'|v?printf|v?fprintf|v?dprintf|v?printf_chk|v?fprintf_chk|puts|putchar|fputs|fputc|putc'
forbidden=$forbidden'|perror|stdout|stderr|syslog'
forbidden=$forbidden'|setlocale|uselocale|setenv|putenv|unsetenv|clearenv|chdir|fchdir|umask|srand|srandom'
forbidden=$forbidden'|fork|vfork|system|popen|execv.*|posix_spawn.*|setrlimit|dlopen|pthread_atfork)'
nm -u "$archive" | awk '{ print $2 }' | sort -u >"$tmp/undefined"
grep -xE "$forbidden" "$tmp/undefined" >"$tmp/found"
: >"$tmp/none"
check library__calls__nothing_that_belongs_to_the_process "$tmp/none" "$tmp/found"
[ -s "$tmp/undefined" ] || failed=$((failed + 1))

# Functions to be called before main, or after.
objdump -h "$archive" | grep -oE '\.(init_array|fini_array|ctors|dtors|preinit_array)[^ ]*' |
    sort -u >"$tmp/found"
check library__startup__has_none "$tmp/none" "$tmp/found"

# Every variable that can be written. All but the lock say something of the machine, found out by
# who asks first, which is the same for everybody and never changes.
cat >"$tmp/listed" <<'LIST'
_ZGVZ13fovea_dnn_isaE4made     has it been found: oneDNN's instruction sets here
_ZGVZ15fovea_dnn_buildE4made   has it been found: oneDNN's build
_ZGVZ17fovea_dnn_versionE4made has it been found: oneDNN's version
_ZN5foveaL6makingE             a lock: oneDNN makes descriptors for one thread at a time
_ZZ13fovea_dnn_isaE4made       the same
_ZZ13fovea_dnn_isaE4text       its name
_ZZ15fovea_dnn_buildE4made     the same
_ZZ15fovea_dnn_buildE4text     its name
_ZZ17fovea_dnn_versionE4made   the same
_ZZ17fovea_dnn_versionE4text   its name
fovea_onnx_allocator           functions for protobuf-c, which takes no const; never written
once                           has it been measured: the speed of bf16 on this CPU
ratio                          that speed
LIST
awk '{ print $1 }' "$tmp/listed" | sort -u >"$tmp/known"
# DW.ref: what exceptions refer to, written by the loader only.
objdump -t "$archive" | grep -E ' (O|\.) +\.?(data|bss|tdata|tbss)|[*]COM[*]' |
    grep -vE '\.rel\.ro| d +\.| DW\.ref|\.hidden DW\.ref' | awk '{ print $NF }' |
    sed 's/\.[0-9]*$//' | sort -u >"$tmp/variables"
comm -13 "$tmp/known" "$tmp/variables" >"$tmp/found"
check library__variables__are_those_listed "$tmp/none" "$tmp/found"

# The list is not for show: an object with one more variable and a call is told.
cat >"$tmp/more.c" <<'MORE'
#include <stdio.h>
int counter;
void more(void) { printf("%d\n", ++counter); puts("x"); }
MORE
if cc -c "$tmp/more.c" -o "$tmp/more.o" 2>/dev/null; then
    nm -u "$tmp/more.o" | awk '{ print $2 }' | grep -cxE "$forbidden" >"$tmp/found"
    objdump -t "$tmp/more.o" | grep -E ' (O|\.) +\.?(data|bss|tdata|tbss)|[*]COM[*]' |
        grep -vE '\.rel\.ro| d +\.' | awk '{ print $NF }' >>"$tmp/found"
    printf '2\ncounter\n' >"$tmp/expected"
    check checks__an_object_that_breaks_them__is_told "$tmp/expected" "$tmp/found"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

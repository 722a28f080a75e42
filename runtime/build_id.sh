#!/bin/sh
# build_id.sh ROOT OUTPUT DEPFILE [WORD...]: a C string literal that names this build of the
# library: the SHA-256 of its sources and of what compiles them. Compiled files made by another
# build are not used as they are, because what a node or a packed form means may have changed.
set -eu
root=$1 output=$2 depfile=$3
shift 3
sources() {
    cd "$root"
    find runtime ops loaders -name '*.[ch]' -o -name '*.[ch]pp' -o -name '*.proto' | LC_ALL=C sort
}
files=$(sources)
id=$({ echo "$@"; cd "$root"; sha256sum $files; } | sha256sum | cut -c1-32)
printf '"%s"\n' "$id" >"$output"
{
    printf '%s:' "$output"
    for file in $files; do
        printf ' %s/%s' "$root" "$file"
    done
    echo
} >"$depfile"

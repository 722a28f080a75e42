#!/bin/sh
# static_archive.sh LD OBJCOPY AR MAP INTERNAL.a OUT.a: one object of all that the library is made
# of, in which only the functions that the symbol map names are global. A program that links it
# meets no other name of ours, and may have its own functions of such names.
set -eu
ld=$1 objcopy=$2 ar=$3 map=$4 internal=$5 out=$6
names=$out.names object=$out.o
trap 'rm -f "$names" "$object"' EXIT
sed -n 's/^ *\(fovea_[a-z0-9_]*\);$/\1/p' "$map" >"$names"
# Groups of C++'s inline functions are dissolved: what is local cannot be shared between objects.
"$ld" -r --force-group-allocation --whole-archive "$internal" -o "$object"
"$objcopy" --keep-global-symbols="$names" "$object"
rm -f "$out"
"$ar" rcsD "$out" "$object"

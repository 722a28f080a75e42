#!/bin/sh
# bytes.sh FILE: its bytes as the inside of a C array.
set -eu
od -An -v -tx1 "$1" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'

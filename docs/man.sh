#!/bin/sh
# man.sh FOVEA: the manual page fovea.1 on stdout, from what the command says of itself.
set -eu
fovea=$1

# Help text as roff that keeps its lines.
verbatim() {
    echo .nf
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
    echo .fi
}

cat <<'EOF'
.TH FOVEA 1 "" "Fovea" "User Commands"
.SH NAME
fovea \- run image classifiers exported to ONNX on CPUs
.SH SYNOPSIS
.B fovea
.I COMMAND
.RI [ options ]
\&...
.SH DESCRIPTION
EOF
"$fovea" --help | verbatim
for command in $("$fovea" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    printf '.SH FOVEA %s\n' "$(echo "$command" | tr '[:lower:]' '[:upper:]')"
    "$fovea" "$command" --help | verbatim
done
cat <<'EOF'
.SH OUTPUT
Results go to standard output, everything else to standard error; with
.B \-\-json
the results are JSON.
.SH ENVIRONMENT
.TP
.B FOVEA_CACHE_DIR
A folder for planned models, as with
.BR \-\-cache .
.TP
.BR OMP_WAIT_POLICY ", " GOMP_SPINCOUNT ", " KMP_BLOCKTIME
How OpenMP's threads wait. Where none is set, fovea has them spin for a few
tenths of a millisecond, then sleep.
EOF

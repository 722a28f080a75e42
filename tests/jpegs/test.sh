#!/bin/sh
# test.sh PROBE SOURCE_ROOT: run run.py with a python3 that has Pillow and numpy.
set -u
for python in python3 /usr/bin/python3; do
    if "$python" -c "import PIL, numpy" 2>/dev/null; then
        exec "$python" -B "$2/tests/jpegs/run.py" "$1"
    fi
done
echo "skipped: there is no python3 with Pillow and numpy"
echo "0 passed, 0 failed, 1 skipped"

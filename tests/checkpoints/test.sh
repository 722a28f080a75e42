#!/bin/sh
# test.sh PROBE SOURCE_ROOT: run run.py with a python3 that has numpy, better one with torch, too.
set -u
found=none
for wanted in 'numpy, torch' numpy; do
    for python in python3 /usr/bin/python3; do
        [ "$found" = none ] && "$python" -c "import $wanted" 2>/dev/null && found=$python
    done
done
if [ "$found" = none ]; then
    echo "skipped: there is no python3 with numpy"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
exec "$found" -B "$2/tests/checkpoints/run.py" "$1" "$2/../shared"

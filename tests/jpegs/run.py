"""Image files, good, odd and hostile: each decodes to what Pillow makes of it, or is refused.

    python3 run.py PROBE [-v] [-k DIR] [NAME...]

PROBE says what the library does with each file. A refusal's status and words
are checked, that nobody touched pixels where the header tells, and that it took
at most 100 ms and 32 MB over the file's size (not under sanitizers, and with
patience for a busy machine). -k keeps the files.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
import warnings
import zlib

from PIL import Image

import cases

SLOWEST_MS, SLOW_MS, MOST_KIB = 5000, 100, 32 * 1024


class Case:
    def __init__(self, folder, name, data, expect="ok", pattern="", pillow=True):
        self.name, self.expect, self.pattern, self.pillow = name, expect, pattern, pillow
        self.data = data
        self.path = os.path.join(folder, name + ".jpg")
        with open(self.path, "xb") as file:
            file.write(data)


def by_pillow(data):
    """Size, checksum of the pixels and orientation as Pillow has them; None if it refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = Image.open(io.BytesIO(data))
            image = file.convert("RGB")
            orientation = file.getexif().get(0x112, 1)
    except Exception:  # noqa: BLE001 Pillow raises nearly anything
        return None
    # Others are no orientations; ImageOps.exif_transpose passes over them, too.
    orientation = orientation if orientation in range(1, 9) else 1
    return "%dx%d\t%08x\t%d" % (*image.size, zlib.crc32(image.tobytes()), orientation)


def check(case, line, strict):
    """What is wrong with a line of the probe's, as words; none if nothing."""
    status, phase, ms, kib, size, crc, orientation, message = line.split("\t", 7)
    wrong = []
    if status not in case.expect.split("|"):
        wrong.append("%s, not %s" % (status, case.expect))
    if status != "ok" and not re.search(case.pattern, message, re.S):
        wrong.append("the message lacks /%s/" % case.pattern)
    if status in ("unsupported", "limit") and phase != "header":
        wrong.append("refused only among the pixels")
    if status == "ok" and message:
        wrong.append("it decodes, and there is a message")
    if any(not 32 <= ord(c) < 127 for c in message) or "preprocessing" in message:
        wrong.append("a bad message")
    if float(ms) > SLOWEST_MS:
        wrong.append("took %s ms" % ms)
    if strict and status != "ok" and int(kib) > MOST_KIB + len(case.data) // 1024:
        wrong.append("took %s KiB" % kib)
    if status == "ok" and case.pillow:
        pillow = by_pillow(case.data)
        if pillow != "\t".join((size, crc, orientation)):
            wrong.append("Pillow has %s" % pillow)
    return ["%s: %s\n    %s" % (case.name, w, line) for w in wrong]


def run(probe, folder, verbose, wanted):
    strict = b"__asan_init" not in open(probe, "rb").read()
    found = []
    cases.all_cases(lambda *a, **k: found.append(Case(folder, *a, **k)))
    found = [c for c in found if not wanted or c.name in wanted]
    done = subprocess.run([probe] + [c.path for c in found], stdout=subprocess.PIPE)
    lines = done.stdout.decode("latin-1").rstrip("\n").split("\n")
    if done.returncode != 0 or len(lines) != len(found):
        print("the probe ended with %d after %d of %d files" % (done.returncode, len(lines),
                                                                len(found)))
        return 1
    failed, refused = 0, []
    for case, line in zip(found, lines):
        wrong = check(case, line, strict)
        failed += bool(wrong)
        fields = line.split("\t")
        if fields[0] != "ok":
            refused.append((float(fields[2]), int(fields[3]) - len(case.data) // 1024, case.name))
        if verbose:
            print("%-24s %s" % (case.name, line.replace("\t", "  ")))
        for words in wrong:
            print("FAIL %s" % words, flush=True)
    if refused:
        print("%d refused; the slowest: %s; over %d ms: %d; most KiB over the file: %d" % (
            len(refused), ", ".join("%s %.0f ms" % (n, t) for t, _, n in sorted(refused)[:-4:-1]),
            SLOW_MS, sum(t > SLOW_MS for t, _, _ in refused), max(k for _, k, _ in refused)))
    print("%d passed, %d failed" % (len(found) - failed, failed))
    return 1 if failed else 0


def main(argv):
    verbose = "-v" in argv
    keep = argv[argv.index("-k") + 1] if "-k" in argv else None
    words = [a for a in argv[1:] if a not in ("-v", "-k", keep)]
    if keep:
        os.mkdir(keep)
        return run(words[0], keep, verbose, words[1:])
    with tempfile.TemporaryDirectory() as folder:
        return run(words[0], folder, verbose, words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv))

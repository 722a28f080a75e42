"""Checkpoint files: good ones give the arrays that were put in, others are refused as expected.

    python3 run.py PROBE SHARED [-v] [-k DIR] [NAME...]

PROBE says what the library does with each file. Of a refusal, status and words
are checked, that it took at most 100 ms and 32 MB over the file's size (not
under sanitizers, and with patience for a busy machine). -k keeps the files.
"""

import glob
import hashlib
import os
import subprocess
import sys
import tempfile

import edges
import good
import hostile_numpy
import hostile_pickle
import hostile_safetensors
from catalogue import Catalogue

SLOWEST_MS, SLOW_MS, MOST_KIB = 5000, 100, 32 * 1024


class Good:
    def __init__(self, folder):
        self.root, self.cases = folder, []

    def __call__(self, name, data, expect):
        path = os.path.join(self.root, name)
        with open(path, "xb") as file:
            file.write(data)
        self.cases.append((name, path, expect))

    def folder(self, name, files, expect):
        path = os.path.join(self.root, name)
        os.mkdir(path)
        for key, data in files.items():
            with open(os.path.join(path, key), "xb") as file:
                file.write(data)
        self.cases.append((name, path, expect))


def lines_of(expect):
    return sorted("%s\t%s\t[%s]\t%s" % (name, kind, ",".join(map(str, a.shape)),
                                       hashlib.sha256(a.tobytes()).hexdigest())
                  for name, (kind, a) in expect.items())


def check_good(probe, case):
    name, path, expect = case
    done = subprocess.run([probe, "-d", path], stdout=subprocess.PIPE)
    got = done.stdout.decode("utf-8").splitlines()
    if done.returncode == 0 and sorted(got) == lines_of(expect):
        return True
    for line in sorted(set(lines_of(expect)) ^ set(got))[:6]:
        print("    %s %s" % ("got" if line in got else "expected", line[:150]))
    print("FAIL %s" % name, flush=True)
    return False


def check_shared(probe, shared):
    """The shared .npz files against numpy itself."""
    import numpy as np
    failed = 0
    paths = sorted(glob.glob(os.path.join(shared, "checkpoints", "*", "model.npz")))
    if not paths:
        print("skipped: %s/checkpoints is not there" % shared)
    for path in paths:
        failed += not check_good(probe, (path, path, good.expect(dict(np.load(path)))))
    return len(paths), failed


def check_hostile(case, line, strict):
    name, path, expect, pattern = case
    status, ms, kib, message = line.split("\t", 3)
    return Catalogue.wrong(case, status, float(ms), int(kib), message,
                           SLOWEST_MS, MOST_KIB if strict else 1 << 30)


def run_hostile(probe, folder, verbose, wanted, strict):
    catalogue = Catalogue(folder)
    for module in (hostile_safetensors, hostile_numpy, hostile_pickle, edges):
        module.all_cases(catalogue)
    cases = [c for c in catalogue.cases if not wanted or c[0] in wanted]
    if not cases:
        return 0, 0
    done = subprocess.run([probe] + [c[1] for c in cases], stdout=subprocess.PIPE)
    lines = done.stdout.decode("latin-1").rstrip("\n").split("\n")
    if done.returncode != 0 or len(lines) != len(cases):
        print("the probe ended with %d after %d of %d files" % (done.returncode, len(lines),
                                                                len(cases)))
        return len(cases), len(cases)
    failed, slow = 0, []
    for case, line in zip(cases, lines):
        wrong = check_hostile(case, line, strict)
        slow.append((float(line.split("\t")[1]), case[0]))
        failed += bool(wrong)
        if verbose:
            print("%-28s %s" % (case[0], line.replace("\t", "  ").replace(folder + "/", "")))
        for words in wrong:
            print("FAIL %s" % words.replace(folder + "/", ""), flush=True)
    print("%d refusals; the slowest: %s; over %d ms: %d" % (
        len(cases), ", ".join("%s %.0f ms" % (n, t) for t, n in sorted(slow)[:-4:-1]), SLOW_MS,
        sum(t > SLOW_MS for t, _ in slow)))
    return len(cases), failed


def run(probe, shared, folder, verbose, wanted):
    strict = "asan" not in os.path.dirname(probe) and b"__asan_init" not in open(probe, "rb").read()
    files = Good(os.path.join(folder, "good"))
    os.mkdir(files.root)
    good.all_cases(files)
    edges.good_cases(files)
    cases = [c for c in files.cases if not wanted or c[0] in wanted]
    failed = sum(not check_good(probe, c) for c in cases)
    count = len(cases)
    if not wanted:
        more, bad = check_shared(probe, shared)
        count, failed = count + more, failed + bad
    bad_folder = os.path.join(folder, "bad")
    os.mkdir(bad_folder)
    more, bad = run_hostile(probe, bad_folder, verbose, wanted, strict)
    count, failed = count + more, failed + bad
    print("%d passed, %d failed" % (count - failed, failed))
    return 1 if failed else 0


def main(argv):
    verbose = "-v" in argv
    keep = argv[argv.index("-k") + 1] if "-k" in argv else None
    words = [a for a in argv[1:] if a not in ("-v", "-k", keep)]
    if keep:
        os.mkdir(keep)
        return run(words[0], words[1], keep, verbose, words[2:])
    with tempfile.TemporaryDirectory() as folder:
        return run(words[0], words[1], folder, verbose, words[2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv))

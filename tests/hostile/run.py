"""Hostile and broken ONNX and compiled files: each must be refused, or run, as expected.

    python3 run.py PROBE FOVEA [-v] [-k DIR] [NAME...]

PROBE says what the library does with each file, FOVEA is the command, which
must refuse the same files with one printable line. A refusal's status and
words are checked, and that it took under 5 s; how long the slowest took and
how much memory beyond the file, is reported. -k keeps the files in DIR.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile

import cases_compiled
import cases_control
import cases_file
import cases_graph
import cases_ops

SLOW_MS, SLOWEST_MS, MOST_KIB = 100, 5000, 32 * 1024


class Catalogue:
    """Collects cases: name, path, expected statuses, expression for the message."""

    def __init__(self, folder):
        self.folder, self.cases = folder, []

    def __call__(self, name, data, expect, pattern):
        safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        path = os.path.join(self.folder, safe + ".onnx")
        with open(path, "xb") as file:
            file.write(data)
        self.cases.append((name, path, expect, pattern))

    def path(self, name, kind, expect, pattern):
        """A model path that is no ordinary file, of that kind."""
        path = kind if kind.startswith("/") else os.path.join(self.folder, name)
        if kind == "directory":
            os.mkdir(path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            here = os.getcwd()
            os.chdir(self.folder)
            socket.socket(socket.AF_UNIX).bind(name)
            os.chdir(here)
        elif kind == "dangling":
            os.symlink("nowhere", path)
        elif kind == "loop":
            os.symlink(name, path)
        elif kind == "sparse":
            with open(path, "wb") as file:
                file.truncate(1 << 31)
        self.cases.append((name, path, expect, pattern))


def check(case, line):
    """What is wrong with a probe's line, as words; none if nothing."""
    name, path, expect, pattern = case
    status, phase, ms, kib, message = line.split("\t", 4)
    wrong = []
    if status not in expect.split("|"):
        wrong.append("%s (%s), not %s" % (status, phase, expect))
    elif status != "ok":
        if not message.startswith(path):
            wrong.append("the message does not begin with the file")
        if not re.search(pattern, message[len(path):], re.S):
            wrong.append("the message lacks /%s/" % pattern)
        if phase == "run":
            wrong.append("refused only when run")
    if float(ms) > SLOWEST_MS:
        wrong.append("took %s ms" % ms)
    if any(not 32 <= ord(c) < 127 for c in message):
        wrong.append("unprintable")
    return ["%s: %s\n    %s" % (name, w, message) for w in wrong]


def check_command(fovea, case, line):
    """The command must say what the library said: one printable line, exit status 1."""
    name, path, _, _ = case
    status, phase, _, _, message = line.split("\t", 4)
    if status in ("ok", "crash"):
        return []
    try:
        done = subprocess.run([fovea, "inspect", "--max-memory", "576M", path], timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True)
    except subprocess.TimeoutExpired:
        return ["%s: the command hangs" % name]
    said = done.stderr.decode("ascii", "replace")
    if done.returncode != 1:
        return ["%s: the command exits with %d\n    %s" % (name, done.returncode, said[-2000:])]
    if said.count("\n") != 1 or not said[:-1].isprintable() or path not in said:
        return ["%s: the command says %r" % (name, said)]
    return []


def report(cases, lines):
    slow, big = [], []
    phases = {}
    for case, line in zip(cases, lines):
        status, phase, ms, kib, _ = line.split("\t", 4)
        key = "ok" if status == "ok" else "refused at " + phase
        phases[key] = phases.get(key, 0) + 1
        size = os.path.getsize(case[1]) // 1024 if os.path.isfile(case[1]) else 0
        if status != "ok":
            slow.append((float(ms), case[0]))
            big.append((int(kib) - (size if size < 1 << 20 else 0), case[0]))
    print(", ".join("%s: %d" % item for item in sorted(phases.items())))
    print("slowest refusals: " + ", ".join("%s %.0f ms" % (n, t) for t, n in sorted(slow)[:-4:-1]))
    print("most memory beyond the file: " +
          ", ".join("%s %d KiB" % (n, k) for k, n in sorted(big)[:-4:-1]))
    print("over %d ms: %d, over %d KiB: %d" % (SLOW_MS, sum(t > SLOW_MS for t, _ in slow), MOST_KIB,
                                               sum(k > MOST_KIB for k, _ in big)))


def run(probe, fovea, folder, verbose, wanted):
    inner = os.path.join(folder, "models")
    os.mkdir(inner)
    catalogue = Catalogue(inner)
    cases_file.make_surroundings(inner)
    for module in (cases_control, cases_file, cases_graph, cases_ops):
        module.all_cases(catalogue)
    cases_compiled.all_cases(catalogue, fovea)
    cases = [c for c in catalogue.cases if not wanted or c[0] in wanted]
    done = subprocess.run([probe] + [c[1] for c in cases], stdout=subprocess.PIPE)
    lines = done.stdout.decode("latin-1").rstrip("\n").split("\n")
    failed = 0
    if done.returncode != 0 or len(lines) != len(cases):
        print("the probe ended with %d after %d of %d files" % (done.returncode, len(lines),
                                                                len(cases)))
        return 1
    for case, line in zip(cases, lines):
        wrong = check(case, line) + check_command(fovea, case, line)
        failed += bool(wrong)
        if verbose:
            print("%-28s %s" % (case[0], line.replace("\t", "  ").replace(inner + "/", "")))
        for words in wrong:
            print("FAIL %s" % words.replace(inner + "/", ""), flush=True)
    report(cases, lines)
    print("%d passed, %d failed" % (len(cases) - failed, failed))
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

"""Collects malformed files, and says what is wrong with what became of one."""

import os
import re


class Catalogue:
    """Cases: name, path, expected statuses, expression for the message."""

    def __init__(self, folder):
        self.root, self.cases = folder, []

    def __call__(self, name, data, expect, pattern):
        path = os.path.join(self.root, re.sub(r"[^A-Za-z0-9_.-]", "_", name))
        with open(path, "xb") as file:
            file.write(data)
        self.cases.append((name, path, expect, pattern))

    def folder(self, name, files, expect, pattern):
        """A folder with files; a value of str is where a symbolic link leads."""
        path = os.path.join(self.root, name)
        os.mkdir(path)
        for key, data in files.items():
            place = os.path.join(path, key)
            if isinstance(data, str):
                os.symlink(data, place)
            else:
                with open(place, "xb") as file:
                    file.write(data)
        self.cases.append((name, path, expect, pattern))

    @staticmethod
    def wrong(case, status, ms, kib, message, most_ms, most_kib):
        name, path, expect, pattern = case
        size = os.path.getsize(path) // 1024 if os.path.isfile(path) else 0
        wrong = []
        if status not in expect.split("|"):
            wrong.append("%s, not %s" % (status, expect))
        elif status != "ok":
            if not message.startswith(path):
                wrong.append("the message does not begin with the file")
            if not re.search(pattern, message[len(path):], re.S):
                wrong.append("the message lacks /%s/" % pattern)
        if ms > most_ms:
            wrong.append("took %s ms" % ms)
        if status != "ok" and kib > most_kib + size:
            wrong.append("took %d KiB for a file of %d" % (kib, size))
        if any(not 32 <= ord(c) < 127 for c in message):
            wrong.append("unprintable")
        return ["%s: %s\n    %s" % (name, w, message) for w in wrong]

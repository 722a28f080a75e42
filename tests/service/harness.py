"""A server under test, and a client that can say what no HTTP library would."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

PATIENCE = float(os.environ.get("SERVICE_PATIENCE", "300"))


class Server:
    """The service as a process of its own, on a free port of the loopback."""

    def __init__(self, exe, model, *options, descriptors=None):
        self.log = []
        # Patient, as tests may run on a machine that has other things to do.
        command = [exe, model, "--port", "0", "--drain-seconds", "600", "--queue-seconds", "600", *options]
        if descriptors:
            command = ["sh", "-c", 'ulimit -n %d; exec "$@"' % descriptors, "sh", *command]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
        self.port = None
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"listens at http://.*:(\d+)$", line.strip())
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            raise RuntimeError("the service did not start: " + "".join(self.log))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait_log(self, text, seconds=PATIENCE):
        for _ in range(int(seconds / 0.02)):
            if any(text in line for line in list(self.log)):
                return True
            time.sleep(0.02)
        return False

    def stop(self):
        """Drain; the exit status, or None if that took too long."""
        if self.alive():
            self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None
        self.reader.join(5)
        return status

    def connect(self, timeout=PATIENCE):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def request(self, method, path, body=None, headers=None):
        """A well-formed request: status, headers with lower-case names, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            fields = {name.lower(): value for name, value in reply.getheaders()}
            return reply.status, fields, reply.read()
        finally:
            connection.close()

    def metric(self, name):
        text = self.request("GET", "/metrics")[2].decode()
        found = re.search(r"^%s (\S+)$" % re.escape(name), text, re.M)
        return float(found.group(1)) if found else 0.0

    def raw(self, data):
        """Send bytes as they are; status (0: closed without one), headers, body."""
        with self.connect() as s:
            return exchange(s, data)


def exchange(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass  # refused before it had all; the answer may be there
    return read_reply(s)


def read_reply(s):
    got = b""
    while True:
        head, mark, rest = got.partition(b"\r\n\r\n")
        if mark and head.startswith(b"HTTP/1.1 100"):
            got = rest
            continue
        if mark:
            break
        try:
            piece = s.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            return 0, {}, got
        got += piece
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    want = int(fields.get("content-length", "0"))
    while len(rest) < want:
        try:
            piece = s.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            break
        rest += piece
    return int(lines[0].split()[1]), fields, rest


def post(path, body=b"", *fields, length=None):
    """A POST as bytes, with more header fields and another length if asked."""
    head = ["POST %s HTTP/1.1" % path, "Host: x"]
    if length != "none":
        head.append("Content-Length: %s" % (len(body) if length is None else length))
    return "\r\n".join([*head, *fields]).encode("latin-1") + b"\r\n\r\n" + body


def chunked(path, body, *fields):
    head = ["POST %s HTTP/1.1" % path, "Host: x", "Transfer-Encoding: chunked", *fields]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def error_of(reply):
    """The text of an error of ours; None if the reply has none."""
    status, fields, body = reply
    if not fields.get("content-type", "").startswith("application/json"):
        return None
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return None


class Tally:
    """Passed and failed, as the other suites print it."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, why=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAIL %s %s" % (name, why), flush=True)
        return bool(good)

    def close(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed or not self.passed else 0

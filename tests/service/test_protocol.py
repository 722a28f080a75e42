"""test_protocol.py SERVICE SOURCE_ROOT: hostile and odd requests, each with the statuses that are right."""
import json
import os
import re
import sys

import cases_http
import cases_json
import cases_oip
from harness import Server, Tally, error_of, post

INFER = "/v2/models/nfnet_shapes/infer"


def check_error(tally, name, reply, root):
    """What is refused says why, and nothing about this machine."""
    status, _, body = reply
    if status in (0, 200):
        return
    text = error_of(reply)
    if text is None:
        tally.check(name + "__html", b"<html>" in body or not body, "an error of no known form")
        return
    leaks = [word for word in (root, "/tmp", ".onnx", ".c:") if word in text]
    leaks += re.findall("0x[0-9a-f]{6,}", text)
    tally.check(name + "__words", text and not leaks, "%r has %s" % (text, leaks))


def run_http(tally, server, jpeg, root):
    for name, data, statuses in cases_http.cases(jpeg):
        reply = server.raw(data)
        tally.check(name, reply[0] in statuses, "got %d, not %s" % (reply[0], sorted(statuses)))
        check_error(tally, name, reply, root)
        if not server.alive():
            raise SystemExit("FAIL %s: the service is gone" % name)


def infer(server, head, tensor, fields=None):
    if fields is None:
        fields = ("Inference-Header-Content-Length: %d" % len(head),)
    return server.raw(post(INFER, head + tensor, *fields))


def run_json(tally, server, root):
    right = json.dumps(cases_oip.RIGHT).encode()[:-1] + b',"parameters":{"x":'
    tensor = b"\0" * cases_oip.BYTES
    for texts, status in ((cases_json.ACCEPTED, 200), (cases_json.REFUSED, 400)):
        for name, text in texts.items():
            reply = infer(server, right + text + b"}}", tensor)
            tally.check("json_" + name, reply[0] == status, "got %d %s" % (reply[0], reply[2][:200]))
            check_error(tally, name, reply, root)
    for name, head in (("n_bom_first", b"\xef\xbb\xbf" + right + b"1}}"),
                       ("n_trailing_garbage", right + b"1}}x"), ("n_two_documents", right + b"1}}{}"),
                       ("n_top_duplicate", right + b'1},"inputs":[]}'), ("n_empty", b""), ("n_space", b" "),
                       ("n_utf16", (right + b"1}}").decode().encode("utf-16"))):
        reply = infer(server, head, tensor)
        tally.check("json_" + name, reply[0] == 400, "got %d %s" % (reply[0], reply[2][:200]))


def run_oip(tally, server, root):
    for name, request, tensor, status in cases_oip.json_cases():
        head = json.dumps(request).encode()
        reply = infer(server, head, tensor)
        tally.check("oip_" + name, reply[0] == status, "got %d %s" % (reply[0], reply[2][:200]))
        check_error(tally, name, reply, root)
        if status == 200:
            answer = json.loads(reply[2])
            tally.check("oip_" + name + "__id", answer.get("id") == (request or {}).get("id"))
    head = json.dumps(cases_oip.RIGHT).encode()
    for name, values, status in cases_oip.split_cases():
        fields = ["Inference-Header-Content-Length: " + value for value in values]
        reply = infer(server, head, b"\0" * cases_oip.BYTES, fields)
        tally.check("oip_" + name, reply[0] == status, "got %d %s" % (reply[0], reply[2][:200]))
        check_error(tally, name, reply, root)
    for name, path, status in cases_oip.path_cases("nfnet_shapes"):
        reply = server.raw(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
        tally.check("oip_" + name, reply[0] == status, "got %d" % reply[0])


def main():
    exe, root = sys.argv[1:3]
    tally = Tally()
    shapes = os.path.join(root, "examples/shapes")
    with open(os.path.join(shapes, "val/ring/0001.jpg"), "rb") as file:
        jpeg = file.read()
    server = Server(exe, os.path.join(shapes, "nfnet_shapes.onnx"), "--max-batch", "4", "--threads", "2",
                    "--header-seconds", "300", "--stall-seconds", "5")
    try:
        run_http(tally, server, jpeg, root)
        run_json(tally, server, root)
        run_oip(tally, server, root)
        status, _, body = server.request("POST", "/classify?k=1", jpeg)
        tally.check("afterwards__classify__answered", status == 200 and b"labels" in body)
        tally.check("afterwards__bodies__let_go", server.metric("fovea_body_bytes") == 0)
        tally.check("afterwards__in_flight__none", server.metric("fovea_in_flight") == 0)
    finally:
        status = server.stop()
    tally.check("afterwards__drain__exit_0", status == 0, "exit %s: %s" % (status, "".join(server.log[-20:])))
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

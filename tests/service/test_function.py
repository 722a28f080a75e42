"""test_function.py SERVICE SOURCE_ROOT FOVEA: answers against PyTorch's, load, faults and ends."""
import csv
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import PATIENCE, Server, Tally, exchange, post, read_reply

BINARY = {"name": "image", "datatype": "FP32"}


class Shapes:
    """The example's images with the logits that PyTorch gave."""

    def __init__(self, root):
        self.folder = os.path.join(root, "examples/shapes")
        self.model = os.path.join(self.folder, "nfnet_shapes.onnx")
        with open(os.path.join(self.folder, "nfnet_shapes.reference.csv")) as file:
            rows = list(csv.DictReader(file))
        self.rows = rows[::10]
        with open(os.path.join(self.folder, "nfnet_shapes.reference.json")) as file:
            self.classes = json.load(file)["classes"]

    def jpeg(self, row):
        with open(os.path.join(self.folder, "val", row["path"]), "rb") as file:
            return file.read()

    def logits(self, row):
        return [float(row["logit%d" % i]) for i in range(10)]


def is_close(got, want, bound=2e-3):
    return len(got) == len(want) and all(abs(a - b) <= bound for a, b in zip(got, want))


def test_classify(tally, server, shapes):
    for row in shapes.rows:
        status, _, body = server.request("POST", "/classify?k=10", shapes.jpeg(row))
        labels = json.loads(body)["labels"]
        got = [0.0] * 10
        for label in labels:
            got[label["index"]] = label["logit"]
        tally.check("classify__%s__as_torch" % row["path"], status == 200 and is_close(got, shapes.logits(row)))
        tally.check("classify__%s__order" % row["path"],
                    [l["logit"] for l in labels] == sorted(got, reverse=True))
        tally.check("classify__%s__names" % row["path"],
                    all(l["label"] == shapes.classes[l["index"]] for l in labels))
        tally.check("classify__%s__probabilities" % row["path"],
                    abs(sum(l["probability"] for l in labels) - 1) < 1e-4)


def prepared(fovea, shapes, rows, folder):
    """The images as tensors, by the command: an .npy file ends with its elements."""
    out = b""
    for row in rows:
        image = os.path.join(shapes.folder, "val", row["path"])
        subprocess.run([fovea, "preprocess", "--resize", "squash", "--size", "480", "--crop-pct", "1", "--filter",
                        "bicubic", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225", "--write", "npy",
                        "--output", folder, image], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        stem = os.path.splitext(os.path.basename(image))[0]
        with open(os.path.join(folder, stem + ".npy"), "rb") as file:
            out += file.read()[-4 * 3 * 480 * 480:]
    return out


def infer(server, n, tensor, as_json=False, **request):
    head = {"id": "7", "inputs": [{**BINARY, "shape": [n, 3, 480, 480]}], **request}
    fields = {}
    if as_json:
        head["inputs"][0]["data"] = struct.unpack("<%df" % (len(tensor) // 4), tensor)
        body = json.dumps(head).encode()
    else:
        head["inputs"][0]["parameters"] = {"binary_data_size": len(tensor)}
        text = json.dumps(head).encode()
        fields["Inference-Header-Content-Length"] = str(len(text))
        body = text + tensor
    return server.request("POST", "/v2/models/nfnet_shapes/infer", body, fields)


def test_infer(tally, server, shapes, fovea, folder):
    rows = shapes.rows[:3]
    tensor = prepared(fovea, shapes, rows, folder)
    want = [x for row in rows for x in shapes.logits(row)]
    status, _, body = infer(server, 3, tensor)
    output = json.loads(body)["outputs"][0]
    tally.check("infer__binary_to_json__as_torch", status == 200 and is_close(output["data"], want))
    tally.check("infer__shape__as_asked", output["shape"] == [3, 10] and output["name"] == "logits")
    tally.check("infer__id__comes_back", json.loads(body)["id"] == "7")
    exact = output["data"]

    status, _, body = infer(server, 1, tensor[:len(tensor) // 3], as_json=True)
    tally.check("infer__json_to_json__as_torch", status == 200 and
                is_close(json.loads(body)["outputs"][0]["data"], want[:10]))

    status, fields, body = infer(server, 3, tensor, parameters={"binary_data_output": True})
    split = int(fields["inference-header-content-length"])
    output = json.loads(body[:split])["outputs"][0]
    tally.check("infer__binary_output__size", output["parameters"]["binary_data_size"] == 120 and
                len(body) - split == 120 and "data" not in output)
    got = struct.unpack("<30f", body[split:])
    tally.check("infer__binary_output__as_json", all(abs(a - b) <= 1e-5 for a, b in zip(got, exact)))

    outputs = [{"name": "logits", "parameters": {"classification": 2}}]
    status, _, body = infer(server, 3, tensor, outputs=outputs)
    output = json.loads(body)["outputs"][0]
    best = [int(row["pred"]) for row in rows]
    tally.check("infer__classification__labels", status == 200 and output["datatype"] == "BYTES" and
                output["shape"] == [3, 2] and
                [d.split(":")[1:] for d in output["data"][::2]] == [[str(b), shapes.classes[b]] for b in best])
    outputs[0]["parameters"]["binary_data"] = True
    status, fields, body = infer(server, 3, tensor, outputs=outputs)
    at, strings = int(fields["inference-header-content-length"]), []
    while at < len(body):
        size = struct.unpack_from("<I", body, at)[0]
        strings.append(body[at + 4:at + 4 + size].decode())
        at += 4 + size
    tally.check("infer__classification_binary__strings", strings == output["data"])

    nan = struct.pack("<f", float("nan")) * (3 * 480 * 480)
    tally.check("infer__nan_to_json__400", infer(server, 1, nan)[0] in (200, 400))
    status, _, body = server.request("GET", "/v2/models/nfnet_shapes")
    meta = json.loads(body)
    tally.check("metadata__input__as_model", meta["inputs"] == [
        {"name": "image", "datatype": "FP32", "shape": [-1, 3, 480, 480]}])
    tally.check("metadata__output__as_model", meta["outputs"] == [
        {"name": "logits", "datatype": "FP32", "shape": [-1, 10]}])


def in_parallel(count, work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count_right(server, shapes, clients, turns):
    """How many answers are right of those that clients get who ask so many times, all at once."""
    answers = {}

    def work(i):
        row = shapes.rows[i % len(shapes.rows)]
        for turn in range(turns):
            answers[i, turn] = (row, server.request("POST", "/classify?k=10", shapes.jpeg(row)))

    in_parallel(clients, work)
    right = 0
    for row, (status, _, body) in answers.values():
        got = {l["index"]: l["logit"] for l in json.loads(body).get("labels", [])}
        right += status == 200 and is_close([got.get(i) for i in range(10)], shapes.logits(row))
    return right


def test_batches(tally, exe, shapes):
    """Many at once: each gets its own answer, and runs have several."""
    # Batches wait for images for longer than preparing one takes on any machine.
    server = Server(exe, shapes.model, "--threads", "2", "--max-batch", "4", "--batch-delay", "2000")
    try:
        good = count_right(server, shapes, 12, 4)
        tally.check("batches__48_requests__own_answers", good == 48, "%d of 48" % good)
        runs, images = server.metric("fovea_batch_size_count"), server.metric("fovea_images_total")
        tally.check("batches__48_requests__fewer_runs", images == 48 and runs < 48,
                    "%d runs of %d images" % (runs, images))
    finally:
        tally.check("batches__drain__exit_0", server.stop() == 0)


def test_connection(tally, server, shapes):
    jpeg = shapes.jpeg(shapes.rows[0])
    with server.connect() as s:
        replies = [exchange(s, post("/classify", jpeg))[0] for _ in range(5)]
    tally.check("connection__kept__5_answers", replies == [200] * 5, str(replies))
    with server.connect() as s:
        s.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        got = b""
        while got.count(b"HTTP/1.1 200") < 1000 or not got.endswith(b"}\n"):
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    tally.check("connection__pipelined__1000_answers", got.count(b"HTTP/1.1 200") == 1000)
    with server.connect() as s:
        for byte in post("/classify", jpeg)[:300]:
            s.sendall(bytes([byte]))
        reply = exchange(s, post("/classify", jpeg)[300:])
    tally.check("connection__byte_by_byte__answered", reply[0] == 200)
    for method in ("GET", "HEAD"):
        status, fields, body = server.request(method, "/")
        tally.check("page__%s__self_contained" % method.lower(), status == 200 and
                    "default-src 'none'" in fields["content-security-policy"] and
                    b"http://" not in body and b"https://" not in body)


def test_gone(tally, server, shapes):
    """Clients that leave: their work is dropped, descriptors and memory come back."""
    jpeg = shapes.jpeg(shapes.rows[0])
    before = server.metric("process_open_fds")
    for turn in range(30):
        s = server.connect()
        s.sendall(post("/classify", jpeg))
        if turn % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    for _ in range(10):
        s = server.connect()
        s.sendall(post("/classify", jpeg)[:len(jpeg) // 2])
        s.close()
    for _ in range(600):
        if not (server.metric("fovea_in_flight") or server.metric("fovea_body_bytes") or
                server.metric("process_open_fds") > before):
            break
        time.sleep(0.05)
    tally.check("gone__40_clients__all_let_go", server.metric("fovea_in_flight") == 0 and
                server.metric("fovea_body_bytes") == 0 and server.metric("process_open_fds") <= before)
    tally.check("gone__40_clients__work_cancelled", server.metric("fovea_cancelled_total") > 0)


def test_thousand(tally, server, shapes):
    """1,000 connections at once, open while others are served."""
    sockets = [server.connect() for _ in range(1000)]
    jpeg = shapes.jpeg(shapes.rows[0])
    status = server.request("POST", "/classify", jpeg)[0]
    tally.check("thousand__one_more_client__served", status == 200)
    for s in sockets:
        s.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    good = sum(read_reply(s)[0] == 200 for s in sockets)
    tally.check("thousand__each_asks__answered", good == 1000, "%d" % good)
    for s in sockets:
        s.close()


def test_slow(tally, exe, shapes):
    """Clients that take their time are ended; silent ones, too; good ones notice nothing."""
    server = Server(exe, shapes.model, "--threads", "1", "--header-seconds", "1", "--stall-seconds", "1",
                    "--idle-seconds", "1.5", "--write-seconds", "1")
    try:
        head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
        starts = {"silent": b"", "line": b"GET /v", "head": head, "body": head + b"\r\n" + b"a" * 10}
        sockets = {name: server.connect() for name in starts for _ in range(1)}
        for name, s in sockets.items():
            s.sendall(starts[name])
        end = time.time() + 4
        while time.time() < end:  # a byte now and then does not help
            for name in ("line", "head", "body"):
                try:
                    sockets[name].sendall(b"a")
                except OSError:
                    pass
            time.sleep(0.2)
            if server.request("GET", "/v2/health/live")[0] != 200:
                break
        replies = {name: read_reply(s)[0] for name, s in sockets.items()}
        tally.check("slow__nothing_sent__closed", replies["silent"] == 0, str(replies))
        tally.check("slow__request_line__closed", replies["line"] in (0, 408), str(replies))
        tally.check("slow__header__408", replies["head"] == 408, str(replies))
        tally.check("slow__body__408", replies["body"] == 408, str(replies))
        s = server.connect()
        first = exchange(s, b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")[0]
        began = time.time()
        tally.check("slow__idle__closed", first == 200 and s.recv(1) == b"" and time.time() - began < 120)
        tally.check("slow__counted", server.metric('fovea_timeouts_total{phase="body"}') == 1)
    finally:
        tally.check("slow__drain__exit_0", server.stop() == 0)


def test_stuck(tally, exe, shapes):
    """A client whose bytes fill libmicrohttpd's buffer and mean nothing yet keeps no processor busy."""
    server = Server(exe, shapes.model, "--threads", "1", "--stall-seconds", "60")

    def processor_seconds():  # without /proc, which a chroot may lack
        clock = ctypes.c_int()
        ctypes.CDLL(None).clock_getcpuclockid(server.process.pid, ctypes.byref(clock))
        return time.clock_gettime(clock.value)

    try:
        with server.connect() as s:
            s.sendall(b"POST /classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                      b"0" * 100000)
            time.sleep(0.5)
            before = processor_seconds()
            time.sleep(3)
            used = processor_seconds() - before
            status = read_reply(s)[0]  # 0: the reply may be lost, as what was sent was not read
            tally.check("stuck__chunk_size_without_end__400_before_its_deadline", status in (400, 0), str(status))
            # Where it spins, that takes all of a processor that others leave it; else some hundredths.
            tally.check("stuck__chunk_size_without_end__processor_is_idle", used < 0.9, "%.2f s of 3" % used)
            tally.check("stuck__others__are_answered", server.request("GET", "/v2/health/live")[0] == 200)
    finally:
        tally.check("stuck__drain__exit_0", server.stop() == 0)


def test_overload(tally, exe, shapes):
    """More than the queue holds: 503 with Retry-After, and all others answered."""
    server = Server(exe, shapes.model, "--threads", "1", "--queue", "2", "--max-batch", "1", "--decoders", "1")
    try:
        replies = []
        for _ in range(3):  # all are there before the first is done, however slow this script is
            sockets = [server.connect() for _ in range(32)]
            for s in sockets:
                s.sendall(post("/classify", shapes.jpeg(shapes.rows[0])))
            replies += [read_reply(s) for s in sockets]
            for s in sockets:
                s.close()
        codes = {status for status, _, _ in replies}
        tally.check("overload__32_clients__200_or_503", codes == {200, 503}, str(codes))
        tally.check("overload__503__retry_after", all(
            int(fields.get("retry-after", "0")) > 0 for status, fields, _ in replies if status == 503))
    finally:
        tally.check("overload__drain__exit_0", server.stop() == 0)


def test_bodies(tally, exe, shapes):
    """The bound on all bodies together: large ones are refused, small ones pass."""
    server = Server(exe, shapes.model, "--threads", "1", "--max-body", "1M", "--max-bodies", "2M")
    try:
        held = [server.connect() for _ in range(8)]
        replies = []
        for s in held:
            try:
                s.sendall(post("/classify", b"a" * 800000, length=900000))
            except OSError:
                pass
        time.sleep(0.5)
        tally.check("bodies__held__bounded", server.metric("fovea_body_bytes") <= 2.2e6)
        tally.check("bodies__refused__counted", server.metric("fovea_refused_total") >= 1)
        for s in held:
            s.close()
        time.sleep(0.5)
        status = server.request("POST", "/classify", shapes.jpeg(shapes.rows[0]))[0]
        tally.check("bodies__after__served", status == 200)
        tally.check("bodies__over_max_body__413", server.raw(post("/classify", b"", length=1048577))[0] == 413)
    finally:
        tally.check("bodies__drain__exit_0", server.stop() == 0)


def test_streams(tally, exe, shapes):
    """More streams than fit the threads, then one: alone, many at once, after a reload, alone again."""
    for streams in ("3", "1"):
        server = Server(exe, shapes.model, "--threads", "2", "--streams", streams, "--max-batch", "2")
        name = "streams__%s__" % streams
        try:
            tally.check(name + "alone", count_right(server, shapes, 1, 2) == 2)
            good = count_right(server, shapes, 9, 3)
            tally.check(name + "at_once", good == 27, "%d of 27" % good)
            server.signal(signal.SIGHUP)
            good = count_right(server, shapes, 9, 2)
            tally.check(name + "while_reloading", good == 18, "%d of 18" % good)
            tally.check(name + "alone_again", count_right(server, shapes, 1, 2) == 2)
        finally:
            tally.check(name + "drain__exit_0", server.stop() == 0)


def test_reload(tally, exe, shapes, folder):
    path = os.path.join(folder, "model.onnx")
    other = os.path.join(shapes.folder, "vit_map_shapes.onnx")
    row = shapes.rows[0]

    def replace(source):
        shutil.copy(source, path + ".new")
        os.rename(path + ".new", path)

    def logit():
        body = server.request("POST", "/classify?k=1", shapes.jpeg(row))[2]
        return json.loads(body)["labels"][0]["logit"]

    replace(shapes.model)
    server = Server(exe, path, "--threads", "1")
    try:
        first = logit()
        with open(path + ".new", "wb") as file:
            file.write(b"no model")
        os.rename(path + ".new", path)
        server.signal(signal.SIGHUP)
        tally.check("reload__broken_model__logged", server.wait_log("reload failed"))
        tally.check("reload__broken_model__old_stays", logit() == first)
        replace(other)
        server.signal(signal.SIGHUP)
        tally.check("reload__other_model__logged", server.wait_log("reloaded"))
        tally.check("reload__other_model__serves", logit() != first)
        tally.check("reload__metrics", server.metric('fovea_reloads_total{result="ok"}') == 1 and
                    server.metric('fovea_reloads_total{result="failed"}') == 1)
    finally:
        tally.check("reload__drain__exit_0", server.stop() == 0)


def test_drain(tally, exe, shapes):
    """SIGTERM: not ready at once, what was accepted is answered; a second one ends it."""
    server = Server(exe, shapes.model, "--threads", "1")
    jpeg = shapes.jpeg(shapes.rows[0])
    kept = server.connect()
    ready = exchange(kept, b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")[0]
    begun = server.connect()
    begun.sendall(post("/classify", jpeg)[:200])
    time.sleep(0.2)
    server.signal(signal.SIGTERM)
    server.wait_log("draining")
    after = exchange(kept, b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
    tally.check("drain__ready__false_at_once", (ready, after[0]) == (200, 503))
    tally.check("drain__kept_connection__closes", after[1].get("connection", "").lower() == "close")
    tally.check("drain__half_a_request__answered", exchange(begun, post("/classify", jpeg)[200:])[0] == 200)
    tally.check("drain__exit_0", server.process.wait(PATIENCE) == 0)

    server = Server(exe, shapes.model, "--threads", "1")
    s = server.connect()
    s.sendall(post("/classify", jpeg)[:200])
    time.sleep(0.2)
    server.signal(signal.SIGTERM)
    server.wait_log("draining")
    server.signal(signal.SIGTERM)
    tally.check("drain__second_sigterm__at_once", server.process.wait(PATIENCE) == 1)


def test_descriptors(tally, exe, shapes):
    """With few descriptors, clients wait for each other, and nothing spins or breaks."""
    server = Server(exe, shapes.model, "--threads", "1", descriptors=160)
    try:
        sockets = [server.connect() for _ in range(150)]
        for s in sockets:
            s.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        good = sum(read_reply(s)[0] == 200 for s in sockets)
        tally.check("descriptors__150_clients_of_96__all_served", good == 150, "%d" % good)
    finally:
        tally.check("descriptors__drain__exit_0", server.stop() == 0)


def main():
    exe, root, fovea = sys.argv[1:4]
    tally, shapes = Tally(), Shapes(root)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(exe, shapes.model, "--threads", "2", "--max-batch", "4", "--header-seconds", "300",
                        "--idle-seconds", "300", "--stall-seconds", "300")
        try:
            test_classify(tally, server, shapes)
            test_infer(tally, server, shapes, fovea, folder)
            test_connection(tally, server, shapes)
            test_gone(tally, server, shapes)
            test_thousand(tally, server, shapes)
        finally:
            status = server.stop()
        tally.check("drain__after_all__exit_0", status == 0, "".join(server.log[-20:]))
        test_batches(tally, exe, shapes)
        test_slow(tally, exe, shapes)
        test_stuck(tally, exe, shapes)
        test_overload(tally, exe, shapes)
        test_bodies(tally, exe, shapes)
        test_streams(tally, exe, shapes)
        test_reload(tally, exe, shapes, folder)
        test_drain(tally, exe, shapes)
        test_descriptors(tally, exe, shapes)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())

"""Broken files, wrappers and names: rows 1 to 11, 15 to 17 and 28 of the catalogue."""

import os
import struct

from onnx_bytes import *

GOOD = relu_net()


def kinds(case):
    """What is not a model at all."""
    case("empty", b"", "format", r"not an ONNX model \(the file is empty\)")
    case("one_byte", b"\x08", "format", r"not an ONNX model \(first bytes 08\)")
    case("png", b"\x89PNG\r\n\x1a\n" + bytes(50), "format", r"first bytes 89 50 4e 47")
    case("zip", b"PK\x03\x04" + bytes(50), "format", r"first bytes 50 4b 03 04")
    case("safetensors", struct.pack("<Q", 2) + b"{}", "format", r"byte|not an ONNX")
    case("html", b"<!DOCTYPE html><html>", "format", r"first bytes 3c 21")
    case("text", b"hello, world\n" * 9, "format", r"first bytes 68 65|byte")
    case("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "format", "Git LFS")
    case("zeros", bytes(4096), "format", r"first bytes 00 00")
    case("ones", b"\xff" * 4096, "format", r"first bytes ff ff")
    case.path("directory", "directory", "io", r"is a directory, not a regular file")
    case.path("fifo", "fifo", "io", r"FIFO, not a regular file")
    case.path("socket", "socket", "io", r"No such device|socket")
    case.path("missing", "missing", "io", r"No such file")
    case.path("dangling", "dangling", "io", r"No such file")
    case.path("loop_link", "loop", "io", r"[Ss]ymbolic link|Too many levels")
    case.path("dev_zero", "/dev/zero", "io", r"device, not a regular file")
    case.path("dev_null", "/dev/null", "io", r"device, not a regular file")
    case.path("over_2_gib", "sparse", "limit", r"2147483648.*limit|limit.*2147483647")


def bytes_level(case):
    """Protobuf that is not."""
    for cut in (2, 5, 10, len(GOOD) // 2, len(GOOD) - 3, len(GOOD) - 1):
        case("cut_%d" % cut, GOOD[:cut], "format|invalid", r"byte \d+|no graph|no opset|no IR")
    case("varint_11", b"\x08" + b"\x80" * 11 + b"\x01", "format", r"byte 1: .*over 10 bytes")
    case("varint_over", b"\x08" + b"\xff" * 9 + b"\x7f", "format", r"byte 1: .*over 10 bytes")
    for wire in (3, 4, 6, 7):
        case("wire_%d" % wire, num(1, 8) + tag(2, wire) + b"aaaa", "format", r"byte 2: .*%d" % wire)
    case("field_0", num(1, 8) + b"\x00\x01", "format", r"byte 2: field number 0")
    case("field_huge", num(1, 8) + b"\xff\xff\xff\xff\x7f\x00", "format", r"byte 2")
    case("length_over", num(1, 8) + tag(7, 2) + varint(1000), "format", r"byte 2: field 7 .* length 1000, but 0 bytes")
    case("length_2_31", num(1, 8) + tag(7, 2) + varint(1 << 31) + bytes(9), "format", r"byte \d+")
    case("length_2_63", num(1, 8) + tag(7, 2) + varint(1 << 63) + bytes(9), "format", r"byte \d+")
    case("length_wrap", num(1, 8) + tag(7, 2) + varint(-8) + bytes(9), "format", r"byte \d+")
    case("wire_of_known", num(1, 8) + num(7, 5), "format", r"byte 2: .*graph")
    case("ir_as_bytes", blob(2, "x") + blob(1, "8") + GOOD, "format", r"byte \d+: .*ir_version")
    case("junk_behind", GOOD + b"\xff\xff\xff", "format", r"byte \d+")
    case("trailing_nul", GOOD + b"\0" * 16, "format", r"byte \d+: field number 0")


def nested_graphs(depth):
    body = node("If", ["c"], ["d"])
    for _ in range(depth):
        inner = graph([body])
        body = node("If", ["c"], ["d"], attrs=[blob(1, "then_branch") + blob(6, inner) + num(20, 5)])
    return net([body])


def nested_types(depth):
    kind = blob(1, num(1, FLOAT))
    for _ in range(depth):
        kind = blob(4, blob(1, kind))
    info = blob(1, "x") + blob(2, kind)
    return model(graph([node("Relu", ["x"], ["y"])], [info], [value_info("y")]))


def bombs(case):
    """Small files that grow when they are unpacked, or make the stack grow."""
    case("graphs_20", nested_graphs(20), "limit", r"If.*subgraphs are nested")
    case("graphs_100", nested_graphs(100), "limit|format", r"byte \d+: .*100")
    case("graphs_3000", nested_graphs(3000), "limit|format", r"byte \d+: .*100")
    case("types_20", nested_types(20), "unsupported", r"input 0 \('x'\).*sequence")
    case("types_6000", nested_types(6000), "limit|format", r"byte \d+: .*100")
    many = 400000
    memory = r"byte \d+: .*(memory|nodes|tensors|limit)"
    case("empty_nodes", model(blob(1, b"") * many), "limit", memory)
    case("empty_attrs", model(blob(1, blob(5, b"") * many)), "limit", memory)
    case("empty_tensors", model(blob(5, b"") * many), "limit", memory)
    case("empty_strings", model(blob(1, blob(1, b"") * many)), "limit|invalid", memory + "|no outputs")
    case("empty_inputs", model(blob(11, b"") * many), "limit", memory)
    case("empty_metadata", GOOD + blob(14, b"") * many, "limit", memory)
    case("empty_imports", GOOD + blob(8, b"") * many, "limit", memory)
    case("empty_externals", model(blob(5, blob(13, b"") * many)), "limit", memory)
    case("empty_dims", relu_net(dims=[1] * 20000), "unsupported|limit", r"rank 20000|byte \d+")
    case("unknown_fields", GOOD + num(1000, 1) * many, "ok|limit", r"")
    case("imports_300", GOOD + blob(8, blob(1, "a") + num(2, 1)) * 300, "limit|invalid",
         r"301 opset imports")


def versions(case):
    case("no_graph", model(None), "invalid", r"has no graph")
    case("empty_graph", model(b""), "invalid", r"no outputs")
    case("no_import", model(graph([node("Relu", ["x"], ["y"])], [value_info("x", [1])],
                                  [value_info("y")]), opset=None), "invalid", r"no opset .*7 to ")
    for v in (0, -1, 6, 999, 1 << 40, -(1 << 63)):
        case("opset_%d" % v, relu_net(opset=v), "unsupported", r"opset %d is outside 7 to" % v)
    g = graph([node("Relu", ["x"], ["y"])], [value_info("x", [1])], [value_info("y")])
    for v in (0, -1, 2, 9999, 1 << 62):
        case("ir_%d" % v, model(g, ir=v), "unsupported", r"IR version %d is outside 3 to" % v)
    case("ir_none", model(g, ir=None), "invalid", r"no IR version.*3 to")
    twice = blob(8, blob(1, "ai.onnx") + num(2, 13))
    case("opset_twice", model(g, extra=twice), "invalid", r"'(ai\.onnx)?' is imported twice")
    fn = blob(25, blob(1, "F") + blob(10, "f"))
    case("function", model(g, extra=fn), "unsupported", r"functions.*'F'")
    case("sparse", model(g + blob(15, b"")), "unsupported", r"sparse")


def operators(case):
    def one(op, **kw):
        return net([node(op, ["x"], ["y"], **kw)])

    case("op_unknown", one("Frobnicate"), "unsupported", r"opset 17: Frobnicate \(node 'n'\)")
    case("op_domain", one("FusedConv", domain="com.microsoft"), "unsupported",
         r"com\.microsoft\.FusedConv \(node 'n'\)")
    case("op_internal", one("Convert", domain="fovea"), "unsupported", r"fovea\.Convert")
    case("op_empty", one(""), "invalid", r"node 'n'.*no operator type")
    case("op_none", one(None), "invalid", r"node 'n'.*no operator type")
    case("op_later", net([node("Gelu", ["x"], ["y"])], opset=17), "unsupported", r"Gelu")
    case("op_case", one("relu"), "unsupported", r"relu \(node 'n'\)")
    several = [node("A", ["x"], ["a"]), node("B", ["a"], ["b"]), node("Scan", ["b"], ["y"])]
    case("op_all_named", net(several), "unsupported", r"A \(.*B \(.*Scan \(")
    many = [node("Op%d" % i, ["x"], ["v%d" % i]) for i in range(200)]
    case("op_200", net(many), "unsupported", r"Op0 .* more$")
    for op in ("Scan", "SequenceMap", "StringNormalizer"):
        case("op_" + op, one(op), "unsupported", op + r" \(node 'n'\)")


def names(case):
    odd = {
        "nul": b"a\0b", "escape": b"\x1b[2J\x1b[31mred", "percent": b"%n%n%s%s%999999d",
        "utf8": b"\xff\xfe\xc0\x80", "newline": b"a\nfovea: all is well", "bell": b"\a\b\r",
        "del": b"\x7f\x9b31m", "bidi": "\u202eevil".encode(),
    }
    for key, text in odd.items():
        case("name_op_" + key, net([node(text, ["x"], ["y"], name=text)]), "unsupported|invalid|format",
             r"operators not supported|byte \d+")
        bad = net([node("Relu", [text], ["y"], name=text)])
        case("name_input_" + key, bad, "invalid|format", r"not defined anywhere|byte \d+")
        kw = net([node("Relu", ["x"], ["y"], attrs=[blob(1, text) + num(3, 1) + num(20, 2)])])
        case("name_attr_" + key, kw, "unsupported|invalid|format", r"attribute '|byte \d+")
    for key in ("escape", "percent", "newline", "utf8"):
        good = net([node("Relu", ["x"], ["y"], name=odd[key])])
        case("name_ok_" + key, good, "ok", "")
    long = b"n" * (10 << 20)
    limit = r"byte \d+: .*10485760.*4096"
    case("name_10mb_node", net([node("Relu", ["x"], ["y"], name=long)]), "limit", limit)
    case("name_10mb_op", net([node(long, ["x"], ["y"])]), "limit", limit)
    case("name_10mb_value", net([node("Relu", [long], ["y"])]), "limit", limit)
    case("name_4096", net([node("Bad", ["x"], ["y"], name="n" * 4096)]), "unsupported", r"nnn\.\.\.")
    same = [node("Relu", ["x"], ["a"], name="same"), node("Relu", ["a"], ["y"], name="same")]
    case("name_nodes_alike", net(same), "ok", "")


def externals(case):
    """One initializer w of 4 floats in a file beside the model."""
    def one(entries, dims=(4,)):
        g = graph([node("Add", ["x", "w"], ["y"])], [value_info("x", [4])], [value_info("y")],
                  [external_list("w", dims, entries)])
        return model(g)

    w = r"initializer 0 \('w'\)"
    case("ext_ok", one([("location", "w.bin")]), "ok", "")
    case("ext_ok_offset", one([("location", "w.bin"), ("offset", "0"), ("length", "16")]), "ok", "")
    both = graph([node("Add", ["v", "w"], ["y"])], [value_info("x", [4])], [value_info("y")],
                 [external_list(k, (3,), [("location", "w.bin"), ("offset", str(at))])
                  for k, at in (("v", 0), ("w", 4))])
    case("ext_overlap", model(both), "ok", "")
    case("ext_unaligned", one([("location", "w.bin"), ("offset", "3")], dims=(3,)), "invalid|ok",
         w + "|")
    for key, where in {
        "up": "../w.bin", "up_in": "sub/../../w.bin", "absolute": "/etc/passwd", "dot": ".",
        "dotdot": "..", "mem": "/proc/self/mem", "tilde": "~/w.bin", "backslash": "..\\w.bin",
        "drive": "C:\\w.bin", "marker": "*/_ORT_MEM_ADDR_/*", "missing": "none.bin",
        "folder": "sub", "symlink": "link.bin", "linked_folder": "linked/w.bin",
        "hardlink": "hard.bin", "fifo": "pipe.bin", "escape": "\x1b[2J.bin", "percent": "%n%s",
    }.items():
        case("ext_" + key, one([("location", where)]), "invalid|io|format", w)
    case("ext_empty", one([("location", "")]), "invalid", w + r".*location")
    case("ext_none", one([]), "invalid", w + r".*location")
    case("ext_nul", one([("location", "w.bin\0/../x")]), "invalid|format|io", w + r"|byte \d+")
    case("ext_twice", one([("location", "w.bin"), ("location", "w.bin")]), "invalid", w + r".*twice")
    case("ext_key", one([("location", "w.bin"), ("secret", "1")]), "invalid|unsupported",
         w + r".*secret")
    case("ext_long", one([("location", "a/" * 3000)]), "limit|invalid", w + r"|byte \d+: .*4096")
    for key, offset in {"minus": "-1", "word": "none", "exp": "1e1", "plus": "+0", "space": " 0",
                        "hex": "0x0", "wrap": str((1 << 64) - 8), "huge": "9" * 30,
                        "past": "17", "empty": "", "dot": "0.0"}.items():
        entry = [("location", "w.bin"), ("offset", offset)]
        case("ext_offset_" + key, one(entry), "invalid|limit", w + r".*offset")
        entry = [("location", "w.bin"), ("length", offset)]
        case("ext_length_" + key, one(entry), "invalid|limit", w + r".*(length|bytes)")
    case("ext_length_0", one([("location", "w.bin"), ("length", "0")]), "invalid", w)
    case("ext_short", one([("location", "w.bin")], dims=(5,)), "invalid", w + r".*20")
    case("ext_bomb", one([("location", "w.bin")], dims=(1 << 40,)), "invalid|limit", w)


def make_surroundings(folder):
    """The files that externals and paths speak of."""
    def write(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)

    os.makedirs(os.path.join(folder, "sub"), exist_ok=True)
    write("w.bin", struct.pack("<4f", 1, 2, 3, 4))
    write("target.bin", bytes(16))
    write("../w.bin", bytes(16))
    write("hard1.bin", bytes(16))
    os.link(os.path.join(folder, "hard1.bin"), os.path.join(folder, "hard.bin"))
    os.symlink("target.bin", os.path.join(folder, "link.bin"))
    os.symlink("sub", os.path.join(folder, "linked"))
    write("sub/w.bin", bytes(16))
    os.mkfifo(os.path.join(folder, "pipe.bin"))


def all_cases(case):
    kinds(case)
    bytes_level(case)
    bombs(case)
    versions(case)
    operators(case)
    names(case)
    externals(case)

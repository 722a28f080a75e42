"""Broken compiled files: cut, flipped, with wrong sizes, and with wrong contents under right sums."""

import os
import struct
import subprocess

from onnx_bytes import *

MASK = (1 << 64) - 1
PIECE, PAGE, HEADER = 1 << 20, 4096, 64
REFUSED = "format|invalid|limit|unsupported|io"


def mixed(number, x):
    number = (number ^ x) * 0x9e3779b97f4a7c15 & MASK
    return number ^ number >> 29


def checksum_piece(data):
    """As runtime/checksum.c has it: Fletcher's sums in 16 lanes of 32-bit words."""
    a, b = [0] * 16, [0] * 16
    for row in struct.iter_unpack("<16I", data + bytes(-len(data) % 64)):
        for i, word in enumerate(row):
            a[i] += word
            b[i] += a[i]
    number = len(data)
    for x, y in zip(a, b):
        number = mixed(mixed(number, x), y)
    return number


def checksum(data):
    number = len(data)
    for at in range(0, len(data), PIECE):
        number = mixed(number, checksum_piece(data[at:at + PIECE]))
    return number


def parts(file):
    """Description and data of a compiled file."""
    description, data = struct.unpack_from("<QQ", file, 16)
    begin = (HEADER + description + PAGE - 1) // PAGE * PAGE
    return file[HEADER:HEADER + description], file[begin:begin + data]


def header(description_size, data_size, description_sum, sums_sum, magic=b"\x89FOVEA\r\n", form=2,
           reserved=0):
    head = magic + struct.pack("<IIQQQQQ", form, reserved, description_size, data_size,
                               description_sum, sums_sum, 0)
    return head + struct.pack("<Q", checksum(head))


def assemble(description, data, sizes=None, **kw):
    """A file whose checksums are right, whatever is in it."""
    body = description + bytes(-(HEADER + len(description)) % PAGE)
    sums = b"".join(struct.pack("<Q", checksum_piece(data[at:at + PIECE]))
                    for at in range(0, len(data), PIECE))
    shown = sizes or (len(description), len(data))
    return header(*shown, checksum(body), checksum(sums), **kw) + body + data + sums


def compiled(case, fovea):
    """A small network that has packed weights, an epilogue and attributes, compiled."""
    source = os.path.join(case.folder, "source.onnx")
    target = os.path.join(case.folder, "source.fovea")
    nodes = [
        node("Conv", ["x", "w"], ["a"], name="c", pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"], name="r"),
        node("Conv", ["b", "v"], ["y"], name="d"),
    ]
    with open(source, "wb") as out:
        out.write(net(nodes, initializers=[floats("w", (16, 3, 3, 3)), floats("v", (3, 16, 1, 1))]))
    subprocess.run([fovea, "compile", source, "-o", target, "--threads", "1"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(target, "rb") as file:
        return file.read()


def damage(case, good):
    """Without the checksums being made right."""
    description, data = parts(good)
    begin = len(good) - len(data) - 8
    for cut in (8, 12, 63, 64, 65, 64 + len(description) // 2, begin - 1, begin, begin + 1,
                len(good) - 8, len(good) - 1):
        case("fovea_cut_%d" % cut, good[:cut], "format", r"byte \d+|damaged|has \d+")
    case("fovea_longer", good + b"\0", "format", r"should have \d+ bytes; it has %d" % (len(good) + 1))
    for at in [0, 16, 24, 32, 40, 56, 64, 100, 64 + len(description) - 1, begin, len(good) - 9,
               len(good) - 1]:
        flipped = good[:at] + bytes([good[at] ^ 4]) + good[at + 1:]
        case("fovea_flip_%d" % at, flipped, "format", r"damaged|not an ONNX")
    case("fovea_twice", good + good, "format", r"should have")
    case("fovea_only_magic", good[:8], "format", r"byte 8")


def sizes(case, good):
    """The header says something else than there is, with a checksum that is right."""
    description, data = parts(good)
    d, n = len(description), len(data)
    for name, pair in {
            "description_0": (0, n), "description_big": (d + PAGE, n), "description_2_63": (1 << 63, n),
            "description_all": (MASK, n), "data_0": (d, 0), "data_odd": (d, n - 1),
            "data_less": (d, n - 64), "data_more": (d, n + 64), "data_2_62": (d, 1 << 62),
            "data_wrap": (d, MASK - 63), "both_wrap": (MASK - 4095, MASK - 63)}.items():
        case("fovea_size_" + name, assemble(description, data, sizes=pair), "format",
             r"byte 16: the (file should have|parts have)|byte 64: ")
    case("fovea_format_0", assemble(description, data, form=0), "unsupported", r"format 0; this")
    case("fovea_format_2_31", assemble(description, data, form=1 << 31), "unsupported", r"format \d+")
    case("fovea_reserved", assemble(description, data, reserved=1), "format", r"header is damaged")


def contents(case, good):
    """The parts are something else, with checksums that are right."""
    description, data = parts(good)
    for cut in list(range(0, 64, 7)) + [len(description) * i // 16 for i in range(1, 16)]:
        case("fovea_description_%d" % cut, assemble(description[:cut], data), REFUSED, r"byte \d+|")
    case("fovea_description_more", assemble(description + b"\1", data), "format", r"byte \d+")
    case("fovea_no_data", assemble(description, b""), "format", r"byte \d+: .*outside|past|data")
    case("fovea_less_data", assemble(description, data[:64]), "format", r"byte \d+")
    case("fovea_zeros", assemble(bytes(len(description)), data), REFUSED, r"")
    case("fovea_ones", assemble(b"\xff" * len(description), data), REFUSED, r"")
    case("fovea_other_weights", assemble(description, b"\xff" * len(data)), "ok", r"")
    # Every number in turn is as large as can be, negative, or zero; some are not looked at here.
    for i, at in enumerate(range(0, len(description) - 8, max(1, len(description) // 120))):
        number = (b"\xff" * 4, b"\xff" * 8, b"\0" * 8, b"\0\0\0\x80", b"\1\0\0\0")[i % 5]
        changed = description[:at] + number + description[at + len(number):]
        case("fovea_number_%d" % at, assemble(changed, data), "ok|" + REFUSED, r"")


def all_cases(case, fovea):
    good = compiled(case, fovea)
    assert assemble(*parts(good)) == good
    case("fovea_good", good, "ok", r"")
    damage(case, good)
    sizes(case, good)
    contents(case, good)

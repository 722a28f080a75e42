"""Broken .npz archives: the zip around, the .npy within."""

import io
import struct
import zipfile
import zlib

import numpy as np

ARRAY = np.arange(6, dtype="float32").reshape(2, 3)


def npy(header=None, data=ARRAY.tobytes(), version=1, length=None):
    if header is None:
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
    text = header if isinstance(header, bytes) else header.encode("latin-1")
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + data


class Zip:
    """A zip archive with every field open to change."""

    def __init__(self):
        self.body, self.central, self.count = b"", b"", 0

    def add(self, name, data, method=0, flags=0, local=None, central=None, raw=None, extra=b"",
            central_extra=b""):
        """`raw`: the stored bytes; `local`, `central`: fields of either header to change."""
        name = name.encode() if isinstance(name, str) else name
        if raw is None:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            raw = packer.compress(data) + packer.flush() if method == 8 else data
        fields = {"method": method, "flags": flags, "crc": zlib.crc32(data),
                  "compressed": len(raw), "size": len(data), "name": name}
        a, b = dict(fields, **(local or {})), dict(fields, **(central or {}))
        at = b.get("at", len(self.body))
        self.body += struct.pack("<IHHHIIIIHH", 0x04034b50, 20, a["flags"], a["method"], 0, a["crc"],
                                 a["compressed"], a["size"], len(a["name"]), len(extra))
        self.body += a["name"] + extra + raw
        self.central += struct.pack("<IHHHHIIIIHHHHHII", 0x02014b50, 20, 20, b["flags"], b["method"],
                                    0, b["crc"], b["compressed"], b["size"], len(b["name"]),
                                    len(central_extra), 0, 0, 0, 0, at) + b["name"] + central_extra
        self.count += 1
        return self

    def end(self, comment=b"", **change):
        v = {"disk": 0, "first": 0, "here": self.count, "count": self.count,
             "bytes": len(self.central), "start": len(self.body), "length": len(comment)}
        v.update(change)
        return struct.pack("<IHHHHIIH", 0x06054b50, v["disk"], v["first"], v["here"], v["count"],
                           v["bytes"], v["start"], v["length"]) + comment

    def end64(self, locator=True, place=None, **change):
        v = {"size": 44, "disk": 0, "first": 0, "here": self.count, "count": self.count,
             "bytes": len(self.central), "start": len(self.body)}
        v.update(change)
        at = len(self.body) + len(self.central)
        return struct.pack("<IQHHIIQQQQ", 0x06064b50, v["size"], 45, 45, v["disk"], v["first"],
                           v["here"], v["count"], v["bytes"], v["start"]) + \
            struct.pack("<IIQI", 0x07064b50, 0, at if place is None else place, 1)

    def bytes(self, **change):
        return self.body + self.central + self.end(**change)


def good():
    return Zip().add("w.npy", npy())


def ends(case):
    ok = good().bytes()
    case("zip_good", ok, "ok", "")
    case("zip_empty", Zip().bytes(), "ok", "")
    case("zip_only_start", b"PK\x03\x04" + bytes(50), "format", r"no end of a zip archive")
    for cut in (30, len(ok) - 60, len(ok) - 22, len(ok) - 1):
        case("zip_cut_%d" % cut, ok[:cut], "format", r"no end of a zip archive")
    case("zip_trailing", ok + b"x", "format", r"no end of a zip archive")
    fake = good().end(comment=b"")
    case("zip_fake_end_in_comment", good().body + good().central + good().end(comment=fake),
         "format", r"second end")
    case("zip_comment_cut", good().bytes(comment=b"hello", length=9), "format", r"no end")
    case("zip_prefix", b"MZ" + ok, "format", r"not a checkpoint")
    case("zip_prefix_pk", b"PK\x03\x04" + bytes(60) + ok, "format", r"cannot start at")
    z = good()
    moved = Zip()
    moved.body = b"PK\x03\x04" + bytes(60)
    moved.add("w.npy", npy())
    case("zip_prefix_counted", moved.bytes(), "format", r"64 bytes are before")
    case("zip_disk_1", z.bytes(disk=1), "format", r"several parts")
    case("zip_here_differs", z.bytes(here=2), "format", r"several parts")
    case("zip_count_over", z.bytes(here=2, count=2), "format|limit", r"byte \d+: |2 zip members")
    case("zip_count_65535", z.bytes(here=65535, count=65535), "limit", r"65535 zip members")
    case("zip_count_under", z.add("v.npy", npy()).bytes(here=1, count=1), "format", r"left over")
    z = good()
    case("zip_start_over", z.bytes(start=1 << 31), "format", r"cannot start at")
    case("zip_bytes_over", z.bytes(bytes=1 << 31), "format", r"cannot start at")
    case("zip_not_central", good().body + b"\0" * len(z.central) + z.end(), "format",
         r"no entry of the zip directory")


def zip64(case):
    z = good()
    full = {"here": 0xffff, "count": 0xffff, "bytes": 0xffffffff, "start": 0xffffffff}
    front = z.body + z.central
    case("zip64_needed", front + z.end64() + z.end(**full), "ok", "")
    case("zip64_not_needed", front + z.end64() + z.end(), "ok", "")
    case("zip64_missing", front + z.end(**full), "format|limit", r"cannot start|zip members")
    case("zip64_differs", front + z.end64(count=2, here=2) + z.end(), "format", r"zip64 record")
    case("zip64_place", front + z.end64(place=0) + z.end(**full), "format", r"should be at")
    case("zip64_place_2_63", front + z.end64(place=1 << 63) + z.end(**full), "format", r"should be at")
    case("zip64_size", front + z.end64(size=1 << 63) + z.end(**full), "format", r"no zip64 end")
    case("zip64_here", front + z.end64(here=2) + z.end(**full), "format", r"several parts")
    case("zip64_first", front + z.end64(first=1) + z.end(**full), "format", r"several parts")
    case("zip_first_1", z.bytes(first=1), "format", r"several parts")
    case("zip64_disk", front + z.end64(disk=3) + z.end(**full), "format", r"several parts")
    huge = z.end64(count=1 << 63, here=1 << 63)
    case("zip64_count_2_63", front + huge + z.end(**full), "limit", r"zip members")
    case("zip64_bytes_2_63", front + z.end64(bytes=1 << 63) + z.end(**full), "format", r"cannot start")

    def member(size, compressed, data=npy()):
        extra = struct.pack("<HHQQ", 1, 16, size, compressed)
        fields = {"size": 0xffffffff, "compressed": 0xffffffff}
        return Zip().add("w.npy", data, local=fields, central=fields, extra=extra,
                         central_extra=extra).bytes()
    n = len(npy())
    case("zip64_member", member(n, n), "ok", "")
    case("zip64_member_2_63", member(1 << 63, 1 << 63), "format", r"bytes of contents")
    case("zip64_member_2_64", member((1 << 64) - 1, (1 << 64) - 1), "format", r"bytes of contents")
    case("zip64_extra_cut", Zip().add("w.npy", npy(), extra=struct.pack("<HH", 1, 99)).bytes(),
         "format", r"extra field of 99 bytes")


def members(case):
    data = npy()
    def add(*args, **words):
        return Zip().add("w.npy", data, *args, **words).bytes()
    case("zip_encrypted", add(flags=1), "format", r"'w.npy' is encrypted")
    case("zip_strong", add(flags=65), "format", r"encrypted")
    for method in (1, 9, 12, 14, 93, 99):
        case("zip_method_%d" % method, add(method=method), "format", r"method %d;" % method)
    for field, value in (("method", 8), ("crc", 1), ("compressed", 1), ("size", 1),
                         ("name", b"v.npy"), ("flags", 2)):
        case("zip_local_" + field, add(local={field: value}), "format",
             r"'w.npy'.*directory differ")
    # FULL32 in a local header stands for a zip64 number; with a descriptor it may stand alone.
    full = {"compressed": 0xffffffff, "size": 0xffffffff}
    case("zip_descriptor_full", add(flags=8, local=full), "ok", "")
    case("zip_descriptor_crc", add(flags=8, local={"crc": 0}), "ok", "")
    for i, field in enumerate(("compressed", "size")):
        case("zip_descriptor_half_%d" % i, add(flags=8, local={field: 0}), "format", r"differ")
        case("zip_descriptor_half_full_%d" % i, add(flags=8, local={field: 0xffffffff}), "format",
             r"differ")
    case("zip_crc_0_without_flag", add(local={"crc": 0}), "format", r"differ")
    short = struct.pack("<HH4x", 1, 4)
    case("zip_extra_short", add(local=full, central=full, extra=short, central_extra=short), "format",
         r"bytes of contents")
    place = struct.pack("<HHQ", 1, 8, 0)
    case("zip_place_64", add(central={"at": 0xffffffff}, central_extra=place), "ok", "")
    z = good()
    z.central = z.central[:30] + struct.pack("<H", 999) + z.central[32:]
    case("zip_central_extra_over", z.bytes(), "format", r"999 bytes to follow; 0 are left")
    case("zip_local_extra_over", Zip().add("w.npy", b"", extra=b"").body[:28] + struct.pack("<H", 999) +
         good().body[30:] + good().central + good().end(), "format", r"extra field of 999 bytes")
    case("zip_local_cut", add(central={"at": len(good().body) - 20}), "format", r"not before the directory")
    swapped = Zip().add("b.npy", data).add("a.npy", data)
    half = len(swapped.central) // 2
    swapped.central = swapped.central[half:] + swapped.central[:half]
    case("zip_directory_unordered", swapped.bytes(), "ok", "")
    case("zip_local_name_other", add(local={"name": b"v.npz"}), "format", r"differ")
    case("zip_local_name_short", add(local={"name": b"w.np"}), "format", r"differ")
    case("zip_descriptor", add(flags=8, local={"crc": 0, "compressed": 0, "size": 0}), "ok", "")
    case("zip_open_without_flag", add(local={"crc": 0, "compressed": 0, "size": 0}), "format", r"differ")
    case("zip_stored_sizes", add(local={"size": 9}, central={"size": 9}), "format", r"stored, but")
    case("zip_size_over", add(local={"size": 999, "compressed": 999},
                              central={"size": 999, "compressed": 999}), "format", r"999 bytes of contents")
    case("zip_crc", add(local={"crc": 7}, central={"crc": 7}), "format", r"checksum")
    case("zip_place_over", add(central={"at": 9999}), "format", r"not before the directory")
    case("zip_place_wrong", add(central={"at": 5}), "format", r"no header of a zip member")
    case("zip_name_nul", Zip().add(b"a\0b.npy", data).bytes(), "format", r"NUL byte")
    case("zip_name_long", Zip().add("n" * 5000 + ".npy", data).bytes(), "format", r"4096")
    case("zip_duplicate", good().add("w.npy", data).bytes(), "format", r"'w.npy' is there twice")
    case("zip_names_are_keys", Zip().add("../../etc/x.npy", data).add("/abs.npy", data).bytes(), "ok", "")
    case("zip_not_npy", Zip().add("readme.txt", b"hello").bytes(), "unsupported", r"readme.txt.*\.npy")
    twice = good()
    twice.central += twice.central.replace(b"w.npy", b"v.npy")
    twice.count += 1
    case("zip_overlap_same", twice.bytes(), "format", r"differ")
    inner = Zip().add("v.npy", data)
    outer = Zip().add("w.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (%d,)}\n"
                                   % len(inner.body), inner.body))
    place = outer.body.index(inner.body)
    entry = bytearray(inner.central)
    entry[42:46] = struct.pack("<I", place)
    outer.central += bytes(entry)
    outer.count += 1
    case("zip_overlap_inside", outer.bytes(), "format", r"overlaps")


def deflated(case):
    data = npy()
    def add(raw, size=len(data), crc=zlib.crc32(data), payload=data):
        fields = {"size": size, "crc": crc}
        return Zip().add("w.npy", payload, 8, raw=raw, local=fields, central=fields).bytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(data) + packer.flush()
    case("deflate_good", add(raw), "ok", "")
    case("deflate_cut", add(raw[:-4]), "format", r"cut short|fewer")
    case("deflate_damaged", add(b"\xff" + raw[1:]), "format", r"damaged")
    case("deflate_with_header", add(zlib.compress(data)), "format", r"damaged")
    case("deflate_trailing", add(raw + b"xx"), "format", r"more")
    case("deflate_nothing", add(b""), "format", r"cut short|fewer|damaged")
    case("deflate_unended", add(zlib.compressobj(9, zlib.DEFLATED, -15).flush(zlib.Z_SYNC_FLUSH)),
         "format", r"cut short|fewer|damaged")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    case("deflate_whole_unended", add(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)),
         "format", r"cut short|fewer|damaged|more")
    case("deflate_crc", add(raw, crc=5), "format", r"checksum")
    case("deflate_declares_less", add(raw, len(data) - 4), "format", r"bytes of data")
    case("deflate_declares_more", add(raw, len(data) + 4), "format", r"bytes of data")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    longer = packer.compress(data + bytes(4)) + packer.flush()
    case("deflate_gives_more", add(longer), "format", r"more")
    shape = 1 << 30
    head = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,)}\n" % shape, b"")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(head) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(8))
    raw += packer.flush()
    size = len(head) + 4 * shape
    case("deflate_bomb_4_gib", add(raw, 0xfffffff0, payload=b""), "format|limit", r"bytes")
    extra = struct.pack("<HHQ", 1, 8, size)
    fields = {"size": 0xffffffff, "crc": 0}
    case("deflate_bomb_zip64",
         Zip().add("w.npy", b"", 8, raw=raw, local=dict(fields), central=fields,
                   extra=struct.pack("<HHQQ", 1, 16, size, len(raw)), central_extra=extra).bytes(),
         "limit", r"4294967296 bytes more.*memory limit")
    case("npz_8_tb_in_few_bytes",
         Zip().add("w.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2199023255552,)}\n",
                                b"")).bytes(), "format", r"takes 8796093022208")


def headers(case):
    def add(name, expect, pattern, *args, **words):
        case("npy_" + name, Zip().add("w.npy", npy(*args, **words)).bytes(), expect, pattern)

    def shaped(name, expect, pattern, shape, descr="'<f4'", order="False", data=ARRAY.tobytes()):
        add(name, expect, pattern, "{'descr': %s, 'fortran_order': %s, 'shape': %s}\n"
            % (descr, order, shape), data)
    case("npy_none", Zip().add("w.npy", b"").bytes(), "format", r"'w.npy': not an .npy")
    case("npy_magic", Zip().add("w.npy", b"\x93NUMPZ" + npy()[6:]).bytes(), "format", r"not an .npy")
    add("version_0", "unsupported", r"version 0", version=0)
    add("version_4", "unsupported", r"version 4", version=4)
    add("version_2", "ok", "", version=2)
    add("length_over", "format", r"header has 999 bytes", length=999)
    add("length_2_32", "format", r"header has 4294967295 bytes", version=2, length=0xffffffff)
    add("length_10001", "format", r"10000 are allowed",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}".ljust(10000) + "\n")
    for n, text in enumerate(("", "{", "{'descr", "{'descr'", "{'descr':", "{'descr': '<f4", "{'descr': '<f4'",
                              "{'descr': '<f4\\\\'", "{'descr': '<f4' x", "{'descr': 'a_long_type_of_sixteen'",
                              "{3: 3}", "{\"descr\": \"<f4\", 'fortran_order': Fa", "{'shape': 3}", "{'shape': (",
                              "{'shape': (3", "{'shape': (3)", "{'shape': (3 4)", "{'shape': (x)",
                              "{'shape': (3,)", "{'fortran_order': None}", "{'descr': ''}")):
        add("header_%d" % n, "format|unsupported", r"expected|line's end|not supported|lacks", text + "\n")
    add("header_empty", "format", r"expected|line's end", b"")
    add("tabs", "ok", "", "{\t'descr':\t'<f4',\n'fortran_order': False,\t'shape': (2,\t3)}\n")
    add("quotes", "ok", "", '{"descr": "<f4", "fortran_order": False, "shape": (2, 3)}\n')
    add("missing_descr", "format", r"lacks", "{'fortran_order': False, 'shape': (2, 3)}\n")
    add("missing_shape", "format", r"lacks", "{'fortran_order': False, 'descr': '<f4'}\n")
    add("big_endian_bytes", "ok", "", "{'descr': '>i1', 'fortran_order': False, 'shape': (24,)}\n")
    add("no_newline", "format", r"line's end", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}")
    add("not_dict", "format", r"'\{' expected", "('descr', '<f4')\n")
    add("code", "format", r"expected", "__import__('os').system('x')\n")
    add("nested", "format", r"expected", "{'descr': {'a': {}}, 'fortran_order': False, 'shape': ()}\n")
    add("missing_order", "format", r"lacks", "{'descr': '<f4', 'shape': (2, 3)}\n")
    add("duplicate", "format", r"'shape' is given twice",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (2, 3)}\n")
    add("extra_key", "format", r"'x' is not known",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}\n")
    shaped("objects", "unsupported", r"pickled", "(2, 3)", "'|O'")
    shaped("structured", "format", r"expected", "(2, 3)", "[('a', '<f4')]")
    shaped("big_endian", "unsupported", r"'>f4' is big-endian", "(2, 3)", "'>f4'")
    shaped("unicode", "unsupported", r"'<U3'", "(2, 3)", "'<U3'")
    shaped("void_4", "unsupported", r"'\|V4'", "(2, 3)", "'|V4'")
    shaped("complex", "unsupported", r"'<c8'", "(3,)", "'<c8'")
    shaped("order_1", "format", r"True or False", "(2, 3)", order="1")
    shaped("negative", "format", r"dimension", "(-2, 3)")
    shaped("python_2_long", "format", r"',' expected", "(2L, 3L)")
    shaped("float_dim", "format", r"',' expected", "(2.0, 3)")
    shaped("dim_2_63", "format", r"below 2\^63", "(9223372036854775808,)")
    shaped("overflow", "limit", r"2\^46", "(1099511627776, 1099511627776)")
    shaped("wraps", "limit", r"2\^46", "(4194305, 4194305, 211106198978564)")
    shaped("rank_9", "unsupported", r"8 dimensions", "(1,1,1,1,1,1,1,1,6)")
    shaped("shorter", "format", r"24 bytes of data; \[2,4\] of f32 takes 32", "(2, 4)")
    shaped("longer", "format", r"24 bytes of data; \[5\] of f32 takes 20", "(5,)")
    shaped("bool_2", "format", r"element 0 of a bool tensor is 7", "(1,)", "'|b1'", data=b"\x07")
    shaped("empty", "ok", "", "(0, 3)", data=b"")
    shaped("scalar", "ok", "", "()", data=bytes(4))
    shaped("odd_name", "unsupported", r"\\x1b\[31m", "(2, 3)", "'\x1b[31m'")


def all_cases(case):
    ends(case)
    zip64(case)
    members(case)
    deflated(case)
    headers(case)

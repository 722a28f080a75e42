"""Files at the edges: what is rare and right, and limits reached in the middle of something."""

import struct
import zlib

import numpy as np

from good import TYPES, expect, npz_bytes, safetensors_bytes
from hostile_numpy import Zip, good, npy
from hostile_pickle import P, named, number, tensor, text, torch_file

DTYPE = named("numpy", "dtype")
F4 = DTYPE + text("f4") + b"\x85R"
SCALAR = named("numpy.core.multiarray", "scalar")
ENCODE = named("_codecs", "encode")
EMPTY_ARRAY = named("numpy.core.multiarray", "_reconstruct") + named("numpy", "ndarray") + \
    b"K\x00\x85C\x01b\x87R"
REBUILD = named("torch._utils", "_rebuild_tensor_v2")
W = np.arange(6, dtype="float32").reshape(2, 3)


def scalar(value):
    return SCALAR + b"(" + F4 + b"C\x04" + np.float32(value).tobytes() + b"tR"


def array(dtype, shape, contents):
    """`dtype`, `shape`, `contents`: opcodes of each."""
    return EMPTY_ARRAY + b"(K\x01" + shape + dtype + b"\x89" + contents + b"tb"


# ---- rare and right ------------------------------------------------------------

def good_pickles(case):
    names = ["a", "b", "c", "d", "e", "f"]
    each = b"".join(text(n) + scalar(i) + b"s" for i, n in enumerate(names))
    case("set_one_by_one.pkl", P + b"}" + each + b".",
         expect({n: np.float32(i).reshape(()) for i, n in enumerate(names)}))
    case("longest_name.pkl", P + b"}" + text("A" * 4000) + b"}" + text("B" * 95) + scalar(1) + b"ss.",
         expect({"A" * 4000 + "/" + "B" * 95: np.float32(1).reshape(())}))
    lists = b"](K\x01K\x02e" + b"K\x03a" * 5  # passed over, but they have to be read
    case("list_one_by_one.pkl", P + b"}" + text("l") + lists + b"s" + text("w") + scalar(1) + b"s.",
         expect({"w": np.float32(1).reshape(())}))
    dtype = DTYPE + named("ml_dtypes", "bfloat16") + b"\x89\x88\x87R"
    bits = np.arange(6, dtype=np.uint16).reshape(2, 3)
    case("ml_dtypes.pkl", P + b"}" + text("w") +
         array(dtype, b"K\x02K\x03\x86", b"C\x0c" + bits.tobytes()) + b"s.", {"w": ("bf16", bits)})
    nothing = array(F4, b"K\x00\x85", ENCODE + text("") + text("latin1") + b"\x86R")
    case("encoded_nothing.pkl", P + b"}" + text("w") + nothing + b"s.",
         expect({"w": np.zeros(0, "float32")}))
    # Of a mark and of values, as the pickle module takes them from its stack.
    case("pops.pkl", P + b"(0" + b"K\x010" + b"(K\x0100" + b"(K\x01K\x021" + b"(1" + b"}.", {})


def good_torch(case):
    def file(root, **words):
        return torch_file(P + root + b".", (("0", W.tobytes()),), **words)
    inner, want = b"}" + text("w") + tensor() + b"s", {"w": ("f32", W)}
    column = tensor(shape=(3, 1), strides=(2, (1 << 63) - 1))
    case("stride_of_one_element.pth", file(b"}" + text("w") + column + b"s"),
         {"w": ("f32", W.reshape(3, 2)[:, :1])})
    case("integer_keys.pth", file(b"}(K\x01K\x02" + text("state_dict") + inner + b"u"), want)
    case("wrappers_in_vain.pth", file(b"}(" + text("state_dict") + b"}" + text("model") + b"K\x05" +
                                      text("w") + tensor() + b"u"), want)
    case("no_byte_order.pth", file(inner, byteorder=None), want)
    rebuilt = tensor(shape=(0, 3)).replace(number(0) + number(3), b"\x8a\x00" + number(3))
    case("long_of_no_bytes.pth", file(b"}" + text("w") + rebuilt + b"s"),
         {"w": ("f32", np.zeros((0, 3), "float32"))})


def good_archives(case):
    rng = np.random.default_rng(5)
    noise = {"noise": rng.integers(0, 1 << 32, 700000, "uint32")}  # deflated, more than zlib's piece
    case("noise.npz", npz_bytes(np.savez_compressed, noise), expect(noise))
    spaced = Zip().add("w.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}"
                                    .ljust(9000) + "\n"), 8).bytes()
    case("spaced_header.npz", spaced, expect({"w": W}))


def good_folders(case):
    tensors = {"b": ("f32", W), "a": ("f32", W + 1)}
    text = b'{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[24,48]},' \
        b'"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
    file = struct.pack("<Q", len(text)) + text + W.tobytes() + (W + 1).tobytes()
    case("backwards.safetensors", file, tensors)
    case.folder("slash", {"backwards.safetensors": file}, tensors)
    name, path, expect_ = case.cases.pop()
    case.cases.append((name, path + "/", expect_))


def good_cases(case):
    good_folders(case)
    good_pickles(case)
    good_torch(case)
    good_archives(case)


# ---- limits ---------------------------------------------------------------------

LIMIT = r"over 400000 objects, the limit"


def pickle_limits(case):
    def endless(name, prepare, step, count=200000, phases=8):
        """`step`, again and again; begun with 0, 1, ... objects, so that each of its own is the last."""
        for phase in range(phases):
            case("ed_%s_%d" % (name, phase), P + prepare + b"}0" * phase + step * count + b".", "limit",
                 LIMIT)
    call = b"h\x00h\x01R0"
    endless("dtypes", DTYPE + b"q\x000" + text("f4") + b"\x85q\x010", call)
    endless("arrays", named("numpy.core.multiarray", "_reconstruct") + b"q\x000)q\x010", call)
    endless("scalars", SCALAR + b"q\x000(" + F4 + b"C\x04" + bytes(4) + b"tq\x010", call)
    endless("buffers", named("numpy.core.numeric", "_frombuffer") + b"q\x000(C\x04" + bytes(4) + F4 +
            b"K\x01\x85" + text("C") + b"tq\x010", call)
    endless("encoded", ENCODE + b"q\x000" + text("a" * 200) + text("latin1") + b"\x86q\x010", call, 70000)
    endless("globals", b"", DTYPE + b"0", 400001, 1)
    storage = text("storage") + named("torch", "FloatStorage") + text("0") + text("cpu")
    endless("storages", b"(" + storage + b"K\x06tq\x000", b"h\x00Q0")
    endless("tensors", REBUILD + b"q\x000((" + storage + b"K\x06tQK\x00))tq\x010", call)
    # What costs by its length.
    case("ed_long_list", P + b"](" + b"K\x01" * 390000 + b"e.", "limit", LIMIT)
    long = b"X" + struct.pack("<I", 400000) + b"a" * 400000
    case("ed_long_texts", P + ENCODE + b"q\x000" + long + text("latin1") + b"\x86q\x010" + call * 60 + b".",
         "limit", LIMIT)
    case("ed_long_keys", P + b"(" + text("storage") + named("torch", "FloatStorage") + long + text("cpu") +
         b"K\x06tq\x000" + b"h\x00Q0" * 60 + b".", "limit", LIMIT)
    # Names that are as long as they may be with a dictionary's, and longer.
    for outer, inner in ((4095, 1), (4095, 5000), (4096, 1), (4000, 96)):
        case("ed_name_%d_%d" % (outer, inner), P + b"}" + text("A" * outer) + b"}" + text("B" * inner) +
             scalar(1) + b"ss.", "limit", r"name has over 4096 bytes")
    # A dictionary of a thousand entries, under a thousand names.
    wide = b"}q\x000" + b"h\x00(" + b"".join(text(str(i)) + b"K\x01" for i in range(1000)) + b"u0"
    case("ed_wide", P + wide + b"}(" + b"".join(text(str(i)) + b"h\x00" for i in range(1000)) + b"u.",
         "limit", r"over 400000 entries in dictionaries")
    many = b"".join(text(str(i)) + b"h\x00" for i in range(65537))
    case("ed_many_tensors", P + scalar(1) + b"q\x000}(" + many + b"u.", "limit", r"over 65536 tensors")


def odd_pickles(case):
    case("ed_name_nul", P + b"}" + text("a\0b") + scalar(1) + b"s.", "format", r"name has a NUL byte")
    case("ed_name_twice", P + b"}(" + text("a/b") + scalar(1) + text("a") + b"}" + text("b") + scalar(2) +
         b"su.", "invalid", r"tensor 'a/b' is there twice")
    case("ed_torch_alone", P + b"}" + text("w") + tensor() + b"s.", "format",
         r"'w': a tensor of torch, but this is no torch file")
    case("ed_offset_minus_1", torch_file(P + b"}" + text("w") + tensor().replace(
        b"tQ" + number(0), b"tQ\x8a\x01\xff") + b"s.", (("0", bytes(24)),)), "format",
        r"from element -1 goes past")
    case("ed_no_brace", b"\x04" + bytes(7) + b"abcdefgh", "format", r"not a checkpoint")
    case("ed_no_header", b"\x04" + bytes(20), "format", r"not a checkpoint")
    case("ed_storage_of_size", torch_file(P + b"}" + text("w") + tensor().replace(
        named("torch", "FloatStorage"), named("torch", "Size")) + b"s."), "format", r"no torch storage")
    case("ed_stride_text", torch_file(P + b"}" + text("w") + tensor().replace(number(3) + number(1),
         text("3") + number(1)) + b"s.", (("0", bytes(24)),)), "format", r"goes past its storage")
    case("ed_protocol_9", b"\x80\x09}.", "format", r"not a checkpoint")
    case("ed_zip_3_5", b"PK\x03\x05" + bytes(60), "format", r"not a checkpoint")
    case("ed_zip_7_8", b"PK\x07\x08" + bytes(60), "format", r"not a checkpoint")
    case("ed_spaces", b" " * 200 + b"{}", "format", r"not a checkpoint")
    case("ed_only_spaces", b"\n" * 20, "format", r"not a checkpoint")
    case("ed_space_nul", b" \0{}", "format", r"not a checkpoint")


def odd_torch(case):
    root = P + b"}" + text("w") + tensor() + b"s."
    def archive(more=(), pickle=root, method=0, key="0"):
        """Members as torch.save names them; `more`: (name, contents, method, words) of Zip.add."""
        z = Zip().add("archive/data.pkl", pickle)
        for name, contents, how, words in more:
            z.add(name, contents, how, **words)
        return z.add("archive/data/" + key, bytes(24), method).bytes()
    case("ed_pt_deflated_storage", archive(method=8), "unsupported", r"storage '0' is compressed")
    case("ed_pt_middle_endian", archive([("archive/byteorder", b"middle", 0, {})]), "unsupported",
         r"little-endian")
    case("ed_pt_order_damaged", archive([("archive/byteorder", b"little", 8, {"raw": b"\xff" * 9})]),
         "format", r"damaged")
    long = "k" * 4088
    case("ed_pt_key_long", archive(pickle=P + b"}" + text("w") + tensor(key=long) + b"s."), "format",
         r"is not in the archive")


def odd_archives(case):
    def add(**words):
        return Zip().add("w.npy", npy(), **words).bytes()
    case("ed_zip_open_crc", add(flags=8, local={"crc": 7, "compressed": 0, "size": 0}), "format",
         r"differ")
    z = good()
    case("ed_zip_local_name_over", z.body[:26] + struct.pack("<H", 60000) + z.body[28:] + z.central +
         z.end(), "format", r"a member's name")
    case("ed_zip_short_name", Zip().add("npy", npy()).bytes(), "unsupported", r"does not end in \.npy")
    full = {"here": 0xffff, "count": 0xffff, "bytes": 0xffffffff, "start": 0xffffffff}
    case("ed_zip64_no_room", b"PK\x03\x04" + bytes(8) + struct.pack("<IIQI", 0x07064b50, 0, 0, 1) +
         z.end(**full), "format", r"no zip64 end of 56 bytes before it")
    end = z.end64()
    case("ed_zip64_signature", z.body + z.central + b"XX" + end[2:] + z.end(**full), "format",
         r"no zip64 end of 56 bytes")
    # The data go on, but what has been read of them does not say so yet.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    more = packer.compress(npy() + bytes(5000)) + packer.flush()
    fields = {"size": len(npy()), "crc": zlib.crc32(npy())}
    case("ed_deflate_more", add(method=8, raw=more, local=fields, central=fields), "format",
         r"give more than the \d+ bytes")
    long = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9000,)}\n", b"")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    fewer = packer.compress(long + bytes(10)) + packer.flush()
    case("ed_deflate_fewer", add(method=8, raw=fewer, local={"size": len(long) + 9000},
                                 central={"size": len(long) + 9000}), "format",
         r"give fewer than the \d+ bytes")
    case("ed_npy_shape_open", Zip().add("w.npy", npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3 4)}\n")).bytes(), "format", r"',' expected")


def odd_folders(case):
    def index(places):
        return ('{"weight_map": {%s}}' % ", ".join('"%s": "%s"' % p for p in places.items())).encode()
    name = "model.safetensors.index.json"
    one = safetensors_bytes({"w": (TYPES["float32"], W)})
    case.folder("ed_dots", {name: index({"w": ".a"}), ".a": one}, "ok", "")
    case.folder("ed_empty_shard", {name: index({"w": "none.safetensors"}),
                                   "none.safetensors": safetensors_bytes({})}, "invalid",
                r"tensor 'w' is not in 'none.safetensors'")
    case.folder("ed_shard_folder", {name: index({"w": "link/"}), "link": "/"}, "invalid|io",
                r"symbolic link|cannot open")


def all_cases(case):
    pickle_limits(case)
    odd_pickles(case)
    odd_torch(case)
    odd_archives(case)
    odd_folders(case)

"""Broken and malicious pickles, bare and in PyTorch's archives."""

import io
import pickle
import struct
import zipfile

import numpy as np

ARRAY = {"w": np.arange(6, dtype="float32").reshape(2, 3)}
GOOD = pickle.dumps(ARRAY, 4)
P = b"\x80\x02"


def text(word):
    word = word.encode()
    return b"X" + struct.pack("<I", len(word)) + word


def named(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def machine(case):
    case("pk_good", GOOD, "ok", "")
    case("pk_2_bytes", b"\x80\x04", "format", r"byte 2: an opcode takes 1 bytes")
    for cut in range(3, len(GOOD) - 1, 7):
        case("pk_cut_%d" % cut, GOOD[:cut], "format", r"byte \d+: ")
    case("pk_trailing", GOOD + b"x", "format", r"1 bytes follow the pickle")
    case("pk_two", GOOD + GOOD, "format", r"bytes follow the pickle")
    case("pk_protocol_0", b"\x80\0}.", "format", r"not a checkpoint")
    for version in (1, 6):
        case("pk_protocol_%d" % version, bytes([0x80, version]) + b"}.", "unsupported",
             r"byte 0: pickle protocol %d" % version)
    case("pk_unknown_opcode", P + b"\xfe.", "format", r"byte 2: 0xfe")
    for code, name in ((b"I1\n", "INT"), (b"S'a'\n", "STRING"), (b"Va\n", "UNICODE"), (b"p0\n", "PUT"),
                       (b"(ios\nsystem\n", "INST"), (b"(o", "OBJ"), (b"\x82\x01", "EXT1"),
                       (b"\x97", "NEXT_BUFFER"), (b"\x8f", "EMPTY_SET"), (b"Pid\n", "PERSID"),
                       (b"2", "DUP"), (b"\x92", "NEWOBJ_EX")):
        case("pk_op_" + name, P + code + b".", "unsupported", r"byte \d+: pickle opcode %s " % name)
    under = r"takes more from the stack"
    for name, code in (("stop", b"."), ("pop", b"0."), ("reduce", b")R."), ("build", b"}b."),
                       ("setitem", b"}s."), ("tuple3", b"K\x01\x87."), ("append", b"]a.")):
        case("pk_under_" + name, P + code, "format", under)
    case("pk_under_mark", P + b"K\x01(\x85.", "format", under)
    case("pk_no_mark", P + b"K\x01t.", "format", r"needs a mark")
    case("pk_left_over", P + b"K\x01}.", "format", r"1 values left over")
    case("pk_mark_left", P + b"(}.", "format", r"takes more from the stack|left over")
    case("pk_memo_empty", P + b"h\x05.", "format", r"nothing is in the memo at 5")
    case("pk_memo_far", P + b"}r\xff\xff\xff\xff.", "limit", r"memo index 4294967295")
    case("pk_memo_hole", P + b"}q\x05h\x03.", "format", r"memo at 3")
    case("pk_list_of_int", P + b"K\x01K\x02a.", "format", r"no list")
    case("pk_items_of_int", P + b"K\x01K\x02K\x03s.", "format", r"no dictionary")
    case("pk_items_odd", P + b"}(K\x01u.", "format", r"no dictionary")
    case("pk_result_list", P + b"].", "format", r"no dictionary of tensors")
    case("pk_result_int", P + b"K\x07.", "format", r"no dictionary of tensors")
    case("pk_text_over", P + b"X\xff\xff\xff\x7fab.", "format", r"text of 2147483647 bytes; \d+ are left")
    case("pk_bytes_2_63", P + b"\x8e" + struct.pack("<Q", 1 << 63) + b"ab.", "format", r"are left")
    case("pk_frame_over", b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"}.", "format", r"a frame of")
    case("pk_long_9", P + b"\x8a\x09" + bytes(9) + b".", "unsupported", r"integer of 9 bytes")
    case("pk_long_legacy_torch", P + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "format",
         r"the pickle of the protocol")
    case("pk_long4_huge", P + b"\x8b\xff\xff\xff\x7f.", "unsupported", r"integer of 2147483647 bytes")


def bombs(case):
    case("pk_many_dicts", P + b"}" * 1000000 + b".", "limit", r"400000 objects")
    case("pk_many_marks", P + b"(" * 1000000 + b".", "limit", r"400000")
    case("pk_many_gets", P + b"}q\x00" + b"h\x00" * 1000000 + b".", "limit", r"400000")
    case("pk_memo_grows", P + b"}" + b"".join(b"r" + struct.pack("<I", i) for i in
                                              range(0, 500000, 2)) + b".", "limit", r"memo index 400000")
    # d0 = {}; d1 = {a: d0, b: d0}; ... doubles at every level.
    laugh = P + b"}q\x00"
    for level in range(1, 40):
        laugh += b"}q" + bytes([level]) + b"(" + text("a") + b"h" + bytes([level - 1]) + \
            text("b") + b"h" + bytes([level - 1]) + b"u"
    case("pk_laughs", laugh + b"0" * 40 + b"h\x27.", "limit", r"nested over 16")
    case("pk_itself", P + b"}q\x00" + text("a") + b"h\x00s.", "limit", r"nested over 16")
    case("pk_deep_dicts", P + b"".join(b"}" + text("a") for _ in range(5000)) + b"}" + b"s" * 5000 + b".",
         "limit", r"nested over 16")
    case("pk_deep_tuples", P + b"K\x01" + b"\x85" * 300000 + b".", "format", r"no dictionary")
    case("pk_long_name", P + b"}" + text("a" * 5000) + b"}" + text("w") + b"K\x01ss.", "limit", r"4096")


def globals_(case):
    for module, name in (("os", "system"), ("posix", "system"), ("builtins", "eval"),
                         ("__builtin__", "exec"), ("subprocess", "Popen"), ("numpy", "load"),
                         ("numpy.core.multiarray", "fromfile"), ("torch", "load"),
                         ("torch.hub", "load"), ("collections", "defaultdict"),
                         ("pathlib", "PosixPath"), ("", "")):
        label = "%s.%s" % (module, name)
        case("pk_global_%s_%s" % (module, name), P + named(module, name) + text("id") + b"\x85R.",
             "unsupported", r"asks for '%s'" % label.replace(".", r"\."))
    case("pk_stack_global", b"\x80\x04" + text("os") + text("system") + b"\x93.", "unsupported",
         r"'os\.system'")
    case("pk_stack_global_int", b"\x80\x04K\x01" + text("system") + b"\x93.", "format", r"no text")
    case("pk_global_odd", P + named("\x1b[31m", "x") + b".", "unsupported", r"\\x1b\[31m")
    case("pk_global_cut", P + b"cos", "format", r"without an end")
    class Run:
        def __reduce__(self):
            return (__import__("os").system, ("exit 1",))
    case("pk_reduce_os", pickle.dumps({"w": Run()}, 4), "unsupported", r"system'")
    case("pk_call_of_int", P + b"K\x01)R.", "format", r"call of what is no global")
    case("pk_call_of_type", P + named("numpy", "ndarray") + b")R.", "format", r"not to be called")
    case("pk_call_list", P + named("collections", "OrderedDict") + b"]R.", "format", r"without a tuple")
    case("pk_build_int", P + b"K\x01K\x02b.", "format", r"has none")
    case("pk_persistent", P + b"K\x01Q.", "format", r"no torch storage")


def arrays(case):
    def dumped(a):
        return pickle.dumps({"w": a}, 4)
    case("pk_objects", dumped(np.array([{}, 1], "O")), "unsupported", r"pickled")
    case("pk_structured", dumped(np.zeros(2, [("a", "f4"), ("b", "i4")])), "unsupported",
         r"'V8'|plain number")
    case("pk_big_endian", dumped(np.zeros(2, ">f4")), "unsupported", r"big-endian")
    case("pk_complex", dumped(np.zeros(2, "c8")), "unsupported", r"'c8'")
    case("pk_unicode", dumped(np.array(["a", "b"])), "unsupported", r"'U1'")
    case("pk_rank_9", dumped(np.zeros((1,) * 9, "f4")), "unsupported", r"9 dimensions")
    good = dumped(ARRAY["w"])
    shape = good.index(b"K\x02K\x03\x86")
    for name, new, pattern in (("more", b"K\x03K\x03\x86", r"24 bytes of data; \[3,3\]"),
                               ("less", b"K\x01K\x03\x86", r"24 bytes of data; \[1,3\]"),
                               ("none", b"K\x02N\x86", r"dimension is no integer")):
        case("pk_shape_" + name, good[:2] + good[11:shape] + new + good[shape + 5:], "format", pattern)
    big = b"J\xff\xff\xff\x7f"
    case("pk_shape_overflow", good[:2] + good[11:shape] + b"(" + big * 3 + b"t" + good[shape + 5:],
         "limit", r"2\^46")
    case("pk_shape_negative", good[:2] + good[11:shape] + b"J\xff\xff\xff\xffK\x03\x86" +
         good[shape + 5:], "format|invalid", r"-1")
    make = named("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"
    case("pk_no_state", P + b"}" + text("w") + named("numpy.core.multiarray", "_reconstruct") + make +
         b"s.", "format", r"tensor 'w'.*never given")
    case("pk_state_int", P + named("numpy.core.multiarray", "_reconstruct") + make + b"K\x01b.",
         "format", r"state of an array")
    case("pk_dtype_int", P + named("numpy", "dtype") + b"K\x01\x85R.", "format", r"numpy.dtype is called")
    case("pk_dtype_long", P + named("numpy", "dtype") + text("f" * 100) + b"\x85R.", "format",
         r"numpy.dtype is called")
    def called(name, args, expect, pattern):
        """`args`: values, that become a tuple of the call."""
        case("pk_args_" + name, P + b"}" + text("w") + args[0] + b"(" + b"".join(args[1:]) + b"tRs.",
             expect, pattern)
    dtype, f4 = named("numpy", "dtype"), named("numpy", "dtype") + text("f4") + b"\x85R"
    f8 = named("numpy", "dtype") + text("f8") + b"\x85R"
    raw = lambda n: b"B" + struct.pack("<I", n) + bytes(n)  # noqa: E731
    called("dtype_none", [dtype], "format", r"numpy.dtype is called")
    called("dtype_int", [dtype, b"K\x01"], "format", r"numpy.dtype is called")
    called("dtype_nul", [dtype, text("f\0004")], "format", r"numpy.dtype is called")
    called("dtype_global", [dtype, named("numpy", "ndarray")], "format", r"numpy.dtype is called")
    called("dtype_bytes", [dtype, b"C\x02f4"], "ok", "")  # what is no tensor is passed over
    called("dtype_empty", [dtype, text("")], "unsupported", r"type '' is not supported")
    called("dtype_bfloat16", [dtype, text("bfloat16")], "ok", "")
    scalar = named("numpy.core.multiarray", "scalar")
    called("scalar", [scalar, f4, raw(4)], "ok", "")
    called("scalar_short", [scalar, f4, raw(3)], "format", r"3 bytes of data")
    called("scalar_text", [scalar, f4, b"K\x01"], "format", r"numpy's scalar is called")
    called("scalar_bool", [scalar, dtype + text("b1") + b"\x85R", b"C\x01\x02"], "format|invalid", r"")
    buffer = named("numpy.core.numeric", "_frombuffer")
    called("buffer", [buffer, raw(8), f4, b"K\x02\x85", text("C")], "ok", "")
    called("buffer_fortran", [buffer, raw(8), f8, b"K\x01\x85", text("F")], "ok", "")
    called("buffer_none", [buffer], "format", r"_frombuffer is called")
    called("buffer_order", [buffer, raw(8), f4, b"K\x02\x85", text("K")], "format", r"_frombuffer is called")
    called("buffer_orders", [buffer, raw(8), f4, b"K\x02\x85", text("CF")], "format",
           r"_frombuffer is called")
    called("buffer_order_int", [buffer, raw(8), f4, b"K\x02\x85", b"K\x01"], "format",
           r"_frombuffer is called")
    called("buffer_order_none", [buffer, raw(8), f4, b"K\x02\x85", text("")], "format",
           r"_frombuffer is called")
    called("buffer_order_long", [buffer, raw(8), f4, b"K\x02\x85", text("C" * 20)], "format",
           r"_frombuffer is called")
    code = named("_codecs", "encode")
    for name, args in (("none", []), ("one", [text("a")]), ("utf8", [text("a"), text("utf8")]),
                       ("int", [b"K\x01", text("latin1")])):
        called("encode_" + name, [code] + args, "format", r"_codecs.encode is called")
    for name, word in (("far", b"\xc4\x80"), ("cut", b"\xc2"), ("odd", b"\xc3A"), ("lone", b"\x80")):
        called("encode_" + name, [code, b"X" + struct.pack("<I", len(word)) + word, text("latin1")],
               "format", r"not latin1")
    called("dict_of", [named("collections", "OrderedDict"), b"}"], "format", r"a dictionary's type is called")
    called("parameter", [named("torch._utils", "_rebuild_parameter"), b"K\x01"], "format",
           r"_rebuild_parameter is called")
    called("size", [named("torch", "Size"), b"K\x01"], "format", r"torch.Size is called")
    called("rebuild", [named("torch._utils", "_rebuild_tensor_v2"), b"K\x01"], "format", r"called with other")

    def stated(name, state, expect, pattern, what=None):
        case("pk_state_" + name, P + b"}" + text("w") + (what or f4) + b"(" + b"".join(state) + b"tbs.",
             expect, pattern)
    odd = r"not a plain number's"
    for name, order in (("int", b"K\x01"), ("none", text("")), ("two", text("<<")), ("word", text("x")),
                        ("long", text("<" * 20))):
        stated("order_" + name, [b"K\x03", order, b"NNN"], "unsupported", odd)
    stated("few", [b"K\x03", text("<")], "unsupported", odd)
    stated("names", [b"K\x03", text("<"), b"NN)"], "unsupported", odd)
    stated("big", [b"K\x03", text(">"), b"NNN"], "unsupported", r"big-endian numbers")
    stated("big_bytes", [b"K\x03", text(">"), b"NNN"], "ok", "",
           dtype + text("i1") + b"\x85R")
    array = named("numpy.core.multiarray", "_reconstruct") + make
    whole = [b"K\x01", b"K\x02\x85", f4, b"\x89", raw(8)]
    stated("array", whole, "ok", "", array)
    stated("array_twice", whole, "format", r"state of an array", array + b"(" + b"".join(whole) + b"tb")
    stated("array_few", whole[:4], "format", r"state of an array", array)
    case("pk_global_int", b"\x80\x04" + text("os") + b"K\x01\x93.", "format", r"no text")
    case("pk_stack_global_none", b"\x80\x04\x93.", "format", r"takes more from the stack")
    case("pk_stack_global_one", b"\x80\x04" + text("os") + b"\x93.", "format", r"takes more from the stack")
    case("pk_global_long", P + named("m" * 100, "n" * 100) + b".", "unsupported", r"asks for 'm{63,64}\.")
    case("pk_persistent_none", P + b"Q.", "format", r"takes more from the stack")
    case("pk_key_int", P + b"}K\x01" + b"".join([scalar, b"(", f4, raw(4), b"tRs."]), "ok|format", r"")
    case("pk_key_int_text", P + b"}K\x01" + text("x") + b"s.", "ok", "")
    case("pk_scalar_none", P + named("numpy.core.multiarray", "scalar") + b")R.", "format", r"scalar")


def torch_file(data, storages=(), root="archive", byteorder=b"little", method=0, more=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(root + "/data.pkl", data)
        if byteorder is not None:
            archive.writestr(root + "/byteorder", byteorder)
        for key, contents in storages:
            archive.writestr("%s/data/%s" % (root, key), contents)
        for name, contents in more:
            archive.writestr(name, contents)
    return out.getvalue()


def number(n):
    return b"\x8a\x08" + struct.pack("<q", n)


def tensor(key="0", n=6, offset=0, shape=(2, 3), strides=(3, 1), kind="FloatStorage", word="storage"):
    storage = b"(" + text(word) + named("torch", kind) + text(key) + text("cpu") + number(n) + b"tQ"
    dims = b"(" + b"".join(number(d) for d in shape) + b"t"
    steps = b"(" + b"".join(number(d) for d in strides) + b"t"
    return named("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(offset) + dims + \
        steps + b"\x89}tR"


def torch_cases(case):
    def add(name, expect, pattern, storages=(("0", bytes(24)),), more=(), method=0, byteorder=b"little",
            **words):
        data = P + b"}" + text("w") + tensor(**words) + b"s."
        case("pt_" + name, torch_file(data, storages, byteorder=byteorder, method=method, more=more),
             expect, pattern)
    past = r"goes past its storage of"
    add("good", "ok", "")
    add("no_storage", "format", r"'w': its storage '0' is not in", storages=())
    add("storage_short", "format", r"storage '0' has 20 bytes, not 24", storages=(("0", bytes(20)),))
    add("storage_long", "format", r"storage '0' has 28 bytes, not 24", storages=(("0", bytes(28)),))
    add("compressed", "unsupported", r"compressed", method=8)
    add("key_up", "format", r"storage '../x' is not in", key="../x")
    add("key_long", "format", r"is not in", key="k" * 5000)
    add("shape_over", "format", past, shape=(3, 3))
    add("offset_over", "format", past, offset=1)
    add("offset_negative", "format", past, offset=-1)
    add("offset_2_63", "format", past, offset=(1 << 63) - 1)
    add("stride_over", "format", past, strides=(4, 1))
    add("stride_negative", "format", past, strides=(-3, 1), offset=3)
    add("stride_2_62", "format", past, strides=(1 << 62, 1), shape=(9, 3))
    add("strides_few", "format", past, strides=(3,))
    add("shape_negative", "format|invalid", r"-2", shape=(-2, 3))
    add("shape_overflow", "limit", r"2\^46", shape=(1 << 40, 1 << 40), strides=(0, 0))
    add("expanded", "limit", r"memory limit|limit", shape=(1 << 20, 1 << 20), strides=(0, 0))
    add("storage_negative", "format", r"no torch storage", n=-1)
    add("storage_2_62", "format", r"too big", n=1 << 62)
    add("storage_unknown", "unsupported", r"'torch.QInt8Storage'", kind="QInt8Storage")
    add("not_storage", "format", r"no torch storage", word="module")
    add("big_endian", "unsupported", r"little-endian", byteorder=b"big")
    add("two_pickles", "format|unsupported", r"no array|several", more=(("other/data.pkl", b"x"),))
    good = torch_file(P + b"}" + text("w") + tensor() + b"s.", (("0", bytes(24)),))
    at = good.index(b"cpu")
    case("pt_checksum", good[:at] + b"gpu" + good[at + 3:], "format", r"data.pkl.*checksum")
    at = good.index(b"data/0") + 6
    case("pt_storage_checksum", good[:at] + b"\x01" + good[at + 1:], "format", r"storage '0'.*checksum")
    case("pt_os", torch_file(P + named("os", "system") + text("x") + b"\x85R."), "unsupported",
         r"data.pkl.*'os\.system'")
    case("pt_empty_pickle", torch_file(b""), "format", r"data.pkl")
    case("pt_list", torch_file(P + b"]."), "format", r"no dictionary")


MAGIC = P + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
MACHINE = P + b"}" + text("little_endian") + b"\x88s."


def keys(*names):
    return P + b"](" + b"".join(text(n) for n in names) + b"e."


def stored(n, contents):
    return struct.pack("<q", n) + contents


def before_zip(version=P + b"M\xe9\x03.", machine=MACHINE, thing=None, listed=None, rest=None):
    """A file of torch.save from before its zip archives."""
    thing = P + b"}" + text("w") + tensor() + b"s." if thing is None else thing
    return MAGIC + version + machine + thing + (keys("0") if listed is None else listed) + \
        (stored(6, bytes(24)) if rest is None else rest)


def older_torch_cases(case):
    def add(name, expect, pattern, **words):
        case("old_" + name, before_zip(**words), expect, pattern)
    add("good", "ok", "")
    add("version", "unsupported", r"protocol of torch.save", version=P + b"M\xe8\x03.")
    add("version_text", "unsupported", r"protocol of torch.save", version=P + text("1001") + b".")
    add("big_endian", "unsupported", r"little-endian",
        machine=P + b"}" + text("little_endian") + b"\x89s.")
    add("machine_number", "unsupported", r"little-endian",
        machine=P + b"}" + text("little_endian") + b"K\x01s.")
    add("no_storages", "format", r"no tensor has", thing=P + b"}.")
    two = P + b"}(" + text("v") + tensor(n=3, shape=(3,), strides=(1,)) + text("w") + tensor() + b"u."
    add("two_sizes", "format", r"storage '0' (is not in the file|has 6 elements)", thing=two)
    other = P + b"}(" + text("w") + tensor() + text("v") + tensor(key="1") + b"u."
    add("one_of_two_keys", "format", r"storage '1' is not in the file", thing=other)
    add("machine_int", "unsupported", r"little-endian", machine=P + b"K\x01.")
    add("keys_int", "format", r"no list", listed=P + b"K\x01.")
    add("keys_of_int", "format", r"no tensor has", listed=P + b"]K\x01a.")
    add("key_long", "format", r"no tensor has", listed=keys("0" * 100))
    add("key_unknown", "format", r"no tensor has", listed=keys("1"))
    add("key_lacks", "format", r"storage '0' is not in the file", listed=P + b"].", rest=b"")
    add("key_twice", "format", r"ends before storage '0'", listed=keys("0", "0"))
    add("short", "format", r"storage '0' has 6 elements of 4 bytes; .* 20 bytes are left",
        rest=stored(6, bytes(20)))
    add("long", "format", r"1 bytes follow the storages", rest=stored(6, bytes(25)))
    add("count_other", "format", r"has 5 elements of 4 bytes; 6 were said", rest=stored(5, bytes(24)))
    add("count_negative", "format", r"elements of 4 bytes", rest=stored(-1, bytes(24)))
    add("os", "unsupported", r"the object.*'os\.system'",
        thing=P + named("os", "system") + text("x") + b"\x85R.")
    add("list", "format", r"no dictionary", thing=P + b"].", listed=P + b"].", rest=b"")
    view = tensor().replace(b"tQ", b"(" + text("1") + number(0) + number(6) + b"ttQ")
    add("view", "unsupported", r"view of another", thing=P + b"}" + text("w") + view + b"s.")
    whole = before_zip()
    for cut in list(range(16, len(whole), 23)) + [len(whole) - 1]:
        case("old_cut_%d" % cut, whole[:cut], "format", r"byte \d+|are left")


def all_cases(case):
    machine(case)
    bombs(case)
    globals_(case)
    arrays(case)
    torch_cases(case)
    older_torch_cases(case)

"""Broken safetensors files, and broken sets of them."""

import json
import struct

import numpy as np
from good import safetensors_bytes

GOOD = safetensors_bytes({"w": ("f32", np.arange(6, dtype="float32").reshape(2, 3)),
                          "b": ("f32", np.zeros(3, "float32"))})


def raw(text, data=b"", length=None):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(shape="[2]", offsets="[0,8]", dtype='"F32"', more="", data=bytes(8)):
    return raw('{"w":{"dtype":%s,"shape":%s,"data_offsets":%s%s}}' % (dtype, shape, offsets, more),
               data)


def lengths(case):
    none = r"not a checkpoint"
    case("st_empty", b"", "format", none)
    case("st_7_bytes", bytes(7), "format", none)
    case("st_length_0", raw(b""), "format", none)
    case("st_length_0_data", raw(b"", b"{}", 0), "format", "not JSON")
    case("st_length_1", raw(b"{"), "format", r"byte \d+: not JSON")
    case("st_length_over", raw(b"{}", b"", 3), "format", none)
    case("st_length_100_mb", raw(b"{}", b"", 100000001), "format", none)
    case("st_length_2_63", raw(b"{}", b"", 1 << 63), "format", none)
    case("st_length_wraps", raw(b"{}", b"", (1 << 64) - 1), "format", none)
    case("st_header_17_mb", raw(b"{" + b" " * (17 << 20) + b"}"), "limit", r"16777216")
    for cut in (9, 20, len(GOOD) - 37, len(GOOD) - 1):
        case("st_cut_%d" % cut, GOOD[:cut], "format", r"not a checkpoint|not within")


def texts(case):
    case("st_not_utf8", raw(b'{"\xff\xfe":{}}'), "format", r"not JSON")
    case("st_not_json", raw(b"{hello}"), "format", r"byte \d+: not JSON")
    case("st_array", raw(b" []"), "format", r"no JSON object")
    case("st_nul_padding", raw(b"{}\0\0"), "format", r"byte \d+: not JSON")
    case("st_leading_nul", raw(b"\0{}"), "format", r"not a checkpoint")
    case("st_metadata_text", raw('{"__metadata__":{"a":"b"}}'), "ok", "")
    case("st_metadata_null", raw('{"__metadata__":null}'), "format", r"__metadata__")
    case("st_leading_space", raw(b"  {}"), "ok", "")
    case("st_duplicate", raw('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
                             '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
         "format", "duplicate")
    case("st_duplicate_escaped", raw('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
                                     '"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
         "format", "duplicate")
    case("st_surrogate", raw('{"\\ud800":{}}'), "format", "not JSON")
    case("st_nul_name", raw('{"a\\u0000b":{}}'), "format", "not JSON")
    case("st_metadata_number", raw('{"__metadata__":{"a":1}}'), "format", r"__metadata__.*'a'")
    case("st_metadata_list", raw('{"__metadata__":[]}'), "format", r"__metadata__")
    case("st_deep", raw(b'{"a":' + b"[" * 1000000 + b"]" * 1000000 + b"}"), "limit",
         r"byte \d+: .* 8 deep")
    many = ",".join('"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % i
                    for i in range(150000))
    case("st_many", raw("{" + many + "}"), "limit", r"300000 JSON values")
    case("st_name_5000", raw('{"%s":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' % ("n" * 5000)),
         "limit", r"5000 bytes; the limit is 4096")
    case("st_name_odd", raw('{"\\u001b[31m%%n\\n":{"dtype":"X","shape":[0],"data_offsets":[0,0]}}'),
         "unsupported", r"\\x1b\[31m")


def members(case):
    case("st_dtype_unknown", one(dtype='"F7"'), "unsupported", r"tensor 'w': dtype 'F7'")
    case("st_dtype_sub_byte", one(dtype='"F4"'), "unsupported", r"'F4'")
    case("st_dtype_f8", one(dtype='"F8_E4M3"'), "unsupported", r"'F8_E4M3'")
    case("st_dtype_number", one(dtype="1"), "format", r"dtype")
    case("st_no_dtype", raw('{"w":{"shape":[2],"data_offsets":[0,8]}}', bytes(8)), "format", "dtype")
    case("st_no_shape", raw('{"w":{"dtype":"F32","data_offsets":[0,8]}}', bytes(8)), "format", "shape")
    case("st_no_offsets", raw('{"w":{"dtype":"F32","shape":[2]}}', bytes(8)), "format", "data_offsets")
    case("st_extra_member", one(more=',"x":1'), "format", r"members other than")
    case("st_not_object", raw('{"w":5}'), "format", r"tensor 'w'.*no JSON object")
    for name, shape in (("negative", "[-2]"), ("real", "[2.0]"), ("exponent", "[2e0]"),
                        ("string", '["2"]'), ("null", "[null]")):
        case("st_shape_" + name, one(shape), "format", r"tensor 'w': shape\[0\]")
    case("st_shape_number", one("2"), "format", r"shape")
    case("st_shape_2_53", one("[9007199254740993]"), "limit|format", r"tensor 'w'")
    case("st_shape_2_64", one("[18446744073709551616]"), "format", r"not JSON.*integer")
    case("st_shape_overflow", one("[1099511627776,1099511627776]"), "limit", r"tensor 'w'")
    case("st_shape_wraps", one("[4194305,4194305,211106198978564]"), "limit", r"tensor 'w'")
    case("st_rank_9", one("[1,1,1,1,1,1,1,1,2]"), "unsupported", r"9 dimensions.*8")
    for name, offsets in (("reversed", "[8,0]"), ("over", "[0,9]"), ("far", "[9223372036854775800,"
                                                                       "9223372036854775807]")):
        case("st_offsets_" + name, one(offsets=offsets), "format", r"not within the 8 bytes")
    case("st_offsets_one", one(offsets="[0]"), "format", r"array of two")
    case("st_offsets_object", one(offsets="{}"), "format", r"array of two")
    case("st_offsets_text", one(offsets='"0,8"'), "format", r"array of two")
    case("st_offsets_negative", one(offsets="[-8,0]"), "format", r"data_offsets\[0\]")
    case("st_offsets_real", one(offsets="[0.0,8]"), "format", r"data_offsets\[0\]")
    case("st_offsets_three", one(offsets="[0,8,8]"), "format", r"array of two")
    case("st_size", one("[3]"), "format", r"8 bytes of data; \[3\] of f32 takes 12")


def places(case):
    def two(first, second, data):
        return raw('{"a":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]},'
                   '"b":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]}}' % (
                       first[1] - first[0], *first, second[1] - second[0], *second), bytes(data))
    case("st_overlap", two((0, 4), (2, 6), 6), "format", r"'b'.*overlap.* 4")
    case("st_same_place", two((0, 4), (0, 4), 4), "format", r"overlap")
    case("st_hole", two((0, 4), (5, 6), 6), "format", r"'b'.*hole")
    case("st_first_not_0", one(offsets="[4,12]", data=bytes(12)), "format", r"hole")
    case("st_trailing", GOOD + b"x", "format", r"1 bytes follow")
    case("st_polyglot", GOOD + b"PK\x05\x06" + bytes(18), "format", r"22 bytes follow")
    case("st_empty_shares", two((0, 4), (4, 4), 4), "ok", "")
    case("st_empty_inside", two((0, 4), (2, 2), 4), "format", r"overlap")


def shards(case):
    def index(places):
        return json.dumps({"weight_map": places}).encode()
    name = "model.safetensors.index.json"
    both = {"w": "one.safetensors", "b": "one.safetensors"}
    case.folder("sh_good", {name: index(both), "one.safetensors": GOOD}, "ok", "")
    for label, place in (("up", "../sh_good/one.safetensors"), ("absolute", "/etc/passwd"),
                         ("deep", "x/../../sh_good/one.safetensors")):
        case.folder("sh_" + label, {name: index({"w": place}), "one.safetensors": GOOD}, "invalid",
                    r"shard location .* (leads out|is an absolute)")
    case.folder("sh_link", {name: index({"w": "link"}), "link": "one.safetensors",
                            "one.safetensors": GOOD}, "invalid", r"symbolic link")
    case.folder("sh_missing", {name: index({"w": "two.safetensors"})}, "io", r"two.safetensors.*No such")
    case.folder("sh_twice", {name: index({"w": "one.safetensors", "b": "two.safetensors"}),
                             "one.safetensors": GOOD, "two.safetensors": GOOD}, "invalid",
                r"tensor '(b|w)' is there; the index has it in")
    case.folder("sh_extra", {name: index({"w": "one.safetensors"}), "one.safetensors": GOOD},
                "invalid", r"tensor 'b' is there; the index has it nowhere")
    case.folder("sh_absent", {name: index({**both, "c": "one.safetensors"}),
                              "one.safetensors": GOOD}, "invalid", r"tensor 'c' is not in")
    case.folder("sh_number", {name: index({"w": 5})}, "format", r"weight_map 'w'")
    case.folder("sh_map_list", {name: b'{"weight_map": []}'}, "format", r"weight_map is missing")
    case.folder("sh_list", {name: b"[1, 2]"}, "format", r"weight_map is missing|not a checkpoint")
    case.folder("sh_none", {name: index({})}, "ok", "")
    case.folder("sh_many", {name: index({"t%d" % i: "s%d" % i for i in range(2000)})}, "limit|io",
                r"limit|No such")
    case.folder("sh_no_map", {name: b"{}"}, "format", r"weight_map is missing")
    case.folder("sh_bad_shard", {name: index({"w": "one.safetensors"}), "one.safetensors": b"x"},
                "format", r"shard 'one.safetensors'")
    case.folder("sh_itself", {name: index({"w": name})}, "format", r"shard 'model.safe")


def folders(case):
    case.folder("dir_empty", {}, "io", r"no checkpoint in it")
    case.folder("dir_two", {"a.pth": b"x", "b.npz": b"y"}, "invalid", r"several files.*'[ab]\.")
    case.folder("dir_text", {"a.pth": b"hello"}, "format", r"a.pth: not a checkpoint")


def all_cases(case):
    lengths(case)
    texts(case)
    members(case)
    places(case)
    shards(case)
    folders(case)

"""Graphs and tensors that contradict themselves: rows 6, 10 to 14 and 25 to 27."""

import struct

from onnx_bytes import *

NODE = r"node '?n?\w*'? \(\w+\)"


def shape_of_graph(case):
    def g(nodes, inits=(), inputs=None, outputs=None):
        ins = [value_info("x", [1, 3, 8, 8])] if inputs is None else inputs
        outs = [value_info("y")] if outputs is None else outputs
        return model(graph(nodes, ins, outs, inits))

    relu = node("Relu", ["x"], ["y"])
    w = floats("w", [3])
    twice = r"'%s' is defined twice"
    case("init_twice", g([relu], [w, w]), "invalid", twice % "w")
    case("output_twice", g([relu, node("Abs", ["x"], ["y"])]), "invalid", twice % "y")
    case("output_is_input", g([node("Relu", ["x"], ["x"])]), "invalid", twice % "x")
    case("output_is_init", g([node("Relu", ["x"], ["w"]), relu], [w]), "invalid", twice % "w")
    case("output_in_node", g([node("Split", ["x"], ["y", "y"])]), "invalid", twice % "y")
    case("input_undefined", g([node("Relu", ["gone"], ["y"])]), "invalid",
         r"node 'n' \(Relu\): input 0: 'gone' is not defined")
    case("cycle", g([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]),
                     node("Relu", ["b"], ["y"])]), "invalid", r"'b' .*topological")
    case("self_loop", g([node("Add", ["x", "y"], ["y"])]), "invalid", r"'y' .*topological")
    case("out_of_order", g([node("Relu", ["a"], ["y"]), node("Abs", ["x"], ["a"])]), "invalid",
         r"'a' .*output of node 1")
    case("output_nobody", g([relu], outputs=[value_info("z")]), "invalid",
         r"output 0 \('z'\): nothing .*produces")
    case("input_dup", g([relu], inputs=[value_info("x", [1]), value_info("x", [1])]), "invalid",
         twice % "x")
    case("output_dup", g([relu], outputs=[value_info("y"), value_info("y")]), "invalid",
         r"output 1 \('y'\).*twice")
    case("input_nameless", g([relu], inputs=[value_info("", [1])]), "invalid", r"input 0 has no name")
    case("init_nameless", g([relu], [floats("", [1])]), "invalid", r"initializer 0.*no name")
    case("init_no_name", g([relu], [floats(None, [1])]), "invalid", r"initializer 0.*no name")
    case("no_outputs", g([relu], outputs=[]), "invalid", r"no outputs")
    case("dead_bad_node", g([relu, node("Conv", ["x", "w"], ["z"])], [w]), "invalid", r"Conv")
    case("relu_1000", g([node("Relu", ["x"] * 1000, ["y"])]), "invalid", r"Relu.*1000 inputs.*most 1")
    case("relu_0", g([node("Relu", [], ["y"])]), "invalid", r"Relu.*input 0 is missing")
    case("relu_empty", g([node("Relu", [""], ["y"])]), "invalid", r"Relu.*input 0 is missing")
    case("relu_10_out", g([node("Relu", ["x"], list("yabcdefghi"))]), "invalid", r"Relu.*10 outputs")
    case("relu_no_out", g([node("Relu", ["x"], []), relu]), "invalid", r"Relu.*0 outputs")
    case("conv_w_missing", g([node("Conv", ["x", ""], ["y"])]), "invalid", r"Conv.*input 1 is missing")
    case("add_100000", g([node("Sum", ["x"] * 100000, ["y"])]), "limit|invalid|ok", r"Sum|byte|")
    fan = [node("Add", ["v%d" % i if i else "x"] * 2, ["v%d" % (i + 1) if i < 59 else "y"])
           for i in range(60)]
    case("fan_60", g(fan), "ok", "")


def types(case):
    relu = node("Relu", ["x"], ["y"])

    def typed(info):
        return model(graph([relu], [info], [value_info("y")]))

    i0 = r"input 0 \('x'\)"
    case("no_type", typed(blob(1, "x")), "invalid", i0 + r".*no type")
    case("no_shape", typed(value_info("x")), "unsupported", i0 + r".*no shape")
    for t in (0, 8, 14, 15, 99, 999, -1, 1 << 31):
        case("elem_%d" % t, typed(value_info("x", [1], t)), "invalid|unsupported", i0 + r".*type")
    case("dim_minus", typed(value_info("x", [-5, 3])), "invalid", i0 + r".*-5")
    case("dim_min", typed(value_info("x", [-(1 << 63)])), "invalid", i0 + r".*-9223372036854775808")
    case("dim_0", typed(value_info("x", [0, 3])), "ok", "")
    case("dim_wrap", typed(value_info("x", [1 << 40, 1 << 40])), "invalid|limit", i0)
    case("dim_max", typed(value_info("x", [(1 << 63) - 1])), "invalid|limit", i0)
    case("dim_big", typed(value_info("x", [1 << 40])), "limit", r"memory|limit|bytes")
    case("dim_both", typed(blob(1, "x") + blob(2, blob(1, num(1, 1) + blob(2, blob(1,
         num(1, 3) + blob(2, "n")))))), "invalid|ok|format", r"")
    case("rank_9", typed(value_info("x", [1] * 9)), "unsupported", i0 + r".*rank 9.*8")
    case("rank_1000", typed(value_info("x", [1] * 1000)), "unsupported", i0 + r".*rank 1000.*8")
    wrong = model(graph([relu], [value_info("x", [1])], [value_info("y", [1], INT64)]))
    case("output_type", wrong, "invalid", r"output 'y' .*i64.*f32")
    # Declared shapes of outputs go stale in exporters; the computed one counts.
    wrong = model(graph([relu], [value_info("x", [4])], [value_info("y", [5])]))
    case("output_dims", wrong, "ok", "")
    wrong = model(graph([relu], [value_info("x", [4])], [value_info("y", [4, 1])]))
    case("output_rank", wrong, "ok", "")
    case("relu_bool", net([relu], dtype=BOOL), "unsupported|invalid", r"Relu.*bool")


def tensors(case):
    def one(t, op="Add"):
        return model(graph([node(op, ["x", "w"], ["y"])], [value_info("x", [4])],
                           [value_info("y")], [t]))

    w = r"initializer 0 \('w'\)"
    four = struct.pack("<4f", 1, 2, 3, 4)
    packed = blob(4, four)
    case("t_ok", one(tensor("w", [4], FLOAT, four)), "ok", "")
    case("t_typed", one(tensor("w", [4], FLOAT, None, packed)), "ok", "")
    for key, dims in {"minus": [-1], "min": [-(1 << 63)], "wrap": [1 << 32, 1 << 32],
                      "wrap4": [4194305, 4194305, 211106198978564], "max": [(1 << 63) - 1],
                      "bytes_wrap": [1 << 62], "two": [1 << 31, 1 << 31, 2]}.items():
        case("t_dims_" + key, one(tensor("w", dims, FLOAT, four)), "invalid|limit", w)
    case("t_rank_65", one(tensor("w", [1] * 65, FLOAT, four)), "unsupported", w + r".*65.*8")
    case("t_short", one(tensor("w", [4], FLOAT, four[:12])), "invalid", w + r".*12.*16")
    case("t_long", one(tensor("w", [4], FLOAT, four + four)), "invalid", w + r".*32.*16")
    case("t_odd", one(tensor("w", [4], FLOAT, four[:15])), "invalid", w + r".*15.*16")
    case("t_none", one(tensor("w", [4])), "invalid", w)
    case("t_both", one(tensor("w", [4], FLOAT, four, packed)), "invalid", w + r".*float_data")
    case("t_wrong_field", one(tensor("w", [4], FLOAT, None, num(5, 1) * 4)), "invalid",
         w + r".*int32_data")
    case("t_typed_short", one(tensor("w", [4], FLOAT, None, packed[:-4].replace(b"\x10", b"\x0c", 1))),
         "invalid", w)
    for t in (0, 8, 14, 15, 23, 999, -1):
        case("t_type_%d" % t, one(tensor("w", [4], t, four)), "unsupported|invalid", w + r".*type")
    u8 = tensor("w", [4], UINT8, None, num(5, 300) + num(5, 1) * 3)
    case("t_u8_range", one(u8), "invalid", w + r".*300")
    half = tensor("w", [4], FLOAT16, None, num(5, 1 << 20) + num(5, 1) * 3)
    case("t_f16_range", one(half), "invalid", w + r".*1048576")
    case("t_bool_2", model(graph([node("Not", ["w"], ["y"])], [value_info("x", [4])],
                                 [value_info("y", None, BOOL)],
                                 [tensor("w", [2], BOOL, b"\x02\xff")])), "invalid|ok", r"")
    case("t_segment", one(tensor("w", [4], FLOAT, four, blob(3, num(1, 0) + num(2, 2)))),
         "unsupported|invalid", w)
    case("t_external_raw", one(tensor("w", [4], FLOAT, four, blob(13, blob(1, "location") +
         blob(2, "w.bin")) + num(14, 1))), "invalid", w)
    case("t_location_7", one(tensor("w", [4], FLOAT, four, num(14, 7))), "invalid", w)
    case("t_string", one(tensor("w", [1], STRING, None, blob(6, "a"))), "unsupported", w)
    for key, value in {"nan": float("nan"), "inf": float("inf"), "tiny": 1e-42}.items():
        case("t_" + key, one(floats("w", [4], value)), "ok", "")
    case("t_empty", net([node("Relu", ["x"], ["y"])], dims=(4,), initializers=[floats("w", [0])]),
         "ok", "")


def attributes(case):
    def conv(attrs, **kw):
        return net([node("Conv", ["x", "w"], ["y"], attrs=attrs, **kw)],
                   initializers=[floats("w", [4, 3, 3, 3])])

    one = attr("group", 1)
    case("a_twice", conv([one, one]), "invalid", r"Conv.*'group'.*twice")
    case("a_unknown", conv([attr("colour", 3)]), "unsupported", r"Conv.*'colour'.*not known")
    case("a_nameless", conv([num(3, 1) + num(20, 2)]), "invalid|unsupported", r"Conv.*name")
    lie = blob(1, "group") + num(8, 1) + num(20, 2)
    case("a_type_lies", conv([lie]), "invalid", r"Conv.*'group'")
    lie = blob(1, "strides") + num(3, 1) + num(20, 7)
    case("a_ints_lie", conv([lie]), "invalid", r"Conv.*'strides'")
    case("a_kind", conv([attr("group", 1.0)]), "invalid", r"Conv.*'group'.*float.*int")
    case("a_kind_999", conv([blob(1, "group") + num(3, 1) + num(20, 999)]), "invalid|unsupported",
         r"Conv.*'group'.*999")
    case("a_ref", conv([blob(1, "group") + blob(21, "outer") + num(20, 2)]), "invalid|unsupported",
         r"Conv.*'group'.*(outer|function)")
    case("a_string_nul", conv([blob(1, "auto_pad") + blob(4, b"VALID\0") + num(20, 3)]),
         "invalid|unsupported", r"Conv.*'?auto_pad'?")
    case("a_string_bad", conv([attr("auto_pad", "\x1b[2J%n")]), "invalid|unsupported",
         r"Conv.*auto_pad")
    case("a_graph", conv([blob(1, "group") + blob(6, graph([])) + num(20, 5)]), "invalid|unsupported",
         r"Conv.*'group'")
    many = [attr("a%d" % i, 1) for i in range(5000)]
    case("a_5000", conv(many), "limit|unsupported", r"5000|attribute|byte")
    missing = net([node("Cast", ["x"], ["y"])])
    case("a_missing", missing, "invalid", r"Cast.*'to' is missing")
    for to in (0, 8, 14, 999, -1, 1 << 40):
        case("a_cast_%d" % to, net([node("Cast", ["x"], ["y"], to=to)]), "invalid|unsupported",
             r"Cast.*%d|Cast.*type" % to)
    const = [node("Constant", [], ["c"]), node("Add", ["x", "c"], ["y"])]
    case("a_constant_none", net(const), "invalid", r"Constant")
    const = [node("Constant", [], ["c"], value=tensor(None, [1 << 40])),
             node("Add", ["x", "c"], ["y"])]
    case("a_constant_bomb", net(const), "invalid|limit", r"Constant")
    const = [node("Constant", [], ["c"], value_int=1, value_float=1.0),
             node("Add", ["x", "c"], ["y"])]
    case("a_constant_two", net(const), "invalid", r"Constant")


def chain(length, op="Relu"):
    nodes = [node(op, ["v%d" % i if i else "x"], ["v%d" % (i + 1) if i + 1 < length else "y"],
                  name=None) for i in range(length)]
    return net(nodes, dims=(1,))


def sizes(case):
    case("chain_10000", chain(10000), "ok", "")
    case("chain_identity_10000", chain(10000, "Identity"), "ok", "")
    wide = [node("Relu", ["x"], ["y" if i == 0 else "v%d" % i]) for i in range(10000)]
    case("wide_10000", net(wide), "ok", "")
    folded = [node("Relu", ["w" if i == 0 else "v%d" % i], ["v%d" % (i + 1)]) for i in range(5000)]
    folded += [node("Add", ["x", "v5000"], ["y"])]
    case("folded_5000", net(folded, initializers=[floats("w", [1])]), "ok", "")


def all_cases(case):
    shape_of_graph(case)
    types(case)
    tensors(case)
    attributes(case)
    sizes(case)

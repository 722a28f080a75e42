"""Operators with impossible attributes and shapes: rows 18 to 24 and 29."""

import struct

from onnx_bytes import *

MIN, MAX = -(1 << 63), (1 << 63) - 1
BAD = "invalid|unsupported|limit"


def convolutions(case):
    def conv(case_name, expect=BAD, regex=None, w=(4, 3, 3, 3), dims=(1, 3, 8, 8), b=None, **kw):
        inits = [floats("w", w)] + ([floats("b", b)] if b is not None else [])
        ins = ["x", "w"] + (["b"] if b is not None else [])
        case("conv_" + case_name, net([node("Conv", ins, ["y"], **kw)], dims, inits), expect,
             regex or r"node 'n' \(Conv\)")

    conv("ok", "ok", "")
    for g in (0, -1, 1 << 31, 1 << 62, MIN):
        conv("group_%d" % g, group=g, regex=r"Conv.*group.*%d" % g)
    conv("group_2", group=2, regex=r"Conv.*(group|channels)")
    conv("m_group", w=(4, 1, 3, 3), group=3, regex=r"Conv.*group is 3.*4")
    conv("channels", w=(4, 5, 3, 3), regex=r"Conv.*\b[35]\b")
    conv("w_rank", w=(4, 3, 3), regex=r"Conv.*\[4, ?3, ?3\]|Conv.*rank")
    conv("x_rank", dims=(3, 8), regex=r"Conv.*rank|Conv.*\[3, ?8\]")
    conv("bias", b=(5,), regex=r"Conv.*5")
    conv("bias_rank", b=(4, 1), regex=r"Conv.*rank|Conv.*\[4, ?1\]")
    for k in ([0, 3], [-1, 3], [3, 4], [1 << 31, 3], [3], [3, 3, 3]):
        conv("kernel_%s" % "_".join(map(str, k)), kernel_shape=k, regex=r"Conv.*kernel")
    for key in ("strides", "dilations"):
        for v in (0, -1, 1 << 31, 1 << 62, MIN):
            conv("%s_%d" % (key, v), **{key: [v, 1]},
                 expect=BAD + "|ok" if key == "strides" and v > 0 else BAD, regex=r"Conv|^$")
        conv(key + "_rank", **{key: [1, 1, 1]}, regex=r"Conv.*" + key)
    for p in (-1, 1 << 40, 1 << 62, MAX, MIN):
        conv("pads_%d" % p, pads=[p, 0, 0, 0], regex=r"Conv.*(pad|%d)" % p)
    conv("pads_rank", pads=[1, 1], regex=r"Conv.*pads")
    conv("pads_auto", pads=[1, 1, 1, 1], auto_pad="SAME_UPPER", expect=BAD + "|ok", regex="")
    conv("auto_pad", auto_pad="SIDEWAYS", regex=r"Conv.*auto_pad.*SIDEWAYS")
    conv("kernel_big", w=(4, 3, 9, 9), regex=r"Conv")
    conv("empty_kernel", w=(4, 3, 0, 3), regex=r"Conv")
    conv("no_channels", w=(4, 0, 3, 3), dims=(1, 0, 8, 8), expect="ok|" + BAD, regex="")
    conv("no_outputs", w=(0, 3, 3, 3), expect="ok|" + BAD, regex="")
    conv("no_batch", dims=(0, 3, 8, 8), expect="ok", regex="")
    conv("no_pixels", dims=(1, 3, 0, 8), regex=r"Conv")
    case("conv_int", net([node("Conv", ["x", "w"], ["y"])], dtype=INT64,
         initializers=[floats("w", [4, 3, 3, 3])]), BAD, r"Conv.*(i64|type)")


def pools(case):
    for op in ("MaxPool", "AveragePool"):
        def pool(name, expect=BAD, regex=r"node 'n' \(\w+Pool\)", dims=(1, 3, 8, 8), **kw):
            case("%s_%s" % (op.lower(), name), net([node(op, ["x"], ["y"], **kw)], dims), expect,
                 regex)

        pool("no_kernel", regex=op + r".*'kernel_shape' is missing")
        for k in (0, -1, 1 << 31, 1 << 62, MIN):
            pool("kernel_%d" % k, kernel_shape=[k, 2], regex=op + r".*kernel")
        pool("kernel_rank", kernel_shape=[2], regex=op + r".*kernel")
        for key in ("strides", "dilations") if op == "MaxPool" else ("strides",):
            for v in (0, -1, MIN):
                pool("%s_%d" % (key, v), kernel_shape=[2, 2], **{key: [v, 1]}, regex=op)
            pool("%s_huge" % key, kernel_shape=[2, 2], **{key: [1 << 62, 1]}, expect=BAD + "|ok",
                 regex="")
        pool("pads_ge_kernel", kernel_shape=[2, 2], pads=[2, 2, 2, 2], expect=BAD + "|ok", regex="")
        pool("pads_huge", kernel_shape=[2, 2], pads=[1 << 40, 0, 0, 0], regex=op + r".*pad")
        pool("pads_minus", kernel_shape=[2, 2], pads=[-1, 0, 0, 0], regex=op + r".*pad")
        pool("ceil_pad", kernel_shape=[3, 3], strides=[3, 3], pads=[0, 0, 2, 2], ceil_mode=1,
             expect=BAD + "|ok", regex="")
        pool("rank_2", kernel_shape=[2], dims=(3, 8), regex=op)
        pool("rank_8", kernel_shape=[1] * 6, dims=(1,) * 8, regex="", expect=BAD + "|ok")
    case("maxpool_order", net([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2],
                                    storage_order=7)]), BAD + "|ok", r"")


def norms(case):
    def bn(name, regex, n=3, expect=BAD, short=None, **kw):
        inits = [floats(k, [1 if k == short else n]) for k in "sbmv"]
        case("bn_" + name, net([node("BatchNormalization", ["x"] + list("sbmv"), ["y"], **kw)],
                               initializers=inits), expect, regex)

    bn("ok", "", expect="ok")
    bn("length", r"BatchNorm.*\b4\b", n=4)
    bn("mean", r"BatchNorm.*", short="m")
    bn("training", r"BatchNorm.*training", training_mode=1, expect=BAD + "|ok")
    bn("epsilon_nan", r"BatchNorm.*epsilon", epsilon=float("nan"), expect=BAD + "|ok")
    ln = lambda a: net([node("LayerNormalization", ["x", "w"], ["y"], axis=a)],
                       initializers=[floats("w", [8])])
    for a in (4, -5, MIN, MAX):
        case("ln_axis_%d" % a, ln(a), BAD, r"LayerNorm.*axis %d" % a)
    case("ln_scale", net([node("LayerNormalization", ["x", "w"], ["y"])],
                         initializers=[floats("w", [7])]), BAD, r"LayerNorm.*7")
    gn = net([node("GroupNormalization", ["x", "w", "w"], ["y"], num_groups=0)],
             initializers=[floats("w", [3])], opset=21)
    case("gn_groups_0", gn, BAD, r"GroupNorm.*(num_groups|0)")
    case("in_scale", net([node("InstanceNormalization", ["x", "w", "w"], ["y"])],
                         initializers=[floats("w", [4])]), BAD, r"InstanceNorm")
    case("lrn_0", net([node("LRN", ["x"], ["y"], size=0)]), BAD, r"LRN.*size")
    case("lrn_huge", net([node("LRN", ["x"], ["y"], size=MAX)]), BAD + "|ok", r"")


def weights(case):
    """Numbers that are none, or hardly any: arithmetic has an answer to them."""
    for name, value in {"nan": float("nan"), "inf": float("inf"), "minus_inf": float("-inf"),
                        "denormal": 1e-45, "largest": 3.4e38}.items():
        raw = struct.pack("<f", value)
        case("weights_" + name, net([node("Conv", ["x", "w"], ["y"])], initializers=[
            tensor("w", [4, 3, 3, 3], FLOAT, raw * 108)]), "ok", "")
        case("variance_" + name, net([node("BatchNormalization", ["x"] + list("sbmv"), ["y"])],
             initializers=[floats(k, [3]) for k in "sbm"] + [tensor("v", [3], FLOAT, raw * 3)]),
             "ok", "")
    case("variance_minus", net([node("BatchNormalization", ["x"] + list("sbmv"), ["y"])],
         initializers=[floats(k, [3]) for k in "sbm"] +
         [tensor("v", [3], FLOAT, struct.pack("<f", -4.0) * 3)]), "ok", "")


def reshapes(case):
    def to(name, values, regex=r"Reshape", expect=BAD, **kw):
        case("reshape_" + name, net([node("Reshape", ["x", "s"], ["y"], **kw)],
                                    initializers=[ints("s", values)]), expect, regex)

    to("ok", [3, -1], "", "ok")
    to("wrap", [1 << 32, 1 << 32])
    to("two_minus", [-1, -1], r"Reshape.*-1")
    to("minus_zero", [-1, 0], r"", BAD + "|ok")
    to("minus5", [-5], r"Reshape.*-5")
    to("wrap_2", [1 << 62, 4])
    to("zeros", [0] * 5, r"Reshape.*")
    to("max", [MAX], r"Reshape.*%d" % MAX)
    to("min", [MIN], r"Reshape.*%d" % MIN)
    to("empty", [])
    to("count", [7, -1], r"Reshape.*7")
    to("allowzero", [0, -1], r"Reshape", allowzero=1)
    to("rank_9", [1] * 8 + [192], r"Reshape.*(9|rank)")
    case("reshape_dynamic", model(graph([node("Reshape", ["x", "s"], ["y"])],
         [value_info("x", [4]), value_info("s", [1], INT64)], [value_info("y")])), BAD + "|ok",
         r"'s'")
    case("reshape_float", net([node("Reshape", ["x", "s"], ["y"])],
                              initializers=[floats("s", [1])]), BAD, r"Reshape.*f32")
    case("flatten_axis", net([node("Flatten", ["x"], ["y"], axis=9)]), BAD, r"Flatten.*axis 9")
    for values in ([1], [9], [MIN], [0, 0], [-9]):
        for op in ("Squeeze", "Unsqueeze"):
            if (op, values) == ("Unsqueeze", [1]):
                continue
            case("%s_%s" % (op.lower(), values[0] if len(values) == 1 else "dup"),
                 net([node(op, ["x", "a"], ["y"])], (1, 3), [ints("a", values)]),
                 BAD if values != [0, 0] or op == "Unsqueeze" else BAD + "|ok", op)


def moves(case):
    for key, perm in {"dup": [0, 0, 1, 2], "range": [0, 1, 2, 4], "minus": [0, 1, 2, -1],
                      "short": [0, 1], "long": [0, 1, 2, 3, 4], "min": [MIN, 1, 2, 3]}.items():
        case("perm_" + key, net([node("Transpose", ["x"], ["y"], perm=perm)]), BAD, r"Transpose.*perm")
    for axis in (99, -99, MIN, MAX):
        case("concat_%d" % axis, net([node("Concat", ["x", "x"], ["y"], axis=axis)]), BAD,
             r"Concat.*axis %d" % axis)
        case("softmax_%d" % axis, net([node("Softmax", ["x"], ["y"], axis=axis)]), BAD,
             r"Softmax.*axis %d" % axis)
        case("argmax_%d" % axis, net([node("ArgMax", ["x"], ["y"], axis=axis)]), BAD,
             r"ArgMax.*axis %d" % axis)
        case("gather_axis_%d" % axis, net([node("Gather", ["x", "i"], ["y"], axis=axis)],
             initializers=[ints("i", [0])]), BAD, r"Gather.*axis %d" % axis)
        case("reduce_%d" % axis, net([node("ReduceMean", ["x"], ["y"], axes=[axis])]), BAD,
             r"ReduceMean.*%d" % axis)
    for i in (99, -99, MIN, MAX):
        case("gather_%d" % i, net([node("Gather", ["x", "i"], ["y"], axis=1)],
             initializers=[ints("i", [i])]), BAD, r"Gather.*%d" % i)
    def slice_of(name, starts, ends, axes, steps, expect=BAD, regex=r"Slice"):
        inits = [ints(k, v) for k, v in zip("abcd", (starts, ends, axes, steps))]
        case("slice_" + name, net([node("Slice", ["x", "a", "b", "c", "d"], ["y"])],
                                  initializers=inits), expect, regex)
    slice_of("step_0", [0], [8], [3], [0], regex=r"Slice.*step")
    slice_of("extreme", [MIN], [MAX], [3], [MAX], "ok", "")
    slice_of("backwards", [MAX], [MIN], [3], [MIN], "ok", "")
    slice_of("min_step", [MAX], [MIN], [3], [MIN + 1], "ok", "")
    slice_of("axis", [0], [1], [9], [1], regex=r"Slice.*axis 9")
    slice_of("axis_dup", [0, 0], [1, 1], [3, 3], [1, 1], regex=r"Slice.*axis|Slice.*twice")
    slice_of("lengths", [0, 0], [1], [3], [1])
    for p in (1 << 40, MAX, MIN, -100):
        case("pad_%d" % p, net([node("Pad", ["x", "p"], ["y"])],
             initializers=[ints("p", [0, 0, 0, p, 0, 0, 0, 0])]), BAD, r"Pad|limit|bytes")
    case("pad_wrap", net([node("Pad", ["x", "p"], ["y"])],
         initializers=[ints("p", [0, 0, MAX, MAX, 0, 0, MAX, MAX])]), BAD, r"Pad")
    case("pad_reflect", net([node("Pad", ["x", "p"], ["y"], mode="reflect")],
         initializers=[ints("p", [0, 0, 0, 99, 0, 0, 0, 0])]), BAD + "|ok", r"")
    case("pad_mode", net([node("Pad", ["x", "p"], ["y"], mode="mirror\x1b")],
         initializers=[ints("p", [0] * 8)]), BAD, r"Pad.*mode.*mirror")
    case("split_sizes", net([node("Split", ["x", "s"], ["y", "z"], axis=1)],
         initializers=[ints("s", [2, 2])]), BAD, r"Split")
    case("split_wrap", net([node("Split", ["x", "s"], ["y", "z"], axis=1)],
         initializers=[ints("s", [MAX, MIN + 4])]), BAD, r"Split")
    case("d2s_0", net([node("DepthToSpace", ["x"], ["y"], blocksize=0)]), BAD, r"DepthToSpace")
    case("s2d_0", net([node("SpaceToDepth", ["x"], ["y"], blocksize=0)]), BAD, r"SpaceToDepth")
    case("d2s_huge", net([node("DepthToSpace", ["x"], ["y"], blocksize=1 << 40)]), BAD,
         r"DepthToSpace")
    for k in (-1, 9, MAX):
        case("topk_%d" % k, net([node("TopK", ["x", "k"], ["y", "i"])],
             initializers=[ints("k", [k])]), BAD, r"TopK.*%d" % k)


def resizes(case):
    for key, s in {"zero": 0.0, "minus": -1.0, "inf": float("inf"), "nan": float("nan"),
                   "huge": 1e9, "tiny": 1e-30}.items():
        raw = struct.pack("<4f", 1, 1, s, 1)
        case("resize_" + key, net([node("Resize", ["x", "", "s"], ["y"])],
             initializers=[tensor("s", [4], FLOAT, raw)]), BAD + ("|ok" if key == "tiny" else ""),
             r"Resize|limit")
    for n in (-1, MAX, 1 << 40):
        case("resize_to_%d" % n, net([node("Resize", ["x", "", "", "z"], ["y"])],
             initializers=[ints("z", [1, 3, n, 8])]), BAD, r"Resize|limit|bytes")
    case("resize_none", net([node("Resize", ["x"], ["y"])]), BAD, r"Resize")


def products(case):
    w = [floats("w", [7, 5])]
    case("matmul_dims", net([node("MatMul", ["x", "w"], ["y"])], initializers=w), BAD, r"MatMul.*8.*7")
    case("matmul_scalar", net([node("MatMul", ["x", "w"], ["y"])], initializers=[floats("w", [])]),
         BAD, r"MatMul")
    case("matmul_k0", net([node("MatMul", ["x", "w"], ["y"])], (2, 0), [floats("w", [0, 5])]), "ok",
         "")
    case("gemm_dims", net([node("Gemm", ["x", "w"], ["y"])], (2, 8), w), BAD, r"Gemm.*8.*7")
    case("gemm_rank", net([node("Gemm", ["x", "w"], ["y"])], initializers=w), BAD, r"Gemm.*rank")
    case("gemm_k0", net([node("Gemm", ["x", "w"], ["y"])], (2, 0), [floats("w", [0, 5])]), "ok", "")
    case("gemm_c", net([node("Gemm", ["x", "w", "c"], ["y"])], (2, 7), w + [floats("c", [4])]), BAD,
         r"Gemm")
    case("add_shapes", net([node("Add", ["x", "w"], ["y"])], initializers=w), BAD, r"Add.*broadcast")
    case("einsum", net([node("Einsum", ["x"], ["y"], equation="ij->ijk%n")], (2, 2)), BAD, r"Einsum")
    for op in ("Div", "Mod"):
        zero = [tensor("w", [1], INT64, bytes(8))]
        case("int_%s_0" % op.lower(), net([node(op, ["x", "w"], ["y"])], (2,), zero, INT64), "ok|" + BAD,
             r"")
        low = [tensor("w", [1], INT64, struct.pack("<q", MIN)),
               tensor("v", [1], INT64, struct.pack("<q", -1))]
        nodes = [node(op, ["w", "v"], ["q"]), node("Add", ["x", "q"], ["y"])]
        case("int_%s_min" % op.lower(), net(nodes, (2,), low, INT64), "ok", "")


def memory(case):
    def fill(name, dims, regex=r"ConstantOfShape", expect=BAD):
        nodes = [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])]
        case("fill_" + name, net(nodes, (1,), [ints("s", dims)]), expect, regex)

    fill("2_29", [1 << 29], r"ConstantOfShape.*2147483648")
    fill("2_34", [1 << 34], r"ConstantOfShape.*68719476736")
    fill("2_44", [1 << 44])
    fill("minus", [-1], r"ConstantOfShape.*-1")
    fill("wrap", [1 << 32, 1 << 32])
    fill("max", [MAX])
    fill("zero", [0, MAX], "", BAD + "|ok")
    rng = [node("Range", ["a", "b", "c"], ["r"]), node("Add", ["x", "r"], ["y"])]
    for key, (a, b, c) in {"step_0": (0, 5, 0), "huge": (0, MAX, 1), "full": (MIN, MAX, 1)}.items():
        inits = [scalar_int("a", a), scalar_int("b", b), scalar_int("c", c)]
        case("range_" + key, net(rng, (1,), inits, INT64), BAD, r"Range")
    case("onehot", net([node("OneHot", ["i", "d", "v"], ["h"]), node("Add", ["x", "h"], ["y"])],
         (1,), [ints("i", [0]), scalar_int("d", 1 << 60), floats("v", [2])]), BAD, r"OneHot")
    case("eyelike", net([node("ConstantOfShape", ["s"], ["c"]), node("EyeLike", ["c"], ["e"]),
         node("Add", ["x", "e"], ["y"])], (1,), [ints("s", [1 << 20, 1 << 20])]), BAD, r"node")
    for n in (1 << 40, -1, MAX, MIN):
        case("tile_%d" % n, net([node("Tile", ["x", "r"], ["y"])],
             initializers=[ints("r", [1, 1, 1, n])]), BAD, r"Tile|limit|bytes")
        case("expand_%d" % n, net([node("Expand", ["x", "r"], ["y"])], (1,),
             [ints("r", [n])]), BAD, r"Expand|limit|bytes")
    case("expand_wrap", net([node("Expand", ["x", "r"], ["y"])], (1,), [ints("r", [1 << 20] * 8)]),
         BAD, r"Expand")
    for length in (20, 40, 70):
        nodes = [node("Concat", ["v%d" % i if i else "x"] * 2,
                      ["v%d" % (i + 1) if i + 1 < length else "y"], axis=0, name="c%d" % i)
                 for i in range(length)]
        case("doubling_%d" % length, net(nodes, (64,)), "ok" if length == 20 else BAD,
             "" if length == 20 else r"c\d+|limit|bytes")
        folded = [node("Concat", ["w" if i == 0 else "v%d" % i] * 2, ["v%d" % (i + 1)], axis=0,
                       name="c%d" % i) for i in range(length)]
        folded += [node("ReduceMax", ["v%d" % length], ["m"]), node("Add", ["x", "m"], ["y"])]
        case("doubling_folded_%d" % length, net(folded, (1,), [floats("w", [64])]),
             "ok" if length == 20 else BAD, "" if length == 20 else r"node 'c\d+' \(Concat\).*limit")
    case("conv_pad_bomb", net([node("Conv", ["x", "w"], ["y"], pads=[30000, 30000, 30000, 30000])],
         initializers=[floats("w", [64, 3, 1, 1])]), BAD, r"Conv|limit")
    case("upsample", net([node("ConvTranspose", ["x", "w"], ["y"])],
         initializers=[floats("w", [3, 3, 1, 1])]), BAD + "|ok", r"")


def quantised(case):
    def q(name, scale, zero, dtype=UINT8, regex=r"QuantizeLinear", expect=BAD, dims=(), **kw):
        raw = struct.pack("<f", scale) * (dims[0] if dims else 1)
        inits = [tensor("s", dims, FLOAT, raw), tensor("z", [], dtype, zero)]
        nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"], **kw),
                 node("DequantizeLinear", ["q", "s", "z"], ["y"], **kw)]
        case("q_" + name, net(nodes, initializers=inits), expect, regex)

    q("ok", 0.1, b"\x80", expect="ok", regex="")
    q("zero_type", 0.1, bytes(8), INT64)
    q("scale_length", 0.1, b"\x80", dims=(5,))
    q("scale_0", 0.0, b"\x80", expect=BAD + "|ok", regex="")
    q("scale_minus", -0.1, b"\x80", expect=BAD + "|ok", regex="")
    q("scale_inf", float("inf"), b"\x80", expect=BAD + "|ok", regex="")
    q("scale_nan", float("nan"), b"\x80", expect=BAD + "|ok", regex="")
    q("axis", 0.1, b"\x80", dims=(3,), axis=9)


def all_cases(case):
    convolutions(case)
    pools(case)
    norms(case)
    weights(case)
    reshapes(case)
    moves(case)
    resizes(case)
    products(case)
    memory(case)
    quantised(case)

"""Branches, loops and sequences as exporters write them, by hand, with results from NumPy; and
scripted modules, whose control flow PyTorch's own exporter keeps."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import torch
from torch import nn

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def n(op, inputs, outputs, **attrs):
    return helper.make_node(op, inputs.split(), outputs.split(), **attrs)


def body(nodes, inputs="", outputs="", inits=()):
    """A subgraph; types are left to the runtime, as exporters often leave them."""
    untyped = [[helper.make_empty_tensor_value_info(v) for v in names.split()]
               for names in (inputs, outputs)]
    return helper.make_graph(nodes, "inner", *untyped, list(inits))


def const(name, value, dtype=np.int64):
    return numpy_helper.from_array(np.asarray(value, dtype), name)


class Hand:
    """A graph of input x and outputs y (and more), with the results expected of `x`."""

    def __init__(self, name, nodes, x, expect, inits=(), opset=17, dynamic=False):
        self.name, self.nodes, self.x, self.inits, self.opset = name, nodes, x, inits, opset
        self.expect = expect if isinstance(expect, tuple) else (expect,)
        self.dynamic = dynamic

    def write(self, root):
        folder = os.path.join(root, self.name)
        data = os.path.join(folder, "test_data_set_0")
        os.makedirs(data, exist_ok=True)
        shape = [f"d{i}" for i in range(self.x.ndim)] if self.dynamic else self.x.shape
        names = ["y", "z"][:len(self.expect)]
        outputs = [helper.make_tensor_value_info(v, F32, [None] * e.ndim)
                   for v, e in zip(names, self.expect)]
        graph = helper.make_graph(self.nodes, "main", [
            helper.make_tensor_value_info("x", F32, shape)], outputs, list(self.inits))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        onnx.save(model, os.path.join(folder, "model.onnx"))
        tensors = [("input_0", self.x)]
        tensors += [(f"output_{i}", e.astype(np.float32)) for i, e in enumerate(self.expect)]
        for name, array in tensors:
            with open(os.path.join(data, name + ".pb"), "wb") as f:
                f.write(numpy_helper.from_array(np.ascontiguousarray(array)).SerializeToString())


def image(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


# ---- as_strided: torchlib's loop over the dimensions, a sequence of ones, a branch in the loop ----

def as_strided(size, stride, offset):
    grow = body([n("ConcatFromSequence", "seq", "ones", axis=0), n("Cast", "dim", "f", to=F32),
                 n("Concat", "f ones", "joined", axis=0), n("Cast", "joined", "s", to=I64)],
                outputs="s")
    step = [
        n("Sub", "rank i", "t"), n("Sub", "t one", "j"), n("Reshape", "j minus", "jt"),
        n("Gather", "size jt", "dim", axis=0), n("Slice", "size jt rank1", "after"),
        n("Gather", "stride jt", "by", axis=0), n("Expand", "at after", "spread"),
        n("Range", "zero dim one", "counts"), n("Mul", "counts by", "add"),
        n("Equal", "i zero", "first"),
        n("If", "first", "shape", then_branch=body([n("Identity", "dim", "s0")], outputs="s0"),
          else_branch=grow),
        n("Reshape", "add shape", "added"), n("Add", "spread added", "at2"),
        n("SequenceInsert", "seq float1", "seq2"), n("Identity", "go", "go2")]
    nodes = [n("SequenceEmpty", "", "none"),
             helper.make_node("Loop", ["rank", "", "none", "zero"], ["seqs", "index"],
                              body=body(step, "i go seq at", "go2 seq2 at2")),
             n("Reshape", "x minus", "flat"), n("Add", "index offset", "moved"),
             n("Gather", "flat moved", "y")]
    inits = [const("size", size), const("stride", stride), const("offset", offset),
             const("rank", len(size)), const("rank1", [len(size)]), const("zero", 0),
             const("one", 1), const("minus", [-1]), const("float1", [1], np.float32)]
    x = image(2, 5, 7)
    wanted = torch.as_strided(torch.from_numpy(x), size, stride, offset).numpy()
    name = "as_strided_" + "_".join(map(str, size))
    return Hand("control_" + name, nodes, x, wanted, inits, opset=18)


# ---- branches -------------------------------------------------------------------------------------

def branches():
    x = image(1, 3, 4)
    # TorchScript's squeeze: only if the dimension is 1, which only the shape tells
    squeeze = [n("Shape", "x", "shape"), n("Gather", "shape zero", "d", axis=0),
               n("Equal", "d one", "is1"),
               n("If", "is1", "y",
                 then_branch=body([n("Squeeze", "x axes", "a")], outputs="a"),
                 else_branch=body([n("Identity", "x", "b")], outputs="b"))]
    inits = [const("zero", 0), const("one", 1), const("axes", [0])]
    for opset, dynamic in ((13, False), (16, True)):
        yield Hand(f"control_squeeze_{opset}", squeeze, x, x[0], inits, opset, dynamic)
    y = image(2, 3, 4)
    yield Hand("control_squeeze_not", squeeze, y, y, inits, 13, True)
    # two outputs, weights inside the branch, values of both graphs around, a branch in a branch
    w = image(4, 5)
    inner = body([n("MatMul", "h w", "p"), n("Relu", "x", "q")], outputs="p q",
                 inits=[const("w", w, np.float32)])
    outer = body([n("Neg", "x", "h"),
                  n("If", "yes", "p2 q2", then_branch=inner,
                    else_branch=body([], outputs="h x"))], outputs="p2 q2")
    yield Hand("control_nested", [n("If", "yes", "y z", then_branch=outer,
                                    else_branch=body([], outputs="x x"))], x,
               (-x @ w, np.maximum(x, 0)), [const("yes", True, bool)])
    # the branch not taken may be one that could not be run
    wrong = body([n("Reshape", "x zero1", "r")], outputs="r", inits=[const("zero1", [7, 7])])
    yield Hand("control_other_is_wrong", [
        n("If", "no", "y", then_branch=wrong, else_branch=body([n("Abs", "x", "a")], outputs="a"))],
        x, np.abs(x), [const("no", False, bool)])


# ---- loops ----------------------------------------------------------------------------------------

def loops():
    x = image(2, 6)
    ws = image(3, 6, 6) * 0.4
    # layers of equal shape by number: weights from a table, results of all layers stacked
    layer = [n("Gather", "ws i", "w", axis=0), n("MatMul", "v w", "p"), n("Tanh", "p", "v2"),
             n("ReduceSum", "v2", "s", keepdims=0), n("Identity", "go", "go2")]
    run, sums = x, []
    for w in ws:
        run = np.tanh(run @ w)
        sums.append(run.sum())
    yield Hand("control_layers", [
        helper.make_node("Loop", ["three", "", "x"], ["y", "z"],
                         body=body(layer, "i go v", "go2 v2 s"))],
        x, (run, np.array(sums)), [const("three", 3), const("ws", ws, np.float32)])
    # a condition that ends it, the trip count as an upper bound; i is seen by the body
    step = [n("Cast", "i", "f", to=F32), n("Add", "v f", "v2"), n("Less", "i two", "go2")]
    yield Hand("control_while", [
        helper.make_node("Loop", ["many", "yes", "x"], ["y"], body=body(step, "i go v", "go2 v2"))],
        x, x + 0 + 1 + 2, [const("many", 1000), const("two", 2), const("yes", True, bool)], 11)
    # a loop in a loop, the inner one's count given by the outer one's number
    inner = [n("Mul", "u half", "u2"), n("Identity", "go", "go2")]
    outer = [helper.make_node("Loop", ["i", "", "v"], ["v2"],
                              body=body(inner, "k go u", "go2 u2")), n("Identity", "go", "go3")]
    yield Hand("control_loop_in_loop", [
        helper.make_node("Loop", ["three", "", "x"], ["y"], body=body(outer, "i go v", "go3 v2"))],
        x, x / 8, [const("three", 3), const("half", 0.5, np.float32)])
    # as many times as there are rows, each added to the sum of those before: a cumulative sum
    rows = [n("Gather", "x i", "row", axis=0), n("Add", "v row", "v2"),
            n("Identity", "v2", "s"), n("Identity", "go", "go2")]
    yield Hand("control_rows", [
        n("Shape", "x", "shape"), n("Gather", "shape zero", "rows", axis=0),
        n("ReduceSum", "x axes", "total", keepdims=0), n("Sub", "total total", "start"),
        helper.make_node("Loop", ["rows", "", "start"], ["y", "z"],
                         body=body(rows, "i go v", "go2 v2 s"))],
        x, (x.sum(0), x.cumsum(0)), [const("zero", 0), const("axes", [0])], 13, True)


# ---- sequences and optionals ------------------------------------------------------------------------

def sequences():
    x = image(5, 4)
    at = [const(f"k{i}", i) for i in (0, 1, 2)] + [const("last", -1)]
    for opset in (11, 17):
        yield Hand(f"control_split_1_{opset}", [
            n("SplitToSequence", "x", "s", axis=0, keepdims=0),
            n("ConcatFromSequence", "s", "y", axis=1, new_axis=1),
            n("SequenceAt", "s last", "z")], x, (x.T, x[4]), at, opset)
        yield Hand(f"control_split_2_{opset}", [
            n("SplitToSequence", "x k2", "s", axis=0), n("SequenceAt", "s last", "y"),
            n("SequenceErase", "s k0", "t"), n("ConcatFromSequence", "t", "z", axis=0)], x,
            (x[4:], x[2:]), at, opset)
        yield Hand(f"control_split_list_{opset}", [
            n("SplitToSequence", "x sizes", "s", axis=-1), n("SequenceAt", "s k1", "y"),
            n("SequenceInsert", "s y k0", "t"), n("SequenceLength", "t", "count"),
            n("ConcatFromSequence", "t", "w", axis=1), n("Cast", "count", "f", to=F32),
            n("Mul", "w f", "z")], x,
            (x[:, 3:], 3 * np.concatenate((x[:, 3:], x[:, :3], x[:, 3:]), 1)),
            at + [const("sizes", [3, 1])], opset)
    yield Hand("control_construct", [
        n("Relu", "x", "a"), n("SequenceConstruct", "x a", "s"), n("Identity", "s", "s2"),
        n("SequenceInsert", "s x", "t"), n("SequenceErase", "s2", "u"), n("SequenceAt", "t k1", "y"),
        n("SequenceInsert", "u a k0", "v"), n("ConcatFromSequence", "v", "z", axis=0)], x,
        (np.maximum(x, 0), np.concatenate((np.maximum(x, 0), x))), at)
    both = [n("If", "has", "y", then_branch=body([n("OptionalGetElement", "o", "a")], outputs="a"),
              else_branch=body([n("Neg", "x", "b")], outputs="b"))]
    yield Hand("control_optional", [
        n("Optional", "x", "o"), n("OptionalHasElement", "o", "has")] + both, x, x)
    kind = helper.make_tensor_type_proto(F32, [1])
    nothing = helper.make_node("Optional", [], ["o"], type=kind)
    yield Hand("control_nothing", [nothing, n("OptionalHasElement", "o", "has")] + both, x, -x)


def by_hand():
    yield as_strided((2, 3, 1, 2), (14, 3, 1, 1), 4)
    yield as_strided((6,), (5,), 0)
    yield from branches()
    yield from loops()
    yield from sequences()


# ---- scripted modules -------------------------------------------------------------------------------

@torch.jit.script
def pad_to_even(x: torch.Tensor) -> torch.Tensor:
    if x.shape[-1] % 2 == 1:
        x = nn.functional.pad(x, [0, 1])
    if x.shape[-2] % 2 == 1:
        x = nn.functional.pad(x, [0, 0, 0, 1])
    return x


@torch.jit.script
def smooth(x: torch.Tensor, w: torch.Tensor, times: int) -> torch.Tensor:
    for i in range(times):
        x = nn.functional.conv2d(x, w, padding=1) + x * float(i)
    return x


@torch.jit.script
def quarters(x: torch.Tensor) -> torch.Tensor:
    parts = torch.jit.annotate(list[torch.Tensor], [])
    for i in range(4):
        parts.append(x[:, i::4].mean(1))
    return torch.stack(parts, 1)


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.w = nn.Parameter(torch.zeros(8, 8, 3, 3))
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = smooth(self.conv(pad_to_even(x)), self.w, 3)
        return self.fc(quarters(x).mean([2, 3]))

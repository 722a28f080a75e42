"""Graphs written by hand in the manner of exporters that are not at hand: PyTorch's dynamo exporter,
tf2onnx and jax2onnx. The nets and their reference results are those of nfnet.py and vit.py."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, F16, BF16, I64 = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16,
                       TensorProto.INT64)


class Graph:
    """Collects nodes and initialisers; every method that makes a node returns its output's name."""

    def __init__(self, opset, weights=F32):
        self.opset, self.weights = opset, weights
        self.nodes, self.inits, self.known = [], [], {}

    def const(self, array, name=None, dtype=None):
        array = np.asarray(array)
        if dtype is None:
            dtype = self.weights if array.dtype == np.float32 and array.ndim else None
        key = (array.tobytes(), array.shape, str(array.dtype), dtype)
        if name is None and key in self.known:
            return self.known[key]
        name = name or f"val_{len(self.inits)}"
        if dtype == F16:
            array = array.astype(np.float16)
        if dtype == BF16:
            bits = (array.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
            tensor = helper.make_tensor(name, BF16, array.shape, bits.tobytes(), raw=True)
        else:
            tensor = numpy_helper.from_array(np.array(array, order="C"), name)
        self.inits.append(tensor)
        self.known[key] = name
        return name

    def f(self, number):
        return self.const(np.array(number, np.float32))

    def ints(self, *numbers):
        return self.const(np.array(numbers, np.int64))

    def op(self, kind, *inputs, out=1, **attrs):
        names = [f"n{len(self.nodes)}_{i}" for i in range(out)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, f"node_{len(self.nodes)}",
                                           **attrs))
        return names[0] if out == 1 else names

    def save(self, path, output, shape_in, classes, external=False):
        infos = [helper.make_tensor_value_info(n, F32, s)
                 for n, s in (("input", shape_in), ("output", [shape_in[0], classes]))]
        self.nodes.append(helper.make_node("Identity", [output], ["output"]))
        for node in self.nodes:
            node.doc_string = "written by hand"
        graph = helper.make_graph(self.nodes, "main_graph", infos[:1], infos[1:], self.inits)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 10 if self.opset > 17 else 8
        helper.set_model_props(model, {"namespace": "hand", "pkg.torch.export.ExportedProgram": ""})
        onnx.save(model, path, save_as_external_data=external, size_threshold=1024,
                  location="model.onnx.data")


def array(tensor):
    return tensor.detach().numpy()


# ---- PyTorch's dynamo exporter -----------------------------------------------------------------

class Dynamo(Graph):
    """ViT and NFNet at opsets 18, 20 and 23. Weights of another type are cast back after loading."""

    def __init__(self, opset, weights=F32, gelu="erf"):
        super().__init__(opset, weights)
        self.gelu_kind = gelu

    def w(self, tensor, transpose=False):
        a = array(tensor)
        name = self.const(np.ascontiguousarray(a.T) if transpose else a)
        return name if self.weights == F32 else self.op("Cast", name, to=F32)

    def linear(self, x, layer):
        y = self.op("MatMul", x, self.w(layer.weight, True))
        return y if layer.bias is None else self.op("Add", y, self.w(layer.bias))

    def gelu(self, x):
        if self.opset >= 20:
            return self.op("Gelu", x, approximate="tanh" if self.gelu_kind == "tanh" else "none")
        if self.gelu_kind == "tanh":
            cube = self.op("Pow", x, self.f(3.0))
            inner = self.op("Add", x, self.op("Mul", self.f(0.044715), cube))
            t = self.op("Tanh", self.op("Mul", self.f(0.7978845608028654), inner))
            return self.op("Mul", self.op("Mul", self.f(0.5), x), self.op("Add", self.f(1.0), t))
        e = self.op("Erf", self.op("Div", x, self.f(1.4142135)))
        return self.op("Mul", x, self.op("Mul", self.f(0.5), self.op("Add", e, self.f(1.0))))

    def norm(self, x, layer):
        return self.op("LayerNormalization", x, self.w(layer.weight), self.w(layer.bias),
                       axis=-1, epsilon=layer.eps, stash_type=1)

    def reshape(self, x, *dims):
        return self.op("Reshape", x, self.ints(*dims), allowzero=1)

    def pick(self, x, index, axis=0):
        """x[index] as Slice and Squeeze."""
        y = self.op("Slice", x, self.ints(index), self.ints(index + 1), self.ints(axis))
        return self.op("Squeeze", y, self.ints(axis))

    def attention(self, q, k, v, b, h, n, d, m, masked=False):
        """q [b,h,m,d]; k, v [b,h,n,d]."""
        if self.opset >= 23:
            more = [self.const(np.zeros((1, 1, m, n), np.float32))] if masked else []
            return self.op("Attention", q, k, v, *more, is_causal=0, softcap=0.0,
                           qk_matmul_output_mode=0, scale=d ** -0.5)
        shape = self.op("Shape", k, start=0)
        last = self.op("Slice", shape, self.ints(-1), self.ints(2 ** 63 - 1))
        before = self.op("Slice", shape, self.ints(-2), self.ints(-1))
        lead = self.op("Slice", shape, self.ints(0), self.ints(-2))
        flat = self.op("Reshape", k, self.op("Concat", self.ints(-1), before, last, axis=0))
        kt = self.op("Reshape", self.op("Transpose", flat, perm=[0, 2, 1]),
                     self.op("Concat", lead, last, before, axis=0))
        r = self.f(d ** -0.25)
        a = self.op("MatMul", self.op("Mul", q, r), self.op("Mul", kt, r))
        return self.op("MatMul", self.op("Softmax", a, axis=-1), v)

    def self_attention(self, x, layer, b, n, c, masked):
        h, d = layer.heads, layer.d
        y = self.reshape(self.linear(x, layer.qkv), b, n, 3, h, d)
        y = self.op("Transpose", y, perm=[2, 0, 3, 1, 4])
        y = self.attention(*[self.pick(y, i) for i in range(3)], b, h, n, d, n, masked)
        y = self.reshape(self.op("Transpose", y, perm=[0, 2, 1, 3]), b, n, c)
        return self.linear(y, layer.proj)

    def mlp(self, x, layer):
        return self.linear(self.gelu(self.linear(x, layer.fc1)), layer.fc2)

    def map_head(self, x, head, b, n, c):
        h, d = head.heads, head.d
        latent = self.op("Expand", self.w(head.latent), self.op(
            "Concat", self.op("Shape", x, start=0, end=1), self.ints(1, c), axis=0))
        q = self.reshape(self.linear(latent, head.q), b, 1, h, d)
        q = self.op("Transpose", q, perm=[0, 2, 1, 3])
        kv = self.reshape(self.linear(x, head.kv), b, n, 2, h, d)
        kv = self.op("Transpose", kv, perm=[2, 0, 3, 1, 4])
        if self.opset >= 18:
            parts = self.op("Split", kv, axis=0, num_outputs=2, out=2)
            k, v = (self.op("Squeeze", p, self.ints(0)) for p in parts)
        y = self.attention(q, k, v, b, h, n, d, 1)
        y = self.reshape(self.op("Transpose", y, perm=[0, 2, 1, 3]), b, 1, c)
        y = self.linear(y, head.proj)
        y = self.op("Add", y, self.mlp(self.norm(y, head.norm), head.mlp))
        return self.op("Gather", y, self.const(np.array(0, np.int64)), axis=1)

    def vit(self, m, b, resize=False, masked=False):
        n, c, p = m.grid[0] * m.grid[1], m.pos.shape[2], m.patch
        x = self.op("Conv", "input", self.w(m.embed.weight), self.w(m.embed.bias), group=1,
                    auto_pad="NOTSET", strides=[p, p], pads=[0] * 4, dilations=[1, 1])
        x = self.op("Transpose", self.reshape(x, b, c, n), perm=[0, 2, 1])
        pos = self.w(m.pos)
        if resize:  # to the size it has: what a dynamic graph does at the size of training
            grid = self.op("Transpose", self.reshape(pos, 1, *m.grid, c), perm=[0, 3, 1, 2])
            size = self.op("Concat", self.op("Shape", grid, start=0, end=2),
                           self.ints(*m.grid), axis=0)
            grid = self.op("Resize", grid, "", "", size, mode="cubic", antialias=1,
                           exclude_outside=1, cubic_coeff_a=-0.5, nearest_mode="floor",
                           coordinate_transformation_mode="half_pixel",
                           keep_aspect_ratio_policy="stretch")
            pos = self.reshape(self.op("Transpose", grid, perm=[0, 2, 3, 1]), 1, n, c)
        if m.cls is not None:
            first = self.op("Expand", self.w(m.cls), self.ints(b, 1, c))
            x, n = self.op("Concat", first, x, axis=1), n + 1
        x = self.op("Add", x, pos)
        for block in m.blocks:
            y = self.self_attention(self.norm(x, block.norm1), block.attn, b, n, c, masked)
            if block.ls1 is not None:
                y = self.op("Mul", y, self.w(block.ls1))
            x = self.op("Add", x, y)
            y = self.mlp(self.norm(x, block.norm2), block.mlp)
            if block.ls2 is not None:
                y = self.op("Mul", y, self.w(block.ls2))
            x = self.op("Add", x, y)
        if m.pool == "map":
            x = self.map_head(self.norm(x, m.norm), m.map, b, n, c)
        elif m.pool == "token":
            x = self.norm(x, m.norm)
            x = self.op("Gather", x, self.const(np.array(0, np.int64)), axis=1)
        else:
            x = self.norm(self.op("ReduceMean", x, self.ints(1), keepdims=0), m.norm)
        return self.op("Gemm", x, self.w(m.head.weight), self.w(m.head.bias), transB=1, beta=1.0)

    # NFNet

    def same(self, x, k, s, zero):
        """SAME padding by a chain of shapes, as with dynamic height and width."""
        pads = []
        for axis in (2, 3):
            size = self.op("Squeeze", self.op("Shape", x, start=axis, end=axis + 1))
            steps = self.op("Ceil", self.op("Div", self.op("Cast", size, to=F32), self.f(s)))
            steps = self.op("Cast", steps, to=I64)
            one = self.const(np.array(1, np.int64))
            need = self.op("Mul", self.op("Sub", steps, one), self.const(np.array(s, np.int64)))
            need = self.op("Sub", self.op("Add", need, self.const(np.array(k, np.int64))), size)
            need = self.op("Max", need, self.const(np.array(0, np.int64)))
            half = self.op("Div", need, self.const(np.array(2, np.int64)))
            pads.append((half, self.op("Sub", need, half)))
        flat = [self.op("Reshape", p, self.ints(-1)) for p in
                (pads[0][0], pads[1][0], pads[0][1], pads[1][1])]
        two = self.ints(0, 0)
        return self.op("Pad", x, self.op("Concat", two, *flat[:2], two, *flat[2:], axis=0), zero,
                       mode="constant")

    def std_conv(self, x, conv, zero):
        o, k = conv.out_channels, conv.kernel_size[0]
        w = self.reshape(self.w(conv.weight), 1, o, -1)
        mean = self.op("ReduceMean", w, self.ints(0, 2), keepdims=1)
        diff = self.op("Sub", w, mean)
        var = self.op("ReduceMean", self.op("Mul", diff, diff), self.ints(0, 2), keepdims=0)
        mean = self.op("ReduceMean", w, self.ints(0, 2), keepdims=0)
        gain = self.reshape(self.op("Mul", self.w(conv.gain), self.f(conv.scale)), -1)
        w = self.op("BatchNormalization", w, gain, self.const(np.zeros(o, np.float32), dtype=F32),
                    mean, var, epsilon=conv.eps, momentum=1.0)
        w = self.reshape(w, o, conv.in_channels // conv.groups, k, k)
        pad = (k - 1) // 2
        if conv.same and (k > 1 or conv.stride[0] > 1):
            x, pad = self.same(x, k, conv.stride[0], zero), 0
        return self.op("Conv", x, w, self.w(conv.bias), strides=list(conv.stride),
                       pads=[pad] * 4, group=conv.groups, dilations=[1, 1], auto_pad="NOTSET")

    def nfnet_act(self, x, act):
        return self.op("Mul", self.gelu(x), self.f(act.gamma))

    def squeeze_excite(self, x, se):
        s = self.op("ReduceMean", x, self.ints(2, 3), keepdims=1)
        s = self.op("Relu", self.op("Conv", s, self.w(se.fc1.weight), self.w(se.fc1.bias)))
        s = self.op("Conv", s, self.w(se.fc2.weight), self.w(se.fc2.bias))
        return self.op("Mul", x, self.op("Sigmoid", s))

    def nfnet(self, m):
        zero = self.const(np.array(0, np.float32), "blocks.9.skip_gain")
        x = "input"
        for layer in m.stem:
            x = self.std_conv(x, layer, zero) if hasattr(layer, "gain") else \
                self.nfnet_act(x, layer)
        for block in m.blocks:
            out = self.op("Mul", self.nfnet_act(x, block.act), self.f(block.beta))
            if block.down is not None:
                x = out
                if hasattr(block.down.pool, "kernel_size"):
                    x = self.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2],
                                ceil_mode=1, count_include_pad=0, pads=[0] * 4, auto_pad="NOTSET")
                x = self.std_conv(x, block.down.conv, zero)
            for conv in (block.conv1, block.conv2, block.conv2b):
                out = self.nfnet_act(self.std_conv(out, conv, zero), block.act)
            out = self.std_conv(out, block.conv3, zero)
            out = self.op("Mul", self.squeeze_excite(out, block.attn_last), self.f(2.0))
            out = self.op("Mul", out, self.w(block.skip_gain))
            x = self.op("Add", self.op("Mul", out, self.f(block.alpha)), x)
        x = self.nfnet_act(self.std_conv(x, m.final, zero), m.act)
        x = self.op("ReduceMean", x, self.ints(-1, -2), keepdims=1)
        x = self.op("Reshape", x, self.op("Concat", self.op("Shape", x, end=1),
                                          self.ints(2 * m.blocks[-1].conv3.out_channels), axis=0))
        return self.op("Gemm", x, self.w(m.fc.weight), self.w(m.fc.bias), transB=1)


# ---- jax2onnx and tf2onnx ------------------------------------------------------------------------

class Jax(Dynamo):
    """Channels-last images between Transposes, contractions as Einsum, padding as auto_pad."""

    nhwc, nchw = [0, 2, 3, 1], [0, 3, 1, 2]

    def linear(self, x, layer):
        y = self.op("Einsum", x, self.w(layer.weight, True), equation="abc,cd->abd")
        return self.op("Add", y, self.op("Reshape", self.w(layer.bias), self.ints(1, 1, -1)))

    def self_attention(self, x, layer, b, n, c, masked):
        h, d = layer.heads, layer.d
        w, bias = array(layer.qkv.weight), array(layer.qkv.bias)
        q, k, v = (self.op("Add", self.op("Einsum", x, self.const(
            np.ascontiguousarray(w[i * c:(i + 1) * c].T).reshape(c, h, d)),
            equation="abc,cde->abde"), self.const(bias[i * c:(i + 1) * c].reshape(h, d)))
            for i in range(3))
        q = self.op("Mul", q, self.f(d ** -0.5))
        a = self.op("Softmax", self.op("Einsum", q, k, equation="bqhd,bkhd->bhqk"), axis=-1)
        y = self.op("Einsum", a, v, equation="bhqk,bkhd->bqhd")
        w = np.ascontiguousarray(array(layer.proj.weight).T).reshape(h, d, c)
        y = self.op("Einsum", y, self.const(w), equation="abcd,cde->abe")
        return self.op("Add", y, self.const(array(layer.proj.bias)))

    def vit(self, m, b, resize=False, masked=False):
        n, c, p = m.grid[0] * m.grid[1], m.pos.shape[2], m.patch
        x = self.op("Transpose", "input", perm=self.nhwc)
        x = self.op("Conv", self.op("Transpose", x, perm=self.nchw), self.w(m.embed.weight),
                    self.w(m.embed.bias), strides=[p, p], auto_pad="VALID")
        x = self.op("Reshape", self.op("Transpose", x, perm=self.nhwc), self.ints(b, n, c))
        x = self.op("Concat", self.op("Tile", self.w(m.cls), self.ints(b, 1, 1)), x, axis=1)
        x = self.op("Add", x, self.w(m.pos))
        for block in m.blocks:
            x = self.op("Add", x, self.self_attention(self.norm(x, block.norm1), block.attn, b,
                                                      n + 1, c, masked))
            x = self.op("Add", x, self.mlp(self.norm(x, block.norm2), block.mlp))
        x = self.op("Slice", self.norm(x, m.norm), self.ints(0, 0, 0), self.ints(b, 1, c),
                    self.ints(0, 1, 2), self.ints(1, 1, 1))
        x = self.op("Squeeze", x, self.ints(1))
        return self.op("Add", self.op("MatMul", x, self.w(m.head.weight, True)),
                       self.w(m.head.bias))

    def std_conv(self, x, conv, zero):
        """x, result: channels-last."""
        w = array(conv.standard())
        k, s = conv.kernel_size[0], conv.stride[0]
        x = x if x != "input" else self.op("Transpose", x, perm=self.nhwc)
        y = self.op("Conv", self.op("Transpose", x, perm=self.nchw), self.const(w),
                    strides=[s, s], group=conv.groups, dilations=[1, 1], kernel_shape=[k, k],
                    auto_pad="SAME_UPPER")
        return self.op("Add", self.op("Transpose", y, perm=self.nhwc),
                       self.const(array(conv.bias)))

    def squeeze_excite(self, x, se):
        s = self.op("ReduceMean", x, self.ints(1, 2), keepdims=0) if self.opset >= 18 else \
            self.op("ReduceMean", x, axes=[1, 2], keepdims=0)
        for layer, act in ((se.fc1, "Relu"), (se.fc2, "Sigmoid")):
            w = np.ascontiguousarray(array(layer.weight)[:, :, 0, 0].T)
            s = self.op("Add", self.op("MatMul", s, self.const(w)), self.const(array(layer.bias)))
            s = self.op(act, s)
        return self.op("Mul", x, self.op("Unsqueeze", s, self.ints(1, 2)))

    def nfnet(self, m):
        x = "input"
        for layer in m.stem:
            x = self.std_conv(x, layer, None) if hasattr(layer, "gain") else \
                self.nfnet_act(x, layer)
        for block in m.blocks:
            out = self.op("Mul", self.nfnet_act(x, block.act), self.f(block.beta))
            if block.down is not None:
                x = out
                if hasattr(block.down.pool, "kernel_size"):
                    x = self.op("Transpose", x, perm=self.nchw)
                    x = self.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2],
                                auto_pad="SAME_UPPER", count_include_pad=0)
                    x = self.op("Transpose", x, perm=self.nhwc)
                x = self.std_conv(x, block.down.conv, None)
            for conv in (block.conv1, block.conv2, block.conv2b):
                out = self.nfnet_act(self.std_conv(out, conv, None), block.act)
            out = self.std_conv(out, block.conv3, None)
            out = self.op("Mul", self.squeeze_excite(out, block.attn_last), self.f(2.0))
            out = self.op("Mul", out, self.w(block.skip_gain))
            x = self.op("Add", self.op("Mul", out, self.f(block.alpha)), x)
        x = self.nfnet_act(self.std_conv(x, m.final, None), m.act)
        x = self.op("ReduceMean", x, self.ints(1, 2), keepdims=0) if self.opset >= 18 else \
            self.op("ReduceMean", x, axes=[1, 2], keepdims=0)
        return self.op("Gemm", x, self.w(m.fc.weight, True), self.w(m.fc.bias))


class TensorFlow(Jax):
    """tf2onnx: layer norm through InstanceNormalization, reshaped 2-D products."""

    def norm(self, x, layer):
        shape = self.op("Shape", x)
        lead = self.op("Slice", shape, self.ints(0), self.ints(2), self.ints(0))
        c = layer.weight.shape[0]
        flat = self.op("Reshape", x, self.op("Concat", self.ints(1, -1), self.ints(c), axis=0))
        rows = self.op("Squeeze", self.op("Slice", self.op("Shape", flat), self.ints(1),
                                          self.ints(2)), self.ints(0))
        count = self.op("Unsqueeze", rows, self.ints(0))
        ones = self.op("Expand", self.const(np.ones(1, np.float32), dtype=F32), count)
        zeros = self.op("Expand", self.const(np.zeros(1, np.float32), dtype=F32), count)
        y = self.op("InstanceNormalization", flat, ones, zeros, epsilon=layer.eps)
        y = self.op("Reshape", y, self.op("Concat", lead, self.ints(c), axis=0))
        return self.op("Add", self.op("Mul", y, self.w(layer.weight)), self.w(layer.bias))

    def linear(self, x, layer):
        return self.op("Add", self.op("MatMul", x, self.w(layer.weight, True)),
                       self.w(layer.bias))

"""ONNX files byte by byte, with nothing but Python: what no exporter would write, too.

Messages are bytes objects; the field numbers are the format's own. Nothing is
checked here: that is the point.
"""

import struct

FLOAT, UINT8, INT8, INT32, INT64, STRING, BOOL, FLOAT16, DOUBLE = 1, 2, 3, 6, 7, 8, 9, 10, 11
COMPLEX64 = 14


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number, wire):
    return varint(number << 3 | wire)


def num(number, value):
    return tag(number, 0) + varint(value)


def blob(number, data):
    if isinstance(data, str):
        data = data.encode()
    return tag(number, 2) + varint(len(data)) + data


def fixed32(number, value):
    return tag(number, 5) + struct.pack("<f", value)


# ---- tensors -----------------------------------------------------------------


def tensor(name, dims, dtype=FLOAT, raw=None, extra=b""):
    """A TensorProto; `raw` None leaves the contents out."""
    out = b"".join(num(1, d) for d in dims) + num(2, dtype)
    if name is not None:
        out += blob(8, name)
    if raw is not None:
        out += blob(9, raw)
    return out + extra


def floats(name, dims, value=0.5):
    count = 1
    for d in dims:
        count *= d
    return tensor(name, dims, FLOAT, struct.pack("<f", value) * count)


def ints(name, values):
    return tensor(name, [len(values)], INT64, struct.pack("<%dq" % len(values), *values))


def scalar_int(name, value):
    return tensor(name, [], INT64, struct.pack("<q", value))


def external(name, dims, **entries):
    """A float tensor kept outside. Entries are (key, value) strings."""
    return external_list(name, dims, list(entries.items()))


def external_list(name, dims, entries):
    pairs = b"".join(blob(13, blob(1, k) + blob(2, v)) for k, v in entries)
    return tensor(name, dims, FLOAT, None, pairs + num(14, 1))


# ---- attributes, nodes -------------------------------------------------------


def attr(name, value):
    """An AttributeProto of the kind that Python's value suggests."""
    head = blob(1, name)
    if isinstance(value, float):
        return head + fixed32(2, value) + num(20, 1)
    if isinstance(value, int):
        return head + num(3, value) + num(20, 2)
    if isinstance(value, (str,)):
        return head + blob(4, value) + num(20, 3)
    if isinstance(value, bytes):
        return head + blob(5, value) + num(20, 4)
    if value and isinstance(value[0], float):
        return head + b"".join(fixed32(7, v) for v in value) + num(20, 6)
    return head + b"".join(num(8, v) for v in value) + num(20, 7)


def node(op, inputs, outputs, name="n", domain=None, attrs=(), **kw):
    """A NodeProto; keyword arguments become attributes, `attrs` are ready ones."""
    out = b"".join(blob(1, i) for i in inputs) + b"".join(blob(2, o) for o in outputs)
    if name is not None:
        out += blob(3, name)
    if op is not None:
        out += blob(4, op)
    for key, value in kw.items():
        out += blob(5, attr(key, value))
    out += b"".join(blob(5, a) for a in attrs)
    if domain is not None:
        out += blob(7, domain)
    return out


# ---- types, graphs, models ---------------------------------------------------


def dim(value):
    if value is None:
        return b""
    return num(1, value) if isinstance(value, int) else blob(2, value)


def value_info(name, dims=None, dtype=FLOAT):
    """dims None: no shape; a dimension may be an int, a name or None."""
    kind = num(1, dtype)
    if dims is not None:
        kind += blob(2, b"".join(blob(1, dim(d)) for d in dims))
    return blob(1, name) + blob(2, blob(1, kind))


def graph(nodes, inputs=(), outputs=(), initializers=(), extra=b""):
    out = b"".join(blob(1, n) for n in nodes) + blob(2, "g")
    out += b"".join(blob(5, t) for t in initializers)
    out += b"".join(blob(11, v) for v in inputs) + b"".join(blob(12, v) for v in outputs)
    return out + extra


def model(graph_bytes, opset=17, ir=8, extra=b""):
    out = b"" if ir is None else num(1, ir)
    if graph_bytes is not None:
        out += blob(7, graph_bytes)
    if opset is not None:
        out += blob(8, blob(1, "") + num(2, opset))
    return out + extra


def net(nodes, dims=(1, 3, 8, 8), initializers=(), dtype=FLOAT, opset=17, out_dims=None):
    """A model with one input x and one output y."""
    return model(
        graph(nodes, [value_info("x", dims, dtype)], [value_info("y", out_dims)], initializers),
        opset,
    )


def relu_net(**kw):
    return net([node("Relu", ["x"], ["y"])], **kw)

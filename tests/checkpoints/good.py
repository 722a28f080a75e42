"""Checkpoint files as their tools write them, and what is in each: {name: (type, array)}."""

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np

TYPES = {"float32": "f32", "float16": "f16", "float64": "f64", "int8": "i8", "uint8": "u8",
         "int16": "i16", "uint16": "u16", "int32": "i32", "uint32": "u32", "int64": "i64",
         "uint64": "u64", "bool": "bool"}
NAMES = {"f32": "F32", "f16": "F16", "bf16": "BF16", "f64": "F64", "i8": "I8", "u8": "U8",
         "i16": "I16", "u16": "U16", "i32": "I32", "u32": "U32", "i64": "I64", "u64": "U64",
         "bool": "BOOL"}


def arrays():
    """One of each type; empty, scalar and odd shapes among them."""
    rng = np.random.default_rng(1)
    out = OrderedDict()
    for i, name in enumerate(TYPES):
        shape = [(), (3,), (2, 5), (3, 1, 7), (4, 0, 2), (2, 3, 2, 2)][i % 6]
        a = rng.integers(0, 2 if name == "bool" else 100, shape)
        out["layer.%d/%s" % (i, name)] = np.asarray(a, name)
    return out


def expect(arrays_, bf16=()):
    return {k: ("bf16" if k in bf16 else TYPES[a.dtype.name], np.ascontiguousarray(a).reshape(a.shape))
            for k, a in arrays_.items()}


# ---- safetensors -------------------------------------------------------------

def safetensors_bytes(tensors, metadata=None, lead=b"", align=8):
    """`tensors`: {name: (type, array)}."""
    header, data = OrderedDict(), b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (kind, a) in tensors.items():
        raw = a.tobytes()
        header[name] = {"dtype": NAMES[kind], "shape": list(a.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = lead + json.dumps(header).encode()
    text += b" " * (-len(text) % align)
    return struct.pack("<Q", len(text)) + text + data


def safetensors_cases(case):
    tensors = expect(arrays())
    case("all.safetensors", safetensors_bytes(tensors, {"format": "pt"}), tensors)
    case("unaligned.safetensors", safetensors_bytes(tensors, align=1, lead=b" "), tensors)
    bf16 = {"w": ("bf16", np.arange(6, dtype=np.uint16).reshape(2, 3))}
    case("bf16.safetensors", safetensors_bytes(bf16), bf16)
    case("none.safetensors", safetensors_bytes({}), {})
    odd = {'quote"back\\slash/\u00e9': ("f32", np.float32([1, 2]))}
    case("names.safetensors", safetensors_bytes(odd), odd)


def sharded(case):
    tensors = expect(arrays())
    names = list(tensors)
    parts = {"a-00001.safetensors": names[:5], "a-00002.safetensors": names[5:]}
    files = {k: safetensors_bytes({n: tensors[n] for n in v}) for k, v in parts.items()}
    index = {"metadata": {"total_size": 1}, "weight_map": {n: k for k, v in parts.items() for n in v}}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    case.folder("sharded", files, tensors)
    case.folder("usual", {"model.safetensors": safetensors_bytes(tensors), "optimizer.pt": b"x"},
                tensors)


# ---- numpy -------------------------------------------------------------------

def npz_bytes(write, arrays_):
    out = io.BytesIO()
    write(out, **arrays_)
    return out.getvalue()


class Pipe(io.RawIOBase):
    """Cannot seek: zipfile then writes sizes behind the data."""

    def __init__(self):
        self.bytes = b""

    def writable(self):
        return True

    def write(self, data):
        self.bytes += bytes(data)
        return len(data)


def streamed():
    pipe = Pipe()
    np.savez(pipe, **arrays())
    return pipe.bytes


def numpy_cases(case):
    all_ = arrays()
    case("stored.npz", npz_bytes(np.savez, all_), expect(all_))
    case("deflated.npz", npz_bytes(np.savez_compressed, all_), expect(all_))
    case("streamed.npz", streamed(), expect(all_))
    big = {"zeros": np.zeros((300, 1000), "float32"), "n": np.arange(70000, dtype="int32")}
    case("big.npz", npz_bytes(np.savez_compressed, big), expect(big))
    order = {"f": np.asfortranarray(np.arange(24, dtype="float32").reshape(2, 3, 4)),
             "g": np.asfortranarray(np.arange(6, dtype="int16").reshape(3, 2))}
    case("fortran.npz", npz_bytes(np.savez, order), expect(order))
    case("fortran_deflated.npz", npz_bytes(np.savez_compressed, order), expect(order))
    bf16 = np.arange(6, dtype=np.uint16).reshape(2, 3)
    case("bf16.npz", npz_bytes(np.savez, {"w": bf16.view("V2")}), {"w": ("bf16", bf16)})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(300):
            item = io.BytesIO()
            np.save(item, np.float32(i))
            archive.writestr("n%d.npy" % i, item.getvalue())
        archive.comment = b"a comment with PK\x05\x06 in it, and more than twenty-two bytes of it"
    case("comment.npz", out.getvalue(), {"n%d" % i: ("f32", np.float32(i).reshape(()))
                                         for i in range(300)})


def pickle_cases(case):
    nested = {"NFNet/~/stem": {"w": np.arange(6, dtype="float32").reshape(2, 3),
                               "gain": np.float32([1, 2])},
              "NFNet/~/block": {"skip_gain": np.asarray(np.float32(0.5)),
                                "f": np.asfortranarray(np.arange(6.0).reshape(2, 3))},
              "step": 7, "notes": [1, 2.5, None, True, "text", (1, (2, 3)), -5, 1 << 40]}
    flat = {k + "/" + n: a for k, v in nested.items() if isinstance(v, dict) for n, a in v.items()}
    for protocol in (2, 3, 4, 5):
        case("haiku_%d.npz" % protocol, pickle.dumps(nested, protocol), expect(flat))
    scalar = {"a": np.float32(2.5), "b": OrderedDict(x=np.int64(3))}
    case("scalars.pkl", pickle.dumps(scalar, 4),
         {"a": ("f32", np.float32(2.5).reshape(())), "b/x": ("i64", np.int64(3).reshape(()))})


def torch_cases(case, torch):
    def save(thing, zipped=True):
        out = io.BytesIO()
        torch.save(thing, out, _use_new_zipfile_serialization=zipped)
        return out.getvalue()

    import argparse
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    state = OrderedDict(plain=base, view=base[:, 1:, ::2], turned=base.permute(2, 0, 1),
                        half=torch.arange(4).half(), bf16=torch.arange(4).bfloat16(),
                        n=torch.tensor(5), flags=torch.tensor([True, False]),
                        none=torch.zeros(0, 3))
    want = {k: ("bf16", v.view(torch.int16).numpy().view("uint16")) if k == "bf16" else
            (TYPES[str(v.dtype)[6:]], np.ascontiguousarray(v.numpy()).reshape(v.shape))
            for k, v in state.items()}
    case("state.pth", save(state), want)
    case("before_zip.pth", save(state, zipped=False), want)
    case("before_zip_wrapped.pth", save({"state_dict": state, "epoch": 3}, zipped=False), want)
    for wrapper in ("model", "state_dict", "state_dict_ema", "model_ema"):
        case(wrapper + ".pth", save({wrapper: state, "epoch": 3}), want)
    prefixed = OrderedDict(("module._orig_mod." + k, v) for k, v in state.items())
    # Names stay as they are: what they mean is known by the architecture's flavour.
    case("prefixed.pth", save({"state_dict": prefixed, "arch": "x"}),
         {"module._orig_mod." + k: v for k, v in want.items()})
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    training = {"model": layer.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1,
                "args": argparse.Namespace(lr=0.1, name="x"), "metric": np.float64(1.5)}
    case("training.pth", save(training),
         {k: ("f32", v.numpy()) for k, v in layer.state_dict().items()})
    case("parameters.pth", save({"w": torch.nn.Parameter(base)}), {"w": want["plain"]})


def all_cases(case):
    safetensors_cases(case)
    sharded(case)
    numpy_cases(case)
    pickle_cases(case)
    try:
        import torch
    except ImportError:
        print("skipped: torch is not installed; its files are not tested")
        return
    torch_cases(case, torch)

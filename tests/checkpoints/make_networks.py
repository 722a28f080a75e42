#!/usr/bin/env python3
"""Checkpoints of small networks in the names and layouts of the code bases that publish them, with
PyTorch's results as reference, in the layout of the ONNX backend tests.

    make_networks.py DIR

The networks are written here from the papers and from architectures' published code, in plain
functions over a dictionary of tensors by timm's names; nothing of them is Fovea's. Needs torch,
numpy and onnx."""
import json
import math
import os
import struct
import sys

import numpy as np
from onnx import numpy_helper
import torch
import torch.nn.functional as F

# ---- writing -------------------------------------------------------------------------------


def save_safetensors(path, tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = t.detach().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def save_case(folder, x, y, config=None):
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data, exist_ok=True)
    for name, t in (("input_0.pb", x), ("output_0.pb", y)):
        with open(os.path.join(data, name), "wb") as f:
            f.write(numpy_helper.from_array(t.detach().numpy()).SerializeToString())
    if config:
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump(config, f)


# ---- ViT -------------------------------------------------------------------------------------


class Random:
    def __init__(self, seed):
        self.g = torch.Generator().manual_seed(seed)

    def matrix(self, *shape):
        return torch.randn(shape, generator=self.g) * max(1, math.prod(shape[1:])) ** -0.5

    def bias(self, *shape):
        return 0.2 * torch.randn(shape, generator=self.g)

    def gain(self, *shape):
        return 1 + 0.2 * torch.randn(shape, generator=self.g)


def linear_params(p, r, name, n_in, n_out):
    p[name + ".weight"], p[name + ".bias"] = r.matrix(n_out, n_in), r.bias(n_out)


def norm_params(p, r, name, n):
    p[name + ".weight"], p[name + ".bias"] = r.gain(n), r.bias(n)


def mlp_params(p, r, name, d, f, kind):
    if kind == "w12":
        linear_params(p, r, name + ".w12", d, 2 * f)
        linear_params(p, r, name + ".w3", f, d)
    elif kind == "parts":
        linear_params(p, r, name + ".fc1_g", d, f)
        linear_params(p, r, name + ".fc1_x", d, f)
        linear_params(p, r, name + ".fc2", f, d)
    else:
        linear_params(p, r, name + ".fc1", d, f)
        linear_params(p, r, name + ".fc2", f, d)


def vit_params(seed, d=128, depth=2, f=200, heads=2, patch=16, grid=4, cls=True, registers=0,
               positions="all", pre_norm=False, scale=False, qk_norm=False, mlp="gelu", pool="token",
               fc_norm=False, rep=0, classes=10):
    r, p = Random(seed), {}
    prefix = cls + registers
    p["patch_embed.proj.weight"] = r.matrix(d, 3, patch, patch)
    if not pre_norm:  # OpenCLIP's towers have no bias here
        p["patch_embed.proj.bias"] = r.bias(d)
    if positions != "sincos":
        rows = grid * grid + {"all": prefix, "class": 1, "grid": 0}[positions]
        p["pos_embed"] = r.bias(1, rows, d)
    if cls:
        p["cls_token"] = r.bias(1, 1, d)
    if registers:
        p["reg_token"] = r.bias(1, registers, d)
    if pre_norm:
        norm_params(p, r, "norm_pre", d)
    for i in range(depth):
        b = f"blocks.{i}."
        norm_params(p, r, b + "norm1", d)
        linear_params(p, r, b + "attn.qkv", d, 3 * d)
        linear_params(p, r, b + "attn.proj", d, d)
        if qk_norm:
            norm_params(p, r, b + "attn.q_norm", d // heads)
            norm_params(p, r, b + "attn.k_norm", d // heads)
        norm_params(p, r, b + "norm2", d)
        mlp_params(p, r, b + "mlp", d, f, mlp)
        if scale:
            p[b + "ls1.gamma"], p[b + "ls2.gamma"] = r.gain(d), r.gain(d)
    norm_params(p, r, "fc_norm" if fc_norm else "norm", d)
    if pool == "map":
        p["attn_pool.latent"] = r.bias(1, 1, d)
        linear_params(p, r, "attn_pool.q", d, d)
        linear_params(p, r, "attn_pool.kv", d, 2 * d)
        linear_params(p, r, "attn_pool.proj", d, d)
        norm_params(p, r, "attn_pool.norm", d)
        mlp_params(p, r, "attn_pool.mlp", d, f, "gelu")
    if rep:
        linear_params(p, r, "pre_logits", d, rep)
    linear_params(p, r, "head", rep or (2 * d if pool == "token+gap" else d), classes)
    return p


def linear(p, name, x):
    return F.linear(x, p[name + ".weight"], p.get(name + ".bias"))


def norm(p, name, x, eps):
    w = p[name + ".weight"]
    return F.layer_norm(x, w.shape, w, p[name + ".bias"], eps)


def mlp(p, name, x, gelu):
    if name + ".w12.weight" in p:
        gate, up = linear(p, name + ".w12", x).chunk(2, -1)
        return linear(p, name + ".w3", F.silu(gate) * up)
    if name + ".fc1_g.weight" in p:
        gate, up = linear(p, name + ".fc1_g", x), linear(p, name + ".fc1_x", x)
        return linear(p, name + ".fc2", F.silu(gate) * up)
    return linear(p, name + ".fc2", F.gelu(linear(p, name + ".fc1", x), approximate=gelu))


def split(x, heads):
    n, t, d = x.shape
    return x.reshape(n, t, heads, d // heads).transpose(1, 2)


def attend(q, k, v):
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    y = scores.softmax(-1) @ v
    return y.transpose(1, 2).flatten(2)


def sincos(side, d):
    """big_vision's posemb "sincos2d": the column's sines and cosines, then the row's."""
    y, x = np.mgrid[:side, :side].reshape(2, -1, 1).astype(np.float64)
    omega = 10000.0 ** -(np.arange(d // 4) / (d // 4 - 1))
    waves = np.concatenate([np.sin(x * omega), np.cos(x * omega), np.sin(y * omega),
                            np.cos(y * omega)], axis=1)
    return torch.tensor(waves).float()[None]


def vit(p, x, heads=2, gelu="none", eps=1e-6, pool="token"):
    w = p["patch_embed.proj.weight"]
    x = F.conv2d(x, w, p.get("patch_embed.proj.bias"), stride=w.shape[-1]).flatten(2).transpose(1, 2)
    n, tokens, d = x.shape
    table = p.get("pos_embed")
    if table is None:
        table = sincos(round(tokens ** 0.5), d)
    first = [p[k].expand(n, -1, -1) for k in ("cls_token", "reg_token") if k in p]
    prefix = sum(t.shape[1] for t in first)
    if table.shape[1] == tokens:
        x = torch.cat(first + [x + table], 1)
    elif table.shape[1] == tokens + 1 and prefix > 1:  # DINOv2: registers come after the positions
        x = torch.cat([first[0], x], 1) + table
        x = torch.cat([x[:, :1], first[1], x[:, 1:]], 1)
    else:
        x = torch.cat(first + [x], 1) + table
    if "norm_pre.weight" in p:
        x = norm(p, "norm_pre", x, eps)
    i = 0
    while f"blocks.{i}.norm1.weight" in p:
        b = f"blocks.{i}."
        q, k, v = (split(t, heads) for t in
                   linear(p, b + "attn.qkv", norm(p, b + "norm1", x, eps)).chunk(3, -1))
        if b + "attn.q_norm.weight" in p:
            q, k = norm(p, b + "attn.q_norm", q, eps), norm(p, b + "attn.k_norm", k, eps)
        y = linear(p, b + "attn.proj", attend(q, k, v))
        x = x + y * p.get(b + "ls1.gamma", 1)
        x = x + mlp(p, b + "mlp", norm(p, b + "norm2", x, eps), gelu) * p.get(b + "ls2.gamma", 1)
        i += 1
    if "norm.weight" in p:
        x = norm(p, "norm", x, eps)
    if pool == "map":
        q = split(linear(p, "attn_pool.q", p["attn_pool.latent"]).expand(n, -1, -1), heads)
        k, v = (split(t, heads) for t in linear(p, "attn_pool.kv", x).chunk(2, -1))
        y = linear(p, "attn_pool.proj", attend(q, k, v))
        y = y + mlp(p, "attn_pool.mlp", norm(p, "attn_pool.norm", y, eps), gelu)
        x = y[:, 0]
    elif pool == "token+gap":
        x = torch.cat([x[:, 0], x[:, prefix:].mean(1)], 1)
    else:
        x = x[:, 0] if pool == "token" else x[:, prefix:].mean(1)
    if "fc_norm.weight" in p:
        x = norm(p, "fc_norm", x, eps)
    if "pre_logits.weight" in p:
        x = torch.tanh(linear(p, "pre_logits", x))
    return linear(p, "head", x)


# ---- other code bases' names for a ViT --------------------------------------------------------


def to_hf_vit(p):
    """transformers up to version 4."""
    out = {"vit.embeddings.cls_token": p["cls_token"],
           "vit.embeddings.position_embeddings": p["pos_embed"]}
    pairs = [("patch_embed.proj", "vit.embeddings.patch_embeddings.projection"),
             ("norm", "vit.layernorm"), ("head", "classifier")]
    i = 0
    while f"blocks.{i}.norm1.weight" in p:
        a, b = f"blocks.{i}.", f"vit.encoder.layer.{i}."
        pairs += [(a + "norm1", b + "layernorm_before"), (a + "norm2", b + "layernorm_after"),
                  (a + "attn.proj", b + "attention.output.dense"),
                  (a + "mlp.fc1", b + "intermediate.dense"), (a + "mlp.fc2", b + "output.dense")]
        for part in ("weight", "bias"):
            for name, t in zip(("query", "key", "value"), p[f"{a}attn.qkv.{part}"].chunk(3)):
                out[f"{b}attention.attention.{name}.{part}"] = t
        i += 1
    for a, b in pairs:
        for part in ("weight", "bias"):
            out[f"{b}.{part}"] = p[f"{a}.{part}"]
    return out


def to_hf_dinov2(p, base="dinov2", newer=False):
    """`newer` are the names of attention from transformers 5 on."""
    out = {f"{base}.embeddings.cls_token": p["cls_token"],
           f"{base}.embeddings.position_embeddings": p["pos_embed"],
           f"{base}.embeddings.mask_token": torch.zeros(1, p["cls_token"].shape[-1])}
    if "reg_token" in p:
        out[f"{base}.embeddings.register_tokens"] = p["reg_token"]
    pairs = [("patch_embed.proj", f"{base}.embeddings.patch_embeddings.projection"),
             ("norm", f"{base}.layernorm"), ("head", "classifier")]
    i = 0
    while f"blocks.{i}.norm1.weight" in p:
        a, b = f"blocks.{i}.", f"{base}.encoder.layer.{i}."
        names = [f"{b}attention.{n}_proj" for n in "qkvo"] if newer else \
            [f"{b}attention.attention.{n}" for n in ("query", "key", "value")] + \
            [f"{b}attention.output.dense"]
        pairs += [(a + "norm1", b + "norm1"), (a + "norm2", b + "norm2"),
                  (a + "attn.proj", names[3])]
        pairs += [(f"{a}mlp.{x}", f"{b}mlp.{y}") for x, y in
                  (("fc1", "fc1"), ("fc2", "fc2"), ("w12", "weights_in"), ("w3", "weights_out"))
                  if f"{a}mlp.{x}.weight" in p]
        for part in ("weight", "bias"):
            for name, t in zip(names, p[f"{a}attn.qkv.{part}"].chunk(3)):
                out[f"{name}.{part}"] = t
        for k in "12":
            out[f"{b}layer_scale{k}.lambda1"] = p[f"{a}ls{k}.gamma"]
        i += 1
    for a, b in pairs:
        for part in ("weight", "bias"):
            out[f"{b}.{part}"] = p[f"{a}.{part}"]
    return out


def to_torchvision(p):
    out = {"class_token": p["cls_token"], "encoder.pos_embedding": p["pos_embed"]}
    for name, t in p.items():
        for a, b in (("patch_embed.proj.", "conv_proj."), ("norm.", "encoder.ln."),
                     ("head.", "heads.head."), ("blocks.", "encoder.layers.encoder_layer_")):
            if name.startswith(a):
                name = b + name[len(a):]
                for x, y in ((".norm1.", ".ln_1."), (".norm2.", ".ln_2."),
                             (".attn.qkv.", ".self_attention.in_proj_"),
                             (".attn.proj.", ".self_attention.out_proj."),
                             (".mlp.fc1.", ".mlp.0."), (".mlp.fc2.", ".mlp.3.")):
                    name = name.replace(x, y)
                out[name] = t
                break
    return out


def to_hf_siglip(p):
    out = {"vision_model.embeddings.position_embedding.weight": p["pos_embed"][0],
           "vision_model.head.probe": p["attn_pool.latent"], "logit_scale": torch.ones(1),
           "text_model.final_layer_norm.weight": torch.ones(3)}
    head = "vision_model.head."
    pairs = [("patch_embed.proj", "vision_model.embeddings.patch_embedding"),
             ("norm", "vision_model.post_layernorm"), ("attn_pool.norm", head + "layernorm"),
             ("attn_pool.proj", head + "attention.out_proj"),
             ("attn_pool.mlp.fc1", head + "mlp.fc1"), ("attn_pool.mlp.fc2", head + "mlp.fc2")]
    for part in ("weight", "bias"):
        out[f"{head}attention.in_proj_{part}"] = torch.cat(
            [p[f"attn_pool.q.{part}"], p[f"attn_pool.kv.{part}"]])
    i = 0
    while f"blocks.{i}.norm1.weight" in p:
        a, b = f"blocks.{i}.", f"vision_model.encoder.layers.{i}."
        pairs += [(a + "norm1", b + "layer_norm1"), (a + "norm2", b + "layer_norm2"),
                  (a + "attn.proj", b + "self_attn.out_proj"), (a + "mlp.fc1", b + "mlp.fc1"),
                  (a + "mlp.fc2", b + "mlp.fc2")]
        for part in ("weight", "bias"):
            for name, t in zip("qkv", p[f"{a}attn.qkv.{part}"].chunk(3)):
                out[f"{b}self_attn.{name}_proj.{part}"] = t
        i += 1
    for a, b in pairs:
        for part in ("weight", "bias"):
            out[f"{b}.{part}"] = p[f"{a}.{part}"]
    return out


def to_big_vision(p, heads, old=False, prefix=""):
    """Layouts of flax: [in, out], [kh, kw, in, out], [in, heads, head_dim]. `old` are the names of
    google-research/vision_transformer, which count all modules of a block as one."""
    out = {}

    def dense(a, b):
        out[b + "/kernel"], out[b + "/bias"] = p[a + ".weight"].T, p[a + ".bias"]

    def scaled(a, b):
        out[b + "/scale"], out[b + "/bias"] = p[a + ".weight"], p[a + ".bias"]

    def attention(weights, biases, proj, b):
        d = proj[0].shape[0]
        for name, w, bias in zip(("query", "key", "value"), weights, biases):
            out[f"{b}/{name}/kernel"] = w.T.reshape(d, heads, d // heads)
            out[f"{b}/{name}/bias"] = bias.reshape(heads, d // heads)
        out[b + "/out/kernel"] = proj[0].T.reshape(heads, d // heads, d)
        out[b + "/out/bias"] = proj[1]

    def pair(name):
        return p[name + ".weight"], p[name + ".bias"]

    out["embedding/kernel"] = p["patch_embed.proj.weight"].permute(2, 3, 1, 0)
    out["embedding/bias"] = p["patch_embed.proj.bias"]
    if "pos_embed" in p:
        out["Transformer/posembed_input/pos_embedding" if old else "pos_embedding"] = p["pos_embed"]
    if "cls_token" in p:
        out["cls"] = p["cls_token"]
    i = 0
    while f"blocks.{i}.norm1.weight" in p:
        a, b = f"blocks.{i}.", f"Transformer/encoderblock_{i}/"
        scaled(a + "norm1", b + "LayerNorm_0")
        scaled(a + "norm2", b + ("LayerNorm_2" if old else "LayerNorm_1"))
        w, bias = pair(a + "attn.qkv")
        attention(w.chunk(3), bias.chunk(3), pair(a + "attn.proj"),
                  b + ("MultiHeadDotProductAttention_1" if old else
                       "MultiHeadDotProductAttention_0"))
        m = b + ("MlpBlock_3" if old else "MlpBlock_0")
        dense(a + "mlp.fc1", m + "/Dense_0")
        dense(a + "mlp.fc2", m + "/Dense_1")
        i += 1
    scaled("norm", "Transformer/encoder_norm")
    if "pre_logits.weight" in p:
        dense("pre_logits", "pre_logits")
    dense("head", "head")
    return {prefix + k: v for k, v in out.items()}


# ---- NFNet -----------------------------------------------------------------------------------

GAMMA = 1.7015043497085571


def nfnet_params(seed, depths, widths, mids, groups, gain=True):
    r, p = Random(seed), {}

    def conv(name, n_in, n_out, k, g=1):
        p[name + ".weight"] = r.matrix(n_out, n_in // g, k, k)
        p[name + ".bias"], p[name + ".gain"] = r.bias(n_out), r.gain(n_out, 1, 1, 1)

    stem = [8, 12, 16, widths[0] // 2]
    for i, (a, b) in enumerate(zip([3] + stem, stem)):
        conv(f"stem.conv{i + 1}", a, b, 3)
    n = stem[-1]
    for s, depth in enumerate(depths):
        for i in range(depth):
            b, out, mid = f"stages.{s}.{i}.", widths[s], mids[s]
            conv(b + "conv1", n, mid, 1)
            conv(b + "conv2", mid, mid, 3, groups[s])
            conv(b + "conv2b", mid, mid, 3, groups[s])
            conv(b + "conv3", mid, out, 1)
            if i == 0:
                conv(b + "downsample.conv", n, out, 1)
            for name, x, y in (("fc1", out, out // 2), ("fc2", out // 2, out)):
                p[f"{b}attn_last.{name}.weight"] = r.matrix(y, x, 1, 1)
                p[f"{b}attn_last.{name}.bias"] = r.bias(y)
            if gain:
                p[b + "skipinit_gain"] = r.gain()
            n = out
    conv("final_conv", n, 2 * n, 1)
    p["head.fc.weight"], p["head.fc.bias"] = r.matrix(10, 2 * n), r.bias(10)
    return p


def nfnet(p, x, groups, deepmind=False, in_weights=False, gelu="none"):
    def standardised(name):
        w, gain = p[name + ".weight"], p[name + ".gain"]
        fan_in = w[0].numel()
        mean = w.mean((1, 2, 3), keepdim=True)
        var = w.var((1, 2, 3), unbiased=False, keepdim=True)
        if deepmind:
            scale = gain * torch.rsqrt(torch.clamp(var * fan_in, min=1e-4))
        else:
            scale = gain * fan_in ** -0.5 * torch.rsqrt(var + 1e-5)
        return (w - mean) * scale * (GAMMA if in_weights else 1)

    def conv(name, x, stride=1, g=1):
        w = standardised(name)
        k = w.shape[-1]
        if in_weights:
            x = F.pad(x, [k // 2] * 4)
        else:
            pads = []
            for n in (x.shape[3], x.shape[2]):
                total = max((-(-n // stride) - 1) * stride + k - n, 0)
                pads += [total // 2, total - total // 2]
            x = F.pad(x, pads)
        return F.conv2d(x, w, p[name + ".bias"], stride, groups=g)

    def act(x):
        x = F.gelu(x, approximate=gelu)
        return x if in_weights else x * GAMMA

    x = conv("stem.conv1", x, 2)
    for i, stride in ((2, 1), (3, 1), (4, 2)):
        x = conv(f"stem.conv{i}", act(x), stride)
    variance, s = 1.0, 0
    while f"stages.{s}.0.conv1.weight" in p:
        i = 0
        while f"stages.{s}.{i}.conv1.weight" in p:
            b, stride = f"stages.{s}.{i}.", 2 if s > 0 and i == 0 else 1
            out = act(x) * variance ** -0.5
            shortcut = x
            if b + "downsample.conv.weight" in p:
                y = F.avg_pool2d(out, 2, 2, ceil_mode=True, count_include_pad=False) \
                    if stride > 1 else out
                shortcut = conv(b + "downsample.conv", y)
            out = conv(b + "conv1", out)
            out = conv(b + "conv2", act(out), stride, groups[s])
            out = conv(b + "conv2b", act(out), 1, groups[s])
            out = conv(b + "conv3", act(out))
            gate = F.relu(F.conv2d(out.mean((2, 3), keepdim=True), p[b + "attn_last.fc1.weight"],
                                   p[b + "attn_last.fc1.bias"]))
            gate = torch.sigmoid(F.conv2d(gate, p[b + "attn_last.fc2.weight"],
                                          p[b + "attn_last.fc2.bias"]))
            x = 2 * gate * out * p.get(b + "skipinit_gain", 1) * 0.2 + shortcut
            variance = (1.0 if i == 0 else variance) + 0.2 ** 2
            i += 1
        s += 1
    x = act(conv("final_conv", x)).mean((2, 3))
    return F.linear(x, p["head.fc.weight"], p["head.fc.bias"])


# ---- cases ---------------------------------------------------------------------------------------


def vit_case(root, name, config=None, forward=None, rename=None, npz=False, **kwargs):
    p = vit_params(hash_of(name), **kwargs)
    grid, patch = kwargs.get("grid", 4), kwargs.get("patch", 16)
    x = torch.randn(2, 3, grid * patch, grid * patch, generator=torch.Generator().manual_seed(7))
    y = vit(p, x, heads=kwargs.get("heads", 2), pool=kwargs.get("pool", "token"), **(forward or {}))
    folder = os.path.join(root, name)
    save_case(folder, x, y, config)
    tensors = rename(p) if rename else p
    if npz:
        np.savez(os.path.join(folder, "model.npz"), **{k: v.numpy() for k, v in tensors.items()})
    else:
        save_safetensors(os.path.join(folder, "model.safetensors"), tensors)


def hash_of(name):
    return sum(ord(c) * 31 ** i for i, c in enumerate(name)) % 2 ** 31


def nfnet_case(root, name, config=None, side=65, **kwargs):
    shape = dict(depths=[1, 2, 2, 1], widths=[32, 64, 96, 96], mids=[16, 32, 48, 48],
                 groups=[1, 2, 3, 3])
    p = nfnet_params(hash_of(name), gain=not kwargs.get("in_weights"), **shape)
    x = torch.randn(2, 3, side, side + 6, generator=torch.Generator().manual_seed(7))
    folder = os.path.join(root, name)
    save_case(folder, x, nfnet(p, x, shape["groups"], **kwargs), config)
    save_safetensors(os.path.join(folder, "model.safetensors"), p)


def main():
    root = sys.argv[1]
    torch.set_grad_enabled(False)
    tanh = {"gelu": "tanh"}
    vit_case(root, "timm_token")
    vit_case(root, "wrapped_twice",
             rename=lambda p: {"module._orig_mod." + k: v for k, v in p.items()})
    vit_case(root, "timm_gap_fc_norm", pool="avg", fc_norm=True)
    vit_case(root, "timm_gap", pool="avg", cls=False)
    vit_case(root, "timm_registers", registers=4, positions="grid", pool="token")
    vit_case(root, "timm_registers_gap", registers=3, positions="all", pool="avg", fc_norm=True)
    vit_case(root, "timm_qk_norm", qk_norm=True, heads=4, d=96)
    vit_case(root, "dinov2_swiglu", scale=True, mlp="w12", patch=14)
    vit_case(root, "timm_swiglu", mlp="parts", scale=True, cls=False, pool="avg")
    vit_case(root, "openclip_pre_norm", pre_norm=True, forward={"eps": 1e-5},
             rename=lambda p: {"visual.trunk." + k: v for k, v in p.items()})
    vit_case(root, "timm_map_by_name", cls=False, pool="map", d=96, heads=12,
             config={"architecture": "vit_so400m_patch16_siglip_256", "num_classes": 10,
                     "model_args": {"num_heads": 12}}, forward=tanh)
    vit_case(root, "timm_head_by_config", pool="avg", config={
        "architecture": "vit_base_patch16_224", "global_pool": "avg",
        "model_args": {"embed_dim": 128, "num_heads": 2}})
    vit_case(root, "hf_vit_4", rename=to_hf_vit, d=96, heads=3, forward={"eps": 1e-12},
             config={"model_type": "vit", "num_attention_heads": 3, "hidden_act": "gelu",
                     "image_size": 64, "layer_norm_eps": 1e-12})
    vit_case(root, "hf_siglip_map", cls=False, pool="map", forward=tanh, d=96, heads=4,
             rename=lambda p: {**to_hf_siglip(p), "classifier.weight": p["head.weight"],
                               "classifier.bias": p["head.bias"]},
             config={"model_type": "siglip", "architectures": ["SiglipModel"],
                     "vision_config": {"num_attention_heads": 4, "image_size": 64}})
    vit_case(root, "big_vision_token_rep", forward=tanh, positions="grid", rep=48, d=96, heads=4,
             rename=lambda p: to_big_vision(p, 4, prefix="params/"), npz=True)
    vit_case(root, "vision_transformer_old", forward=tanh, d=96, heads=4, npz=True,
             rename=lambda p: to_big_vision(p, 4, old=True, prefix="opt/target/"))
    vit_case(root, "big_vision_sincos", forward=tanh, positions="sincos", cls=False, pool="avg",
             d=96, heads=4, depth=1, patch=32, grid=7, npz=True,
             rename=lambda p: to_big_vision(p, 4, prefix="params/"))
    both = {"pool": "token+gap", "scale": True, "patch": 14}
    vit_case(root, "hf_dinov2", d=96, heads=3, rename=to_hf_dinov2, config={
        "model_type": "dinov2", "num_attention_heads": 3, "image_size": 56, "layer_norm_eps": 1e-6,
        "hidden_act": "gelu", "architectures": ["Dinov2ForImageClassification"]}, **both)
    vit_case(root, "hf_dinov2_giant", mlp="w12", rename=lambda p: to_hf_dinov2(p, newer=True), **both)
    vit_case(root, "hf_dinov2_registers", registers=4, positions="class", **both,
             rename=lambda p: to_hf_dinov2(p, "dinov2_with_registers"))
    vit_case(root, "dinov2_registers", registers=4, positions="class", scale=True,
             rename=lambda p: {k.replace("reg_token", "register_tokens"): v for k, v in p.items()})
    vit_case(root, "torchvision", rename=to_torchvision)
    # 16 heads of 72, which no tensor says, and width 1152 tells.
    vit_case(root, "timm_so400m_heads", d=1152, heads=16, depth=1, f=64, grid=2, cls=False,
             pool="avg")
    nfnet_case(root, "timm_dm_nfnet", config={
        "architecture": "dm_nfnet_f0",
        "pretrained_cfg": {"input_size": [3, 32, 32], "test_input_size": [3, 65, 71]}})
    nfnet_case(root, "timm_nfnet", in_weights=True, side=64)


if __name__ == "__main__":
    main()

"""A timm ViT's checkpoint with position embeddings that PyTorch resampled.

    python3 resample.py FOLDER OUT SIDE RULE

Copies FOLDER/model.safetensors (class token first) to OUT with a table for
SIDE x SIDE patches of 16 pixels, and writes OUT/input.npy, an image of noise.
"""

import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from good import safetensors_bytes

MODES = {"timm": {"mode": "bicubic", "antialias": True}, "hf": {"mode": "bicubic"},
         "big-vision": {"mode": "bilinear", "align_corners": True}, "timm-npz": {"mode": "bilinear"}}


def read(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {k: np.frombuffer(data[8 + length:], "<f4", -1 if not v["shape"] else int(np.prod(v["shape"])),
                             v["data_offsets"][0]).reshape(v["shape"]) for k, v in header.items()}


def main(folder, out, side, rule):
    tensors = read(os.path.join(folder, "model.safetensors"))
    table = torch.tensor(tensors["pos_embed"].copy()).double()
    old = round((table.shape[1] - 1) ** 0.5)
    grid = table[:, 1:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(side, side), **MODES[rule])
    grid = grid.permute(0, 2, 3, 1).reshape(1, side * side, -1)
    tensors["pos_embed"] = torch.cat([table[:, :1], grid], 1).float().numpy()
    os.mkdir(out)
    with open(os.path.join(out, "model.safetensors"), "wb") as file:
        file.write(safetensors_bytes({k: ("f32", v) for k, v in tensors.items()}))
    config = json.load(open(os.path.join(folder, "config.json")))
    config["pretrained_cfg"]["input_size"] = [3, 16 * side, 16 * side]
    config.get("model_args", {})["img_size"] = 16 * side
    json.dump(config, open(os.path.join(out, "config.json"), "w"))
    rng = np.random.default_rng(5)
    np.save(os.path.join(out, "input.npy"), rng.standard_normal((1, 3, 16 * side, 16 * side), "f4"))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])

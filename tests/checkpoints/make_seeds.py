"""Write the seeds of tests/fuzz/fuzz_checkpoint: python3 make_seeds.py DIR

Small files of each container behind the byte that chooses it (see there).
Files that need torch are left as they are if it is not installed.
"""

import os
import pickle
import sys

import good
import hostile_pickle
import numpy as np

SAFETENSORS, NPZ, PTH, PICKLE = 0, 2, 3, 4


def main(folder):
    small = {"a/w": np.arange(6, dtype="float32").reshape(2, 3), "b": np.int64(4).reshape(())}
    fortran = {"f": np.asfortranarray(np.arange(6, dtype="int16").reshape(2, 3))}
    nested = {"m": {"w": small["a/w"], "s": small["b"]}, "n": [1, (2.5, None)]}
    seeds = {
        "safetensors": (SAFETENSORS, good.safetensors_bytes(good.expect(small), {"format": "pt"})),
        "stored": (NPZ, good.npz_bytes(np.savez, small)),
        "deflated": (NPZ, good.npz_bytes(np.savez_compressed, {**small, **fortran})),
        "pth": (PTH, hostile_pickle.torch_file(
            b"\x80\x02}" + hostile_pickle.text("model") + b"}" + hostile_pickle.text("module.w") +
            hostile_pickle.tensor(shape=(3, 2), strides=(1, 3)) + b"ss.", (("0", bytes(24)),))),
    }
    seeds["pth_before_zip"] = (PTH, hostile_pickle.before_zip())
    for protocol in (2, 4, 5):
        seeds["pickle_%d" % protocol] = (PICKLE, pickle.dumps(nested, protocol))
    for name, (kind, data) in seeds.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(bytes([kind]) + data)


main(sys.argv[1])

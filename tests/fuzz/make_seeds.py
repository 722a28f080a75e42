"""Write the seeds of the fuzz targets: python3 make_seeds.py [DIR]

Needs numpy and Pillow; with jpegtran (libjpeg-turbo-progs) two more
JPEGs are made.
Findings that were mended are kept beside them, named for what was found, as is
what is in seeds/dataset, seeds/npy and seeds/graph (found by fuzzing).
"""

import io
import json
import os
import pickle
import subprocess
import sys

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "checkpoints"))

import good  # noqa: E402
import hostile_pickle  # noqa: E402


def containers():
    small = {"a/w": np.arange(6, dtype="float32").reshape(2, 3), "b": np.int64(4).reshape(())}
    fortran = {"f": np.asfortranarray(np.arange(6, dtype="int16").reshape(2, 3))}
    nested = {"m": {"w": small["a/w"], "s": small["b"]}, "n": [1, (2.5, None)]}
    yield "safetensors/two", good.safetensors_bytes(good.expect(small), {"format": "pt"})
    yield "npz/stored", good.npz_bytes(np.savez, small)
    yield "npz/deflated", good.npz_bytes(np.savez_compressed, {**small, **fortran})
    yield "pth/before_zip", hostile_pickle.before_zip()
    yield "pth/nested", hostile_pickle.torch_file(
        b"\x80\x02}" + hostile_pickle.text("model") + b"}" + hostile_pickle.text("module.w") +
        hostile_pickle.tensor(shape=(3, 2), strides=(1, 3)) + b"ss.", (("0", bytes(24)),))
    yield "pth/no_pickle", good.npz_bytes(np.savez, {"b": small["b"]})
    yield "pickle/long_keys", pickle.dumps({"A" * 4095: {"B" * 200: np.float32(1)}}, 2)
    for protocol in (2, 4, 5):
        yield "pickle/protocol_%d" % protocol, pickle.dumps(nested, protocol)


def jpegs():
    x, y = np.meshgrid(np.arange(20), np.arange(18))
    pixels = np.stack([x * 12, y * 14, (x * y) % 256], -1).astype("uint8")
    color = Image.fromarray(pixels)

    def encode(image, **options):
        file = io.BytesIO()
        image.save(file, "JPEG", **options)
        return file.getvalue()

    exif = Image.Exif()
    exif[0x112] = 6
    baseline = encode(color, quality=40, subsampling=2)
    yield "jpeg/baseline_420", baseline
    yield "jpeg/444_exif", encode(color, quality=30, subsampling=0, exif=exif)
    yield "jpeg/progressive", encode(color, quality=30, progressive=True)
    yield "jpeg/optimised_422", encode(color, quality=30, subsampling=1, optimize=True)
    yield "jpeg/grey", encode(color.convert("L"), quality=30)
    yield "jpeg/cmyk", encode(color.convert("CMYK"), quality=30)
    for name, *options in (("arithmetic", "-arithmetic"), ("restarts", "-restart", "1B")):
        try:
            done = subprocess.run(["jpegtran"] + options, input=baseline, capture_output=True)
            yield "jpeg/" + name, done.stdout
        except FileNotFoundError:
            print("no jpegtran: jpeg/%s is left as it is" % name)


def external():
    """Byte 0 chooses; see fuzz_external.c for the rest."""
    keys = {"location": 0, "offset": 1, "length": 2, "checksum": 3, "basepath": 4}

    def entries(**values):
        return b"\0" + b"\n".join(bytes([keys[k]]) + v.encode() for k, v in values.items())

    yield "external/plain", entries(location="data", offset="8", length="8")
    yield "external/below", entries(location="sub/data", checksum="0")
    yield "external/upwards", entries(location="sub/../../secret")
    yield "external/link", entries(location="up/secret", offset="0")
    yield "external/hard", entries(location="hard")
    yield "external/pipe", entries(location="./pipe")
    yield "external/index", b'\1{"metadata": {}, "weight_map": {"a": "one"}}'
    yield "external/index_upwards", b'\1{"weight_map": {"a": "../shard", "b": "shard_link"}}'


def recipes():
    yield "recipe/full", (
        b'\0{"resize": "short", "size": [48, 32], "crop_pct": 0.875, "filter": "bicubic", '
        b'"mean": [0.485, 0.456, 0.406], "std": 0.5, "fill": [1, 2, 3], '
        b'"resize_order": "vertical", "resampler": "pillow", "pixels": "uint8", '
        b'"crop_rounding": "up", "dct": "fast"}')
    yield "recipe/preset", b'\0{"recipe": {"preset": "big-vision", "size": 224, "margin": 32}}'
    yield "recipe/timm", (
        b'\1{"architecture": "dm_nfnet_f0", "pretrained_cfg": {"input_size": [3, 192, 192], '
        b'"test_input_size": [3, 256, 256], "crop_pct": 0.9, "interpolation": "bicubic", '
        b'"crop_mode": "squash", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}')
    yield "recipe/transformers", (
        b'\1{"do_resize": true, "size": {"shortest_edge": 256}, "resample": 3, '
        b'"do_center_crop": true, "crop_size": {"height": 224, "width": 224}, '
        b'"do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true, '
        b'"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}')
    yield "recipe/config_vit", (
        b'\2{"model_type": "vit", "hidden_act": "gelu", "num_attention_heads": 3, '
        b'"image_size": 32, "patch_size": 16, "layer_norm_eps": 1e-12}')
    yield "recipe/config_timm", (
        b'\2{"architecture": "vit_base_patch16_siglip_224", "model_args": {"img_size": 224}, '
        b'"pretrained_cfg": {"input_size": [3, 224, 224]}}')


def documents():
    yield "json/strings", (r'{"": "\"\\\/\b\f\n\r\t", "\u00e9\u20AC": "\ud834\udd1e", "k": "'
                           "\u00e9\u20ac\U0001d11e\x7f\"}").encode()
    yield "json/numbers", b"[0, -0, 12, 9223372036854775807, -9223372036854775808, 0.5, -1.25e+2, 4E-9, 1e0]"
    yield "json/nested", b' {"a" : [true,false , null,{}, []],\r\n\t"b":[[[[{"a":{"a":[1]}}]]]]} \n'
    yield "json/twice", b'{"a": 1, "b": {"a": 2}, "\\u0061": 3}'


def labels():
    yield "labels/map", b"\0# a map\ncat 3\ndog,4\nbig bird\t-\n"
    yield "labels/map_lines", b"\0" + b"\r\n".join(b"%d" % i for i in range(9, -1, -1))
    yield "labels/lists", b"\1[[1, 2], [], [9], [0]]"
    yield "labels/numbers", b"\2" + b"490\n361\n1\n"
    yield "labels/paths", b"\2a.jpg cat\nb.jpg,dog\nILSVRC2012_val_00000002.JPEG cat\n"
    yield "labels/names", b"\3tench\ngoldfish\n\nshark\r\n"
    yield "labels/names_json", b'\3{"0": "tench", "2": "shark"}'


def evaluation():
    """Journals get their checksums in fuzz_journal.c."""
    texts = ["model", "model_sha256", "dataset", "dataset_words", "list_sha256", "recipe",
             "recipe_sha256", "precision", "library", "backend", "options"]
    numbers = {"listed": 3, "classes": 4, "parameters": 10, "macs": 77}
    digest = "ab" * 32
    lines = ["D %s text" % t for t in texts] + ["D %s %d" % n for n in numbers.items()]
    lines += ["N 0 a%20b", "H %d" % (len(lines) + 1)]
    lines += ["R 0 ok a.jpg 1,2 99 %s %% 0.5 -1.25 %s 1:3.5 0:2.5" % (digest, digest),
              "R 2 missing c.jpg - 0 %s not%%20there" % digest, "T 1 0.500 2"]
    text = "fovea journal 1\n" + "".join("0" * 16 + " " + line + "\n" for line in lines)
    yield "journal/three", b"\0" + text.encode()
    yield "predictions/report", (b"path,label,pred,correct,logit,prob,top5\n"
                                 b"a/0.jpg,1,1,1,3.5,0.5,1 2 3 4 5\nb.jpg,2 3,0,0,1,0.1,0\n")
    yield "predictions/quoted", b'pred,path,label\r\n1,"x,""y""\n",1\r\n,z,\r\n'


def comparison():
    """The report of A, and behind a NUL that of B; see fuzz_compare.c."""
    def report(**values):
        names = ["cat", None, "d\u00e9j\u00e0\n\u202e"]
        classes = [{"class": i, "name": name, "images": 3} for i, name in enumerate(names)]
        return json.dumps({"kind": "fovea eval", "precision": "f32", "per_class": classes,
                           "model_sha256": "ab" * 32, **values}).encode()

    yield "compare/both", report() + b"\0" + report(precision="bf16", library="0.2")
    yield "compare/one", report(model_sha256=None, backend=3)
    yield "compare/other_types", b'{"per_class": {"class": 1}, "precision": []}\0[1, 2]'
    yield "compare/in_vain", b'{"per_class": [1, null, {"class": "0", "name": 3}, {"class": 2}]}'


def requests():
    """Byte 0 cuts the body and says who leaves; see fuzz_service.c."""
    def request(line, body=b"", fields=(), cut=0):
        fields = ["Host: x", *fields] + (["Content-Length: %d" % len(body)] if body else [])
        return bytes([cut]) + "\r\n".join([line, *fields, "", ""]).encode() + body

    def infer(cut=0, top=(), tail=b"", **values):
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3, 2, 3], **values}
        text = json.dumps({**dict(top), "inputs": [tensor]}).encode()
        fields = ["Inference-Header-Content-Length: %d" % len(text)] if tail else []
        return request("POST /v2/models/model/infer", text + tail, fields, cut)

    image = np.arange(18, dtype="float32") / 4
    nested = image.reshape(1, 3, 2, 3).tolist()
    yield "service/metadata", request("GET /v2/models/model/versions/1?a=b")
    yield "service/ready", request("GET /v2/health/ready")
    yield "service/page", request("HEAD / HTTP/1.1", fields=["Accept: */*"])
    yield "service/metrics", request("GET /metrics")
    yield "service/not_there", request("GET /v2/models/..%2f/ready")
    yield "service/other_method", request("PUT /classify", b"x")
    yield "service/classify", request("POST /classify?k=3", b"\xff\xd8\xff\xff")
    yield "service/classify_gone", request("POST /classify?k=2", b"\xff\xd8\xff\xd8" * 9, cut=7)
    yield "service/chunked", b"\x04POST /classify\nTransfer-Encoding: chunked\n\n" + bytes(99)
    yield "service/smuggled", request("POST /classify", b"ab", ["Transfer-Encoding: chunked"])
    yield "service/flat", infer(data=image.tolist(), top={"id": "a\0\u00e9"})
    yield "service/nested", infer(cut=8, data=image.reshape(1, 3, 2, 3).tolist(),
                                  top={"parameters": {"binary_data_output": True}})
    yield "service/binary", infer(parameters={"binary_data_size": 72}, tail=image.tobytes())
    output = {"name": 'y"\\\n', "parameters": {"classification": 3, "binary_data": False}}
    yield "service/classification", infer(data=image.tolist(), top={"outputs": [output]})
    yield "service/wrong_shape", infer(data=image.tolist(), shape=[4, 3, 2, 3])


def networks():
    """Names and shapes of small networks of every code base; see fuzz_network.c."""
    try:
        import make_networks as made
    except ImportError:
        print("no torch: network/* is left as it is")
        return

    def lines(params, *more):
        shapes = ["%s %s" % (k, ",".join(map(str, t.shape))) for k, t in params.items()]
        return "\n".join([*more, *shapes, ""]).encode()

    def vit(**words):
        return made.vit_params(1, **{**dict(d=8, depth=1, f=12, heads=2, patch=4, grid=2, classes=3),
                                     **words})

    def config(**words):
        return json.dumps(words)

    def nfnet(**words):
        return made.nfnet_params(1, [1, 1, 1, 1], [8, 8, 12, 12], [4, 4, 6, 6], [1, 2, 3, 1], **words)

    tower = vit(cls=False, pool="map")
    yield "network/timm_token", lines(vit(), "=heads 2", "=convert")
    yield "network/timm_resized", lines(vit(), "=heads 2", "=size 12", "=positions timm")
    yield "network/timm_registers", lines(vit(registers=2, positions="class", scale=True),
                                          "=heads 1")
    yield "network/timm_qk_norm", lines(vit(qk_norm=True, pool="avg", fc_norm=True), "=gelu tanh")
    yield "network/timm_swiglu", lines(vit(mlp="parts", cls=False, pool="avg"), "=heads 2", "=head gap")
    yield "network/timm_map", lines(tower, config(
        architecture="vit_base_patch16_siglip_224", model_args={"num_heads": 2}), "=convert")
    yield "network/hf_vit", lines(made.to_hf_vit(vit()), config(
        model_type="vit", num_attention_heads=2, image_size=8, hidden_act="gelu"))
    yield "network/hf_siglip", lines(made.to_hf_siglip(tower), config(
        model_type="siglip", vision_config={"num_attention_heads": 2, "image_size": 8}))
    yield "network/hf_dinov2", lines(made.to_hf_dinov2(vit(scale=True, mlp="w12", pool="token+gap")),
                                     "=heads 2")
    yield "network/torchvision", lines(made.to_torchvision(vit()), "=heads 4")
    yield "network/openclip", lines({"visual.trunk." + k: t for k, t in vit(pre_norm=True).items()},
                                    "=heads 2")
    yield "network/big_vision", lines(made.to_big_vision(vit(rep=4, positions="grid"), 2,
                                                         prefix="params/"), "=convert")
    yield "network/vision_transformer", lines(made.to_big_vision(vit(), 2, old=True))
    yield "network/big_vision_sincos", lines(made.to_big_vision(
        vit(positions="sincos", cls=False, pool="avg"), 2), "=size 8")
    yield "network/timm_nfnet", lines(nfnet(), config(
        architecture="dm_nfnet_f0", pretrained_cfg={"input_size": [3, 32, 32]}), "=convert")
    yield "network/nfnet_stage_of_nothing", lines(nfnet()).replace(b"3.0.conv1.weight 6,12,1,1",
                                                                   b"3.0.conv1.weight ")
    yield "network/vit_of_no_features", lines(vit(), "=heads 2").replace(
        b"pos_embed 1,5,8", b"pos_embed 1,%d,0" % (2 ** 44))
    yield "network/vit_of_any_width", lines(vit(), "=heads 1").replace(
        b"proj.weight 8,3,4,4", b"proj.weight %d,0,4,4" % 2 ** 31)
    yield "network/sincos_too_large", (
        lines(made.to_big_vision(vit(positions="sincos", cls=False, pool="avg"), 2)).replace(
            b"embedding/kernel 4,4,3,8", b"embedding/kernel 1,1,3,4096"))
    yield "network/name_vit", lines({}, "arch:vit-ti/16@32", "=gelu erf")
    yield "network/name_nfnet", lines({}, "arch:nfnet-f0@64", "=convert")
    yield "network/timm_nfnet_gamma", lines(nfnet(gain=False), "=ws timm", "=size 24")


def main(folder):
    for made in (containers, jpegs, external, recipes, documents, labels, evaluation,
                 comparison, requests, networks):
        for name, data in made():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "seeds"))

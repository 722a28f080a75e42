#!/usr/bin/env python3
"""Exports small classifiers with random weights by PyTorch's TorchScript exporter, in the layout of
the ONNX backend tests, with PyTorch's eager results as reference.

    make_exports.py DIR [WORD...]     into DIR; only cases whose name has one of the words
    make_exports.py --few DIR         one case of each kind, for the test suite

Needs torch 1.13 or newer and onnx; torchvision adds its own architectures."""
import os
import random
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
import torch
from torch import nn

import control
import families
import idioms
import others
from nfnet import NFNet, Eca, LinearSqueezeExcite
from vit import TorchEncoder, ViT

HW = {2: "height", 3: "width"}


def randomise(model, seed):
    """Weights at which activations keep their size and no parameter is an identity."""
    g = torch.Generator().manual_seed(seed)
    for name, p in list(model.named_parameters()) + list(model.named_buffers()):
        if not p.is_floating_point() or "mask" in name or "k_bias" in name:
            continue
        noise = torch.randn(p.shape, generator=g)
        with torch.no_grad():
            if "running_var" in name:
                p.copy_(0.5 + torch.rand(p.shape, generator=g))
            elif p.dim() > 1 and "gain" not in name and "pos" not in name:
                p.copy_(noise * max(1, p[0].numel()) ** -0.5)
            elif "bias" in name or "running_mean" in name or "pos" in name:
                p.copy_(0.2 * noise)
            else:
                p.copy_(1 + 0.2 * noise)


def write_tensor(path, tensor):
    with open(path, "wb") as f:
        f.write(numpy_helper.from_array(tensor.detach().numpy()).SerializeToString())


def write_data(folder, index, model, shape, half):
    g = torch.Generator().manual_seed(index + 1)
    x = torch.randn(shape, generator=g)
    y = model(x)
    data = os.path.join(folder, f"test_data_set_{index}")
    os.makedirs(data, exist_ok=True)
    write_tensor(os.path.join(data, "input_0.pb"), x.half() if half else x)
    write_tensor(os.path.join(data, "output_0.pb"), y.half() if half else y)
    return x


def to_half(path):
    """Weights, inputs and outputs to f16, as a converter after the export does it."""
    model = onnx.load(path)

    def convert(t):
        if t.data_type == onnx.TensorProto.FLOAT:
            a = numpy_helper.to_array(t).astype(np.float16)
            t.CopyFrom(numpy_helper.from_array(a, t.name))

    for t in model.graph.initializer:
        convert(t)
    for node in model.graph.node:
        for a in node.attribute:
            if a.type == onnx.AttributeProto.TENSOR:
                convert(a.t)
            if node.op_type == "Cast" and a.name == "to" and a.i == onnx.TensorProto.FLOAT:
                a.i = onnx.TensorProto.FLOAT16
    del model.graph.value_info[:]
    for v in list(model.graph.input) + list(model.graph.output):
        if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            v.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(model, path)


class Case:
    def __init__(self, name, make, shape=(2, 3, 32, 32), opset=17, dynamic=None, more=(),
                 half=False, unfolded=False):
        self.name, self.make, self.shape, self.opset = name, make, shape, opset
        self.dynamic, self.more, self.half, self.unfolded = dynamic, more, half, unfolded
        self.store = torch.float16 if half else torch.float32  # what weights are rounded to

    def write(self, root):
        torch.manual_seed(0)
        random.seed(0)
        model = self.make().eval()
        randomise(model, len(self.name))
        for p in model.parameters():
            p.data = p.data.to(self.store).to(p.dtype)
        folder = os.path.join(root, self.name)
        os.makedirs(folder, exist_ok=True)
        x = write_data(folder, 0, model, self.shape, self.half)
        for i, shape in enumerate(self.more):
            write_data(folder, i + 1, model, shape, self.half)
        path = os.path.join(folder, "model.onnx")
        self.export(model, x, path)
        if self.half:
            to_half(path)

    def export(self, model, x, path):
        extra = {}
        if self.unfolded:
            extra = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
        axes = {"input": self.dynamic, "output": {0: "batch"}} if self.dynamic else None
        torch.onnx.export(model, x, path, opset_version=self.opset, input_names=["input"],
                          output_names=["output"], dynamic_axes=axes, **extra)


BATCH = {0: "batch"}
ANY = {0: "batch", **HW}
OTHER_BATCH = [(5, 3, 32, 32), (1, 3, 32, 32)]
OTHER_SIZE = [(1, 3, 48, 40), (3, 3, 37, 53)]


def nfnets():
    for opset in (9, 11, 13, 14, 15, 16, 17):
        yield Case(f"nfnet_dm_{opset}", NFNet, opset=opset)
    yield Case("nfnet_dm_batch", NFNet, opset=13, dynamic=BATCH, more=OTHER_BATCH)
    yield Case("nfnet_dm_any", NFNet, opset=16, dynamic=ANY, more=OTHER_SIZE)
    yield Case("nfnet_dm_any_11", NFNet, opset=11, dynamic=ANY, more=OTHER_SIZE)
    yield Case("nfnet_dm_half", NFNet, half=True)
    yield Case("nfnet_dm_unfolded", NFNet, unfolded=True)
    yield Case("nfnet_dm_unfolded_12", NFNet, opset=12, unfolded=True)
    yield Case("nfnet_odd_size", NFNet, shape=(1, 3, 45, 51))
    kinds = {
        "symmetric": dict(same=False), "silu": dict(act="silu", gamma=1.78),
        "silu_plain": dict(act="silu", gamma=None, same=False, skipinit=False),
        "eca": dict(attn=Eca, act="silu", same=False), "relu": dict(act="relu", gamma=1.71),
        "tanh": dict(act="tanh_gelu"), "linear_se": dict(attn=LinearSqueezeExcite),
        "no_attn": dict(attn=None), "var_mean": dict(style="var_mean"),
        "clamped": dict(style="clamp"), "wide_group": dict(group=16, ratio=1.0),
        "no_extra": dict(extra=False), "attn_middle": dict(attn_last=False, gain=1.5),
        "mean_head": dict(mean_head=True), "one_group": dict(group=24, widths=(24, 24, 48)),
        "depthwise": dict(group=1, widths=(16, 32, 32)),
    }
    for name, kw in kinds.items():
        yield Case(f"nfnet_{name}", lambda kw=kw: NFNet(**kw), dynamic=BATCH, more=OTHER_BATCH[:1])
        yield Case(f"nfnet_{name}_13", lambda kw=kw: NFNet(**kw), opset=13)


def vits():
    for opset in (9, 11, 12, 13, 14, 15, 16, 17):
        yield Case(f"vit_token_{opset}", ViT, opset=opset)
        yield Case(f"vit_map_{opset}", lambda: ViT(pool="map"), opset=opset, dynamic=BATCH,
                   more=OTHER_BATCH)
    kinds = {
        "gap": dict(pool="gap"), "gap_after": dict(pool="gap_after"),
        "siglip": dict(pool="mha", act="gelu_tanh"), "registers": dict(registers=4),
        "scale": dict(layer_scale=True), "swiglu": dict(mlp="swiglu"),
        "swiglu_packed": dict(mlp="swiglu_packed", layer_scale=True),
        "qk_norm": dict(qk_norm="layer"), "qk_rms": dict(qk_norm="rms"), "rms": dict(norm="rms"),
        "hand_norm": dict(norm="hand"), "post": dict(post=True), "pre_norm": dict(pre_norm=True),
        "no_bias": dict(bias=False), "patch14": dict(size=36, patch=14),
        "patch16": dict(size=40, patch=16), "patch32": dict(size=80, patch=32),
        "oblong": dict(size=(32, 48)), "patches": dict(pos="patches"),
        "tanh_head": dict(head="tanh"), "unfold": dict(tokens="unfold"),
        "permute": dict(tokens="permute"), "reshape": dict(tokens="reshape"),
        "one_head": dict(heads=1), "many_heads": dict(heads=12), "odd_heads": dict(dim=60, heads=5),
    }
    for act in ("gelu_tanh", "by_hand", "by_products", "by_pow", "quick", "silu", "erf_by_hand",
                "erf_cdf", "relu_squared"):
        kinds[f"act_{act}"] = dict(act=act)
    for attn in ("index", "chunk", "separate", "einsum", "after", "both", "sdp", "causal",
                 "masked", "beit", "mha", "mha_bf"):
        kinds[f"attn_{attn}"] = dict(attn=attn)
    for name, kw in kinds.items():
        size = kw.get("size", 32)
        h, w = size if isinstance(size, tuple) else (size, size)
        yield Case(f"vit_{name}", lambda kw=kw: ViT(**kw), shape=(2, 3, h, w))
        yield Case(f"vit_{name}_batch13", lambda kw=kw: ViT(**kw), shape=(2, 3, h, w), opset=13,
                   dynamic=BATCH, more=[(3, 3, h, w)])
    yield Case("vit_half", ViT, half=True, opset=14)
    yield Case("vit_map_half", lambda: ViT(pool="map", act="gelu_tanh"), half=True)
    yield Case("vit_unfolded", lambda: ViT(pool="map"), unfolded=True)
    yield Case("vit_interpolate", lambda: ViT(pos="interpolate"), dynamic=ANY,
               more=[(1, 3, 48, 40)])
    yield Case("vit_interpolate_11", lambda: ViT(pos="interpolate", pool="gap"), opset=11,
               dynamic=ANY, more=[(1, 3, 48, 40)])
    for norm_first in (False, True):
        for batch_first in (False, True):
            yield Case(f"encoder_{norm_first:d}{batch_first:d}",
                       lambda n=norm_first, b=batch_first: TorchEncoder(
                           norm_first=n, batch_first=b), dynamic=BATCH, more=OTHER_BATCH)
    yield Case("encoder_mask", lambda: TorchEncoder(mask=True, act="relu"))


def kin():
    kinds = {
        "resnet_v1": lambda: others.ResNet(first_strided=True), "resnet_v15": others.ResNet,
        "resnet_d": lambda: others.ResNet(deep_stem=True, avg_down=True),
        "regnet": lambda: others.ResNet(groups=4, se=others.SE),
        "resnet_leaky": lambda: others.ResNet(act=lambda: nn.LeakyReLU(0.1)),
        "resnet_mish": lambda: others.ResNet(act=nn.Mish),
        "resnet_relu6": lambda: others.ResNet(act=nn.ReLU6),
        "resnet_elu": lambda: others.ResNet(act=nn.ELU), "mobilenet": others.MobileLike,
        "resnet_prelu": lambda: others.ResNet(act=nn.PReLU),
        "efficientnet": lambda: others.MobileLike(nn.SiLU, others.SE),
        "convnext": others.ConvNeXt, "convnext_conv": lambda: others.ConvNeXt("conv"),
        "densenet": others.DenseNet, "shufflenet": others.ShuffleNet, "swin": others.Swin,
        "mixer": others.Mixer,
    }
    for name, make in kinds.items():
        yield Case(name, make, dynamic=BATCH, more=OTHER_BATCH)
        yield Case(f"{name}_11", make, opset=11)
        yield Case(f"{name}_unfolded", make, opset=14, unfolded=True)
    yield Case("resnet_any", others.ResNet, dynamic=ANY, more=OTHER_SIZE)
    yield Case("mobilenet_any", others.MobileLike, opset=14, dynamic=ANY, more=OTHER_SIZE)
    yield Case("resnet_half", others.ResNet, half=True)


class HandCase(Case):
    def __init__(self, name, make, kind, opset, weights=idioms.F32, gelu="erf", external=False,
                 shape=(2, 3, 32, 32), **how):
        super().__init__(name, make, shape=shape, opset=opset)
        self.kind, self.weights, self.gelu, self.external = kind, weights, gelu, external
        self.how = how
        self.store = {idioms.F16: torch.float16, idioms.BF16: torch.bfloat16}.get(
            weights, torch.float32)

    def export(self, model, x, path):
        graph = self.kind(self.opset, self.weights, self.gelu)
        out = graph.vit(model, self.shape[0], **self.how) if isinstance(model, ViT) else \
            graph.nfnet(model)
        graph.save(path, out, list(self.shape), 10, self.external)


def by_hand():
    tanh = dict(act="gelu_tanh")
    for opset in (18, 20, 23):
        yield HandCase(f"dynamo_vit_token_{opset}", ViT, idioms.Dynamo, opset)
        yield HandCase(f"dynamo_vit_map_{opset}", lambda: ViT(pool="map", **tanh), idioms.Dynamo,
                       opset, gelu="tanh", external=opset == 20)
        yield HandCase(f"dynamo_vit_gap_{opset}", lambda: ViT(pool="gap", layer_scale=True),
                       idioms.Dynamo, opset)
        yield HandCase(f"dynamo_nfnet_{opset}", NFNet, idioms.Dynamo, opset)
        yield HandCase(f"jax_nfnet_{opset}", NFNet, idioms.Jax, opset)
        yield HandCase(f"jax_vit_{opset}", ViT, idioms.Jax, opset)
    yield HandCase("dynamo_nfnet_odd", NFNet, idioms.Dynamo, 18, shape=(1, 3, 45, 51))
    yield HandCase("dynamo_nfnet_symmetric", lambda: NFNet(same=False), idioms.Dynamo, 20,
                   external=True)
    yield HandCase("dynamo_vit_resize", lambda: ViT(pool="gap"), idioms.Dynamo, 18, resize=True)
    yield HandCase("dynamo_vit_mask", ViT, idioms.Dynamo, 23, masked=True)
    yield HandCase("jax_nfnet_odd", NFNet, idioms.Jax, 23, shape=(1, 3, 45, 51))
    yield HandCase("tf_nfnet_15", NFNet, idioms.TensorFlow, 15)
    yield HandCase("tf_vit_15", ViT, idioms.TensorFlow, 15)
    yield HandCase("dynamo_vit_f16", ViT, idioms.Dynamo, 18, weights=idioms.F16)
    yield HandCase("dynamo_vit_bf16", ViT, idioms.Dynamo, 20, weights=idioms.BF16)
    yield HandCase("dynamo_nfnet_bf16", NFNet, idioms.Dynamo, 18, weights=idioms.BF16)


def other_families():
    oblong = (2, 3, 32, 40)
    for style in ("timm", "hf"):
        for shared in (False, True):
            name = f"beit_{style}" + ("_shared" if shared else "")
            make = lambda style=style, shared=shared: families.Beit(style, shared)
            yield Case(name, make, shape=oblong, dynamic=BATCH, more=[(1,) + oblong[1:]])
            yield Case(f"{name}_12", make, shape=oblong, opset=12)
            yield Case(f"{name}_unfolded", make, shape=oblong, opset=16, unfolded=True)
    kinds = {"scale": {}, "size": dict(pos="size"), "registers": dict(registers=4),
             "giant": dict(pos="size", registers=2, swiglu=True)}
    for name, kw in kinds.items():
        make = lambda kw=kw: families.Dino(**kw)
        yield Case(f"dino_{name}", make, shape=(2, 3, 42, 35), dynamic=BATCH)
        yield Case(f"dino_{name}_12", make, shape=(1, 3, 35, 35), opset=12)
        yield Case(f"dino_{name}_unfolded", make, shape=(1, 3, 30, 51), opset=16, unfolded=True)
    yield Case("dino_any", lambda: families.Dino("size", 1), shape=(1, 3, 42, 35), dynamic=ANY,
               more=[(2, 3, 35, 35), (1, 3, 21, 66)])
    for name, make in (("swin_v2", families.SwinV2), ("convnext_v2", families.ConvNeXtV2)):
        yield Case(name, make, dynamic=BATCH, more=OTHER_BATCH)
        yield Case(f"{name}_12", make, opset=12)
        yield Case(f"{name}_unfolded", make, opset=16, unfolded=True)


def with_control():
    yield from control.by_hand()
    for opset in (11, 13, 16):
        yield Case(f"control_scripted_{opset}", control.Scripted, shape=(2, 3, 9, 12), opset=opset)
    yield Case("control_scripted_any", control.Scripted, shape=(2, 3, 9, 12), opset=16,
               dynamic=ANY, more=[(1, 3, 8, 7)])


def from_torchvision():
    try:
        from torchvision import models as tv
    except ImportError:
        print("torchvision is absent: its architectures are skipped", file=sys.stderr)
        return
    small = dict(num_classes=10)
    kinds = {
        "squeezenet": (lambda: tv.squeezenet1_1(**small), 64),
        "mnasnet": (lambda: tv.mnasnet0_5(**small), 64),
        "shufflenet_v2": (lambda: tv.shufflenet_v2_x0_5(**small), 64),
        "mobilenet_v2": (lambda: tv.mobilenet_v2(width_mult=0.35, **small), 64),
        "mobilenet_v3": (lambda: tv.mobilenet_v3_small(width_mult=0.5, **small), 64),
        "regnet_y": (lambda: tv.regnet_y_400mf(**small), 64),
        "efficientnet": (lambda: tv.efficientnet_b0(**small), 64),
        "densenet": (lambda: tv.DenseNet(8, (2, 2, 2), 16, 2, **small), 64),
        "googlenet": (lambda: tv.googlenet(aux_logits=False, init_weights=False, **small), 64),
        "inception": (lambda: tv.inception_v3(aux_logits=False, init_weights=False, **small), 96),
        "resnext": (lambda: tv.ResNet(tv.resnet.Bottleneck, [1, 1, 1, 1], groups=8,
                                      width_per_group=2, **small), 64),
        "vit": (lambda: tv.VisionTransformer(32, 8, 2, 4, 32, 64, **small), 32),
        "swin": (lambda: tv.SwinTransformer([4, 4], 24, [2, 2], [3, 6], [4, 4], **small), 64),
        "swin_v2": (lambda: tv.SwinTransformer(
            [4, 4], 24, [2, 2], [3, 6], [4, 4], block=tv.swin_transformer.SwinTransformerBlockV2,
            downsample_layer=tv.swin_transformer.PatchMergingV2, **small), 64),
        "maxvit": (lambda: tv.MaxVit(
            (64, 64), 16, 4, [16, 32], 8, [1, 1], 0.0, **small), 64),
        "convnext": (lambda: tv.ConvNeXt(
            [tv.convnext.CNBlockConfig(16, 32, 1), tv.convnext.CNBlockConfig(32, None, 1)],
            **small), 64),
        "alexnet": (lambda: tv.alexnet(num_classes=10), 64),
    }
    for name, (make, size) in kinds.items():
        yield Case(f"tv_{name}", make, shape=(1, 3, size, size), dynamic=BATCH,
                   more=[(2, 3, size, size)])
        yield Case(f"tv_{name}_13", make, shape=(1, 3, size, size), opset=13)


FEW = {"nfnet_dm_11", "nfnet_dm_any", "nfnet_dm_half", "nfnet_dm_unfolded", "nfnet_eca",
       "nfnet_linear_se_13", "nfnet_var_mean", "vit_map_9", "vit_token_17", "vit_siglip",
       "vit_attn_einsum", "vit_attn_masked", "vit_attn_mha", "vit_interpolate", "vit_qk_rms",
       "vit_swiglu_packed", "encoder_mask", "convnext", "densenet", "mobilenet_11", "shufflenet",
       "swin", "regnet", "beit_hf", "beit_timm_shared", "control_scripted_16",
       "control_scripted_any", "convnext_v2", "dino_any", "dino_giant_unfolded", "dino_scale", "swin_v2"}


def main():
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    few = sys.argv[1:2] == ["--few"]
    if len(sys.argv) < 2 + few or sys.argv[1 + few].startswith("-"):
        asked = sys.argv[1:2] in (["--help"], ["-h"])
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    root, words = (sys.argv[2], []) if few else (sys.argv[1], sys.argv[2:])
    groups = [nfnets, vits, by_hand, with_control, kin, other_families] + ([] if few else [from_torchvision])
    for group in groups:
        for case in group():
            if words and not any(word in case.name for word in words):
                continue
            made_by_hand = isinstance(case, (HandCase, control.Hand))
            if few and case.name not in FEW and not made_by_hand:
                continue
            try:
                case.write(root)
            except Exception as e:  # an exporter that cannot is no fault of the runtime
                shutil.rmtree(os.path.join(root, case.name), ignore_errors=True)
                print(f"not exported: {case.name}: {str(e).splitlines()[0][:150]}",
                      file=sys.stderr)


if __name__ == "__main__":
    main()

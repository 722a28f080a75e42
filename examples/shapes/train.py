"""Train the two classifiers of the shapes example and export them to ONNX.

    train.py [NAME...]      default: every model of MODELS

Reads val/, writes NAME.onnx, and what PyTorch predicts for val/ in NAME.reference.csv and .json.
Images grow from phase to phase: most of the learning happens on small ones, and the last phase
fits the weights to the size that the model is used at.
"""
import io
import json
import math
import multiprocessing
import pathlib
import sys
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import generate
from models import NFNet, SIZE, VitMap, count_macs

HERE = pathlib.Path(__file__).parent
THREADS = 2
TRAIN_IMAGES = 9000
BATCH = 32

# Phases are (images, image size, epochs, learning rate). The ViT's first has 8x8 tokens.
MODELS = {
    "nfnet_shapes": {
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        "phases": [(TRAIN_IMAGES, 120, 3, 2.5e-3), (3000, 240, 1, 1e-3), (500, SIZE, 1, 2e-4)]},
    "vit_map_shapes": {
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
        "phases": [(TRAIN_IMAGES, 64, 9, 1.5e-3), (TRAIN_IMAGES, 120, 1, 8e-4),
                   (1500, SIZE, 1, 2e-4)]},
}


def render(number):
    """The training image `number` and its mask; classes take turns."""
    classes = len(generate.CLASSES)
    return generate.draw(generate.TRAIN, number % classes, number // classes)


def pixels(source, size):
    """The uint8 pixels a model sees: both sides squashed to `size`, Pillow's bicubic."""
    image = Image.open(source).convert("RGB")
    return np.asarray(image.resize((size, size), Image.BICUBIC))


def small(jpeg_and_size):
    """`pixels` of one JPEG in memory, for a pool."""
    jpeg, size = jpeg_and_size
    return pixels(io.BytesIO(jpeg), size)


def to_input(images, model):
    """NHWC uint8 to normalised NCHW float."""
    x = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(model[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    return (x - mean) / std


def augment(x, masks, rng):
    """One of the eight symmetries of the square, the same for a whole batch and its masks."""
    if rng.random() < 0.5:
        x, masks = x.transpose(-2, -1), masks.transpose(-2, -1)
    flips = [axis for axis in (-2, -1) if rng.random() < 0.5]
    return x.flip(flips).contiguous(), masks.flip(flips)


def image_loss(net, x, labels, _):
    """Cross entropy with label smoothing."""
    return F.cross_entropy(net(x), labels, label_smoothing=0.05)


class TokenLoss(nn.Module):
    """image_loss of a ViT, and of each token's guess at what it shows: a class, or background.

    Where the subject is is known, because it was drawn. Learning from every token makes up for
    the few images that a ViT can see in minutes. The extra layer is not part of the model.
    """

    def __init__(self, dim):
        super().__init__()
        self.guess = nn.Linear(dim, len(generate.CLASSES) + 1)

    def forward(self, net, x, labels, masks):
        tokens = net.tokens(x)
        guess = self.guess(tokens).transpose(1, 2)
        side = math.isqrt(tokens.shape[1])
        shown = F.interpolate(masks[:, None], size=(side, side), mode="area").flatten(1) > 0.4
        target = torch.where(shown, labels[:, None], len(generate.CLASSES))
        whole = F.cross_entropy(net.fc(net.pool(tokens)), labels, label_smoothing=0.05)
        return whole + F.cross_entropy(guess, target)


def step_sizes(steps, peak):
    """Linear warm-up over a tenth of the steps, then half a cosine."""
    warm = max(1, steps // 10)
    return [peak * min((i + 1) / warm, 0.5 * (1 + math.cos(math.pi * i / steps)))
            for i in range(steps)]


def weight_groups(*parts):
    """Weights for the optimiser; SkipInit's gains start at 0 and must get going faster."""
    groups = [{"params": [], "haste": 1}, {"params": [], "haste": 10, "weight_decay": 0.0}]
    for part in parts:
        for name, weight in part.named_parameters() if isinstance(part, nn.Module) else ():
            groups[name.endswith("skip_gain")]["params"].append(weight)
    return groups


def train_phase(net, loss_of, model, images, masks, epochs, peak, rng):
    """AdamW on images in memory; label = number modulo classes."""
    order = np.concatenate([rng.permutation(len(images)) for _ in range(epochs)])
    rates = step_sizes(len(order) // BATCH, peak)
    optimiser = torch.optim.AdamW(weight_groups(net, loss_of), weight_decay=0.02)
    losses = []
    for step, rate in enumerate(rates):
        chosen = order[step * BATCH:(step + 1) * BATCH]
        labels = torch.from_numpy(chosen % len(generate.CLASSES))
        for group in optimiser.param_groups:
            group["lr"] = rate * group["haste"]
        x, where = augment(to_input(images[chosen], model), masks[chosen], rng)
        loss = loss_of(net, x, labels, where)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % 50 == 49:
            print(f"    step {step + 1}/{len(rates)} loss {np.mean(losses[-50:]):.3f}", flush=True)


def build(name):
    """The untrained network, for its first phase."""
    classes = len(generate.CLASSES)
    return NFNet(classes) if name.startswith("nfnet") else VitMap(classes, patch=8, grid=8)


def prepare_patches(net, model, images, size):
    """Fit the ViT's patches to the data in the first phase, to the image size in the others."""
    if size == 64:
        net.whiten(to_input(images[:500], model))
    else:
        net.stretch(size // 15, 15)


def train(name, drawn, pool):
    """All phases of one model."""
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    model, net = MODELS[name], build(name)
    loss_of = TokenLoss(net.fc.in_features) if isinstance(net, VitMap) else image_loss
    masks = torch.from_numpy(np.stack([mask for _, mask in drawn])).float() / 255
    for count, size, epochs, rate in model["phases"]:
        start = time.time()
        images = np.stack(pool.map(small, [(jpeg, size) for jpeg, _ in drawn[:count]], 50))
        if isinstance(net, VitMap):
            prepare_patches(net, model, images, size)
        print(f"  {count} images of {size} px", flush=True)
        train_phase(net, loss_of, model, images, masks, epochs, rate, rng)
        report(name, net, size)
        print(f"  {time.time() - start:.0f} s", flush=True)
    return net


def validation():
    """(path relative to val/, label) of every validation image, in order."""
    for label, name in enumerate(generate.CLASSES):
        for path in sorted((HERE / "val" / name).glob("*.jpg")):
            yield f"{name}/{path.name}", label


def predict(net, model, size):
    """Rows of (path, label, logits) over val/."""
    rows = []
    with torch.no_grad():
        for path, label in validation():
            image = pixels(HERE / "val" / path, size)
            rows.append((path, label, net(to_input(image[None], model))[0].tolist()))
    return rows


def top_k(rows, k):
    """How many rows have their label among the k largest logits."""
    return sum(label in np.argsort(logits)[::-1][:k] for _, label, logits in rows)


def report(name, net, size):
    """Print the validation accuracy at `size`."""
    rows = predict(net, MODELS[name], size)
    print(f"  {name} at {size}: {top_k(rows, 1)}/{len(rows)}", flush=True)


def recipe(model):
    """How an image becomes the model's input, as Fovea spells it."""
    return {"resize": "squash", "size": SIZE, "crop_pct": 1.0, "filter": "bicubic",
            "mean": model["mean"], "std": model["std"]}


def export(name, net):
    """Write NAME.onnx with its labels and recipe in the metadata."""
    path = str(HERE / f"{name}.onnx")
    fold = isinstance(net, VitMap)  # in the NFNet it would store every weight twice
    torch.onnx.export(net, torch.zeros(1, 3, SIZE, SIZE), path, opset_version=17,
                      do_constant_folding=fold,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {"labels": json.dumps(generate.CLASSES),
                                        "recipe": json.dumps(recipe(MODELS[name]))})
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def write_reference(name, net):
    """Write what PyTorch predicts, for others to be compared with."""
    rows = predict(net, MODELS[name], SIZE)
    lines = ["path,label,pred," + ",".join(f"logit{i}" for i in range(len(generate.CLASSES)))]
    for path, label, logits in rows:
        cells = [path, label, int(np.argmax(logits))] + [f"{x:.7g}" for x in logits]
        lines.append(",".join(map(str, cells)))
    (HERE / f"{name}.reference.csv").write_text("\n".join(lines) + "\n")
    summary = {"model": name, "images": len(rows), "top1_count": top_k(rows, 1),
               "top5_count": top_k(rows, 5), "parameters": sum(p.numel() for p in net.parameters()),
               "macs": count_macs(net), "recipe": recipe(MODELS[name]),
               "classes": generate.CLASSES}
    (HERE / f"{name}.reference.json").write_text(json.dumps(summary, indent=1) + "\n")


def main(names):
    """Train, export and evaluate each named model."""
    torch.set_num_threads(THREADS)
    with multiprocessing.Pool(THREADS) as pool:
        start = time.time()
        drawn = pool.map(render, range(TRAIN_IMAGES), 20)
        print(f"{len(drawn)} training images drawn in {time.time() - start:.0f} s", flush=True)
        for name in names or MODELS:
            net = train(name, drawn, pool).eval()
            export(name, net)
            write_reference(name, net)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Train the two classifiers of the shapes example and export them to ONNX.

    train.py NAME MINUTES       trains one of MODELS for so long, on one core

Reads val/, writes NAME.onnx, and what PyTorch predicts for val/ in NAME.reference.csv and .json.
All learning happens on images shrunk by area to a quarter of the side that the models take. A
first convolution with each weight repeated 4x4 times sees a large image as the trained one sees
the shrunk image, so the finished model needs no further training at its own size. Debian's PyTorch
needs libopenblas0-openmp beside it, or its matrix products are many times slower.
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
from models import NFNet, SHRINK, SIZE, VitMap, count_macs

HERE = pathlib.Path(__file__).parent
DRAWN = HERE / "drawn.npz"
TRAIN_IMAGES = 4000

MODELS = {
    "nfnet_shapes": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
                     "rate": 3e-3, "batch": 64},
    "vit_map_shapes": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
                       "rate": 1.5e-3, "batch": 32},
}


def pixels(source, shrink=1):
    """What a model sees, uint8: both sides squashed to SIZE by bicubic, then shrunk by area."""
    image = Image.open(source).convert("RGB").resize((SIZE, SIZE), Image.BICUBIC)
    return np.asarray(image.reduce(shrink))


def render(number):
    """The training image `number`, shrunk, and its mask; classes take turns."""
    classes = len(generate.CLASSES)
    jpeg, mask = generate.draw(generate.TRAIN, number % classes, number // classes)
    return pixels(io.BytesIO(jpeg), SHRINK), mask


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


def recolour(images, rng):
    """NHWC pixels with their colours exchanged and, half the time, inverted."""
    images = images[..., rng.permutation(3)]
    return images if rng.random() < 0.5 else 255 - images


def image_loss(net, x, labels, _):
    """Cross entropy with label smoothing."""
    return F.cross_entropy(net(x), labels, label_smoothing=0.1)


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
        whole = F.cross_entropy(net.fc(net.pool(tokens)), labels, label_smoothing=0.1)
        return whole + F.cross_entropy(guess, target)


def step_size(done, peak):
    """Linear warm-up over the first twentieth of the time, then half a cosine."""
    return peak * min(20 * done + 0.01, 0.5 * (1 + math.cos(math.pi * done)))


def weight_groups(*parts):
    """Weights for the optimiser; SkipInit's gains start at 0 and must get going faster."""
    groups = [{"params": [], "haste": 1}, {"params": [], "haste": 10, "weight_decay": 0.0}]
    for part in parts:
        for name, weight in part.named_parameters() if isinstance(part, nn.Module) else ():
            groups[name.endswith("skip_gain")]["params"].append(weight)
    return groups


def batches(count, size, rng):
    """Endless batches of image numbers, each number once per pass."""
    while True:
        order = rng.permutation(count)
        for first in range(0, count - size + 1, size):
            yield order[first:first + size]


def fit(net, loss_of, model, images, masks, seconds):
    """AdamW on images in memory until the time is up; label = number modulo classes."""
    rng = np.random.default_rng(1)
    optimiser = torch.optim.AdamW(weight_groups(net, loss_of), weight_decay=0.02)
    start, losses = time.time(), []
    for step, chosen in enumerate(batches(len(images), model["batch"], rng), 1):
        done = (time.time() - start) / seconds
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = step_size(done, model["rate"]) * group["haste"]
        x = to_input(recolour(images[chosen], rng), model)
        x, where = augment(x, masks[chosen], rng)
        loss = loss_of(net, x, torch.from_numpy(chosen % len(generate.CLASSES)), where)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % 50 == 0:
            print(f"  {100 * done:.0f} % step {step} loss {np.mean(losses[-50:]):.3f}", flush=True)
    print(f"{len(losses)} steps of {model['batch']} images in {seconds:.0f} s", flush=True)


def train(name, images, masks, seconds):
    """One model, fitted to shrunk images and then stretched to its own size."""
    torch.manual_seed(1)
    model, classes = MODELS[name], len(generate.CLASSES)
    net, loss_of = NFNet(classes), image_loss
    if name.startswith("vit"):
        net = VitMap(classes)
        loss_of = TokenLoss(net.fc.in_features)
    fit(net, loss_of, model, images, masks, seconds)
    report(name, net, SHRINK)
    net.stretch()
    report(name, net, 1)
    return net


def validation():
    """(path relative to val/, label) of every validation image, in order."""
    for label, name in enumerate(generate.CLASSES):
        for path in sorted((HERE / "val" / name).glob("*.jpg")):
            yield f"{name}/{path.name}", label


def predict(net, model, shrink=1):
    """Rows of (path, label, logits) over val/."""
    rows = []
    with torch.no_grad():
        for path, label in validation():
            image = pixels(HERE / "val" / path, shrink)
            rows.append((path, label, net(to_input(image[None], model))[0].tolist()))
    return rows


def top_k(rows, k):
    """How many rows have their label among the k largest logits."""
    return sum(label in np.argsort(logits)[::-1][:k] for _, label, logits in rows)


def report(name, net, shrink):
    """Print the validation accuracy."""
    rows = predict(net, MODELS[name], shrink)
    print(f"{name} at {SIZE // shrink}: {top_k(rows, 1)}/{len(rows)}", flush=True)


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
    rows = predict(net, MODELS[name])
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


def draw_all():
    """Training images and masks; drawn once and then kept in DRAWN."""
    if not DRAWN.exists():
        with multiprocessing.Pool() as pool:
            images, masks = zip(*pool.map(render, range(TRAIN_IMAGES), 20))
        np.savez(DRAWN, images=np.stack(images), masks=np.stack(masks))
    drawn = np.load(DRAWN)
    return drawn["images"], torch.from_numpy(drawn["masks"]).float() / 255


def main(name, minutes):
    """Train, export and evaluate one model."""
    torch.set_num_threads(1)
    images, masks = draw_all()
    net = train(name, images, masks, 60 * float(minutes)).eval()
    export(name, net)
    write_reference(name, net)


if __name__ == "__main__":
    main(*sys.argv[1:])

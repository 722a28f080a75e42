"""Draw the shapes data set: ten classes of shapes and textures in cluttered scenes.

An image is a function of (split, class, index) alone, so the training set needs no disk and the
validation set can be drawn again. A subject is an implicit function: negative inside, in units of
the subject's own coordinates, where it reaches about 1 from the origin.

    generate.py OUT     writes OUT/<class>/NNNN.jpg, the validation set
"""
import io
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

TRAIN, VAL = 0, 1
VAL_PER_CLASS = 10
LARGEST = {TRAIN: 280, VAL: 640}  # training images are seen small; drawing them large is slow
MASK = 30


def angle_fold(x, y, n):
    """Fold the plane into one of n mirrored sectors around the x axis."""
    sector = np.pi / n
    a = np.abs((np.arctan2(y, x) + sector) % (2 * sector) - sector)
    r = np.hypot(x, y)
    return r * np.cos(a), r * np.sin(a)


def crescent(x, y, rng):
    shift, cut = rng.uniform(0.35, 0.6), rng.uniform(0.7, 0.9)
    return np.maximum(np.hypot(x, y) - 1, cut - np.hypot(x - shift, y))


def cross(x, y, rng):
    arm = rng.uniform(0.2, 0.36)
    x, y = np.abs(x), np.abs(y)
    return np.maximum(np.minimum(x, y) - arm, np.maximum(x, y) - 0.95)


def ring(x, y, rng):
    width = rng.uniform(0.1, 0.24)
    return np.abs(np.hypot(x, y) - (1 - width)) - width


def star(x, y, rng):
    n, inner = rng.integers(5, 8), rng.uniform(0.4, 0.58)
    fx, fy = angle_fold(x, y, n)
    ix, iy = inner * np.cos(np.pi / n), inner * np.sin(np.pi / n)
    nx, ny = iy, 1 - ix
    return ((fx - 1) * nx + fy * ny) / np.hypot(nx, ny)


def triangle(x, y, rng):
    fx, _ = angle_fold(x, y * rng.uniform(0.85, 1.2), 3)
    return fx - 0.55


def bricks(x, y, rng):
    aspect, joint = rng.uniform(1.7, 2.6), rng.uniform(0.06, 0.13)
    row = np.floor(y)
    bx = (x / aspect + 0.5 * (row % 2)) % 1
    by = y - row
    return joint - np.minimum(np.minimum(bx, 1 - bx) * aspect, np.minimum(by, 1 - by))


def checker(x, y, _):
    cx, cy = np.abs(x % 2 - 1) - 0.5, np.abs(y % 2 - 1) - 0.5
    return np.sign(cx * cy) * np.minimum(np.abs(cx), np.abs(cy))


def dots(x, y, rng):
    if rng.random() < 0.5:
        x = x + 0.5 * (np.floor(y) % 2)
    return np.hypot(x % 1 - 0.5, y % 1 - 0.5) - rng.uniform(0.2, 0.36)


def stripes(x, _, rng):
    return np.abs(x % 1 - 0.5) - rng.uniform(0.15, 0.33)


def waves(x, y, rng):
    height, period = rng.uniform(0.3, 0.6), rng.uniform(1.6, 3.0)
    return stripes(x + height * np.sin(2 * np.pi * y / period), y, rng)


SHAPES = {"crescent": crescent, "cross": cross, "ring": ring, "star": star, "triangle": triangle}
TEXTURES = {"bricks": bricks, "checker": checker, "dots": dots, "stripes": stripes, "waves": waves}
CLASSES = sorted(SHAPES | TEXTURES)


def smooth_noise(rng, cells, size):
    """A field of size (w, h), about -1..1, that varies over 1/cells of the image."""
    grid = rng.normal(0, 0.5, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.BICUBIC))


def colour_pair(rng, contrast):
    """Two colours in 0..255 whose distance is at least `contrast`."""
    while True:
        pair = rng.uniform(10, 245, (2, 3)).astype(np.float32)
        if np.linalg.norm(pair[0] - pair[1]) >= contrast:
            return pair


def background(rng, size, colour):
    """Cloudy paint around `colour`."""
    cloud = smooth_noise(rng, rng.integers(2, 6), size)[..., None]
    grain = smooth_noise(rng, rng.integers(20, 60), size)[..., None]
    tint = rng.uniform(-45, 45, 3).astype(np.float32)
    return colour + cloud * tint + grain * np.float32(rng.uniform(0, 18))


def clutter(rng, image, count, largest):
    """Draw `count` random strokes, ovals and quadrilaterals, none longer than `largest`."""
    picture = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(count):
        at = rng.uniform(0, 1, 2) * picture.size
        points = at + rng.uniform(-0.5, 0.5, (4, 2)) * largest * rng.uniform(0.3, 1)
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        kind = rng.integers(3)
        if kind == 0:
            draw.line([tuple(p) for p in points[:2]], colour, int(1 + largest * 0.06))
        elif kind == 1:
            low, high = points[:2].min(0), points[:2].max(0)
            draw.ellipse([tuple(low), tuple(high)], colour)
        else:
            draw.polygon([tuple(p) for p in points[:3 + rng.integers(2)]], colour)
    return np.asarray(picture).astype(np.float32)


def local_frame(rng, size, scale, centre):
    """Coordinates of every pixel in a frame turned, sheared and scaled at random."""
    w, h = size
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    turn, squeeze = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.0)
    x, y = (x - centre[0]) / scale, (y - centre[1]) / scale
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    lean = rng.uniform(0, np.pi)
    along = u * np.cos(lean) + v * np.sin(lean)
    stretch = (1 / squeeze - 1) * along
    return u + stretch * np.cos(lean), v + stretch * np.sin(lean)


def coverage(field, scale):
    """Antialiased share of each pixel inside the implicit `field`; scale is pixels per unit."""
    return np.clip(0.5 - field * scale, 0, 1)[..., None]


def shape_subject(rng, name, image, colour):
    """Paint a shape that covers half to most of the short side; returns image and mask."""
    h, w = image.shape[:2]
    radius = min(w, h) * rng.uniform(0.27, 0.45)
    centre = [radius + rng.random() * (side - 2 * radius) for side in (w, h)]
    x, y = local_frame(rng, (w, h), radius, centre)
    mask = coverage(SHAPES[name](x, y, rng), radius)
    shade = colour + smooth_noise(rng, 3, (w, h))[..., None] * np.float32(rng.uniform(0, 40))
    return image + (shade - image) * mask, mask


def texture_subject(rng, name, image, inks):
    """Paint a texture through a wavy blob, a third of the image to all of it, as shape_subject."""
    h, w = image.shape[:2]
    short = min(w, h)
    centre = np.array([w, h]) * rng.uniform(0.35, 0.65, 2)
    pitch = short * rng.uniform(0.07, 0.15)
    x, y = local_frame(rng, (w, h), pitch, centre)
    bend = rng.uniform(0, 0.5)
    x = x + bend * smooth_noise(rng, 3, (w, h))
    y = y + bend * smooth_noise(rng, 3, (w, h))
    ink = coverage(TEXTURES[name](x, y, rng), pitch)
    bx, by = local_frame(rng, (w, h), short * rng.uniform(0.4, 0.9), centre)
    blob = coverage(np.hypot(bx, by) - 1 + 0.3 * smooth_noise(rng, 4, (w, h)), short * 0.5)
    return image + (inks[0] + (inks[1] - inks[0]) * ink - image) * blob, blob


def light(rng, image):
    """Uneven light, blur and sensor noise."""
    h, w = image.shape[:2]
    x, y = local_frame(rng, (w, h), max(w, h), (w / 2, h / 2))
    image = image * (1 + rng.uniform(0, 0.8) * x - rng.uniform(0, 0.5) * y * y)[..., None]
    picture = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(min(w, h) * rng.uniform(0, 0.006)))
    noise = rng.standard_normal((h, w, 1), np.float32) * np.float32(rng.uniform(0, 16))
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)


def random_size(rng, largest):
    """Width and height, 160 to `largest` pixels, smaller ones more often."""
    longest = 160 * (largest / 160) ** rng.beta(1, 1.4)
    other = max(160, longest * rng.uniform(0.55, 1.0))
    size = (int(longest), int(other))
    return size if rng.random() < 0.5 else size[::-1]


def draw(split, label, index):
    """The image as JPEG bytes, and where the subject is: its coverage, MASK x MASK, 0 to 255."""
    rng = np.random.default_rng([split, label, index])
    name, size = CLASSES[label], random_size(rng, LARGEST[split])
    paper, ink = colour_pair(rng, 100)
    image = background(rng, size, paper)
    image = clutter(rng, image, rng.integers(2, 10), min(size) * 0.3)
    if name in SHAPES:
        image, mask = shape_subject(rng, name, image, ink)
    else:
        image, mask = texture_subject(rng, name, image, colour_pair(rng, 100))
    image = clutter(rng, image, rng.integers(0, 6), min(size) * 0.16)
    out = io.BytesIO()
    Image.fromarray(light(rng, image)).save(out, "JPEG", quality=int(rng.integers(30, 86)))
    mask = Image.fromarray((mask[..., 0] * 255).astype(np.uint8))
    return out.getvalue(), np.asarray(mask.resize((MASK, MASK), Image.BOX))


def main(folder):
    """Write the validation set."""
    for label, name in enumerate(CLASSES):
        place = pathlib.Path(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        for index in range(VAL_PER_CLASS):
            (place / f"{index:04d}.jpg").write_bytes(draw(VAL, label, index)[0])


if __name__ == "__main__":
    main(sys.argv[1])

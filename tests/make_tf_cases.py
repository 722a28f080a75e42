"""Resizes as TensorFlow's CPU kernels make them, for test_resize_tf.c.

TensorFlow is not needed: the kernels' arithmetic is written out in numpy, from their definition
(tf.image.resize of TF 2 with antialias=False), one array operation for each operation on floats.

A case: in_width, in_height, out_width, out_height, method (0 bilinear, 1 bicubic, 2 area), all
32-bit little-endian, the input's RGB rows, the output's rows in f32, and the same clipped and cast
to uint8. Without numpy there are no cases.
"""
import random
import struct
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(0)

F = np.float32


def centres(n_in, n_out):
    """Where output samples lie among the input's, half a pixel being a centre."""
    scale = F(n_in) / F(n_out)
    return (np.arange(n_out).astype(F) + F(0.5)) * scale - F(0.5)


def along(image, index, axis):
    return np.take(image, index, axis=axis)


def column(weights, axis):
    """Weights of one axis as an array that multiplies [height, width, channel]."""
    return weights.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))


def bilinear_axis(n_in, n_out):
    at = centres(n_in, n_out)
    low = np.maximum(np.floor(at), 0).astype(int)
    high = np.minimum(np.ceil(at), n_in - 1).astype(int)
    return low, high, (at - np.floor(at)).astype(F)


def bilinear(image, height, width):
    low, high, lerp = bilinear_axis(image.shape[1], width)
    left, right = along(image, low, 1), along(image, high, 1)
    rows = left + (right - left) * column(lerp, 1)
    low, high, lerp = bilinear_axis(image.shape[0], height)
    top, bottom = along(rows, low, 0), along(rows, high, 0)
    return top + (bottom - top) * column(lerp, 0)


def keys_table():
    """|x| in steps of 1/1024 over [0, 1] and [1, 2]: Keys' kernel with a = -1/2, rounded to f32."""
    a = -0.5
    near = np.arange(1025) / 1024
    far = near + 1
    return ((((a + 2) * near - (a + 3)) * near * near + 1).astype(F),
            (((a * far - 5 * a) * far + 8 * a) * far - 4 * a).astype(F))


def bicubic_axis(n_in, n_out):
    near, far = keys_table()
    at = centres(n_in, n_out)
    base = np.floor(at)
    step = np.rint((at - base) * F(1024)).astype(int)
    weights = np.stack([far[step], near[step], near[1024 - step], far[1024 - step]])
    index = base.astype(int) + np.arange(-1, 3).reshape(4, 1)
    inside = (index >= 0) & (index < n_in)
    weights = np.where(inside, weights, F(0))
    total = ((weights[0] + weights[1]) + weights[2]) + weights[3]
    return np.clip(index, 0, n_in - 1), weights * (F(1) / total)


def bicubic(image, height, width):
    for axis, n_out in ((0, height), (1, width)):
        index, weights = bicubic_axis(image.shape[axis], n_out)
        terms = [along(image, index[t], axis) * column(weights[t], axis) for t in range(4)]
        image = ((terms[0] + terms[1]) + terms[2]) + terms[3]
    return image


def area_axis(n_in, n_out):
    """For each output sample: the input samples under it and how much of each, edges clamped."""
    scale = F(n_in) / F(n_out)
    result = []
    for i in range(n_out):
        begin, end = F(i) * scale, F(i + 1) * scale
        shares = []
        for v in range(int(np.floor(begin)), int(np.ceil(end))):
            whole_begin, whole_end = F(v) >= begin, F(v + 1) <= end
            if whole_begin and whole_end:
                part = F(1)
            elif whole_begin:
                part = end - F(v)
            elif whole_end:
                part = F(v + 1) - begin
            else:
                part = scale
            shares.append((min(max(v, 0), n_in - 1), part))
        result.append(shares)
    return scale, result


def area(image, height, width):
    scale_x, across = area_axis(image.shape[1], width)
    scale_y, down = area_axis(image.shape[0], height)
    out = np.zeros((height, width, 3), F)
    sums = np.zeros((image.shape[0], width, 3), F)
    for x, shares in enumerate(across):
        for k, (v, part) in enumerate(shares):
            inner = 0 < k < len(shares) - 1
            term = image[:, v] if inner else image[:, v] * part
            sums[:, x] = term if k == 0 else sums[:, x] + term
    for y, shares in enumerate(down):
        for v, part in shares:
            out[y] = out[y] + sums[v] * part
    return out * F(1 / np.float64(scale_y * scale_x))


METHODS = [bilinear, bicubic, area]


def write_case(rng, size, target, method):
    width, height = size
    low_high = rng.random() < 0.3  # only the ends of the range: the overshoot of bicubic
    values = [rng.choice((0, 255)) if low_high else rng.randrange(256)
              for _ in range(width * height * 3)]
    image = np.array(values, np.uint8).reshape(height, width, 3)
    made = METHODS[method](image.astype(F), target[1], target[0])
    assert made.dtype == F
    cut = np.clip(made, 0, 255).astype(np.uint8)
    sys.stdout.buffer.write(struct.pack("<5i", width, height, *target, method))
    sys.stdout.buffer.write(image.tobytes() + made.astype("<f4").tobytes() + cut.tobytes())


def main():
    rng = random.Random(20250117)
    edges = [(1, 1), (1, 7), (7, 1), (2, 2), (3, 50), (64, 1), (16, 16), (17, 33)]
    for size in edges:
        for target in edges:
            for method in range(3):
                write_case(rng, size, target, method)
    for _ in range(200):
        size = rng.randint(1, 120), rng.randint(1, 120)
        target = rng.randint(1, 150), rng.randint(1, 150)
        write_case(rng, size, target, rng.randrange(3))
    for method in range(3):
        write_case(rng, (500, 375), (512, 512), method)
        write_case(rng, (500, 375), (341, 256), method)


main()

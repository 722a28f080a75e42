"""Resizes made by Pillow, for test_resize.c.

A case: in_width, in_height, out_width, out_height, filter, vertical_first
(32-bit little-endian), the input's RGB rows, the output's RGB rows.
"""
import random
import struct
import sys

from PIL import Image

FILTERS = [Image.NEAREST, Image.BOX, Image.BILINEAR, Image.BICUBIC, Image.LANCZOS]


def make_image(rng, width, height):
    kind = rng.randrange(4)
    if kind == 0:  # noise
        data = rng.randbytes(width * height * 3)
    elif kind == 1:  # only the ends of the range: clips after each pass
        data = bytes(rng.choice((0, 255)) for _ in range(width * height * 3))
    elif kind == 2:  # smooth
        data = bytes((x * 5 + y * 3 + c * 40) % 256
                     for y in range(height) for x in range(width) for c in range(3))
    else:
        data = bytes([rng.randrange(256)]) * (width * height * 3)
    return Image.frombytes("RGB", (width, height), data)


def write_case(image, size, index, vertical_first):
    if vertical_first:
        middle = image.resize((image.width, size[1]), FILTERS[index])
        result = middle.resize(size, FILTERS[index])
    else:
        result = image.resize(size, FILTERS[index])
    sys.stdout.buffer.write(struct.pack("<6i", *image.size, *size, index, vertical_first))
    sys.stdout.buffer.write(image.tobytes() + result.tobytes())


def main():
    rng = random.Random(20240607)
    edges = [(1, 1), (1, 7), (7, 1), (2, 2), (3, 50), (64, 1), (16, 16), (17, 33)]
    for size in edges:
        for target in edges:
            for index in range(len(FILTERS)):
                write_case(make_image(rng, *size), target, index, 0)
    for _ in range(400):
        size = rng.randint(1, 150), rng.randint(1, 150)
        target = rng.randint(1, 200), rng.randint(1, 200)
        index = rng.randrange(len(FILTERS))
        write_case(make_image(rng, *size), target, index, int(index > 0 and rng.random() < 0.3))
    for index in range(len(FILTERS)):  # far down, far up, and one side kept
        write_case(make_image(rng, 1500, 900), (31, 17), index, 0)
        write_case(make_image(rng, 9, 5), (700, 400), index, 0)
        write_case(make_image(rng, 200, 120), (200, 60), index, 0)
        write_case(make_image(rng, 200, 120), (90, 120), index, 0)


main()

"""JPEGs made by Pillow, and what Pillow makes of them, for test_jpeg.c.

A case: number of bytes, flags, width, height (32-bit little-endian; width 0
means that Pillow refuses the file), the bytes, the RGB rows. Flags: 1 a file
that ends early may be decoded, 2 EXIF orientation is applied.
"""
import io
import random
import struct
import sys
import warnings

from PIL import Image, ImageFile, ImageOps

ALLOW_TRUNCATED, APPLY_EXIF = 1, 2


def make_image(rng, mode, width, height):
    smooth = Image.frombytes("L", (2, 2), rng.randbytes(4)).resize((width, height), Image.BICUBIC)
    bands = []
    for _ in range(len(Image.new(mode, (1, 1)).getbands())):
        noise = Image.frombytes("L", (width, height), rng.randbytes(width * height))
        bands.append(Image.blend(smooth, noise, rng.random() * 0.6))
    return Image.merge(mode, bands)


def encode(rng, image, progressive=None, **options):
    if progressive is None:
        progressive = rng.random() < 0.4
    stream = io.BytesIO()
    subsampling = {} if image.mode == "L" else {"subsampling": rng.randrange(3)}
    image.save(stream, "JPEG", quality=rng.randint(5, 98), progressive=progressive,
               optimize=rng.random() < 0.5, **subsampling, **options)
    return stream.getvalue()


def decode(data, flags):
    ImageFile.LOAD_TRUNCATED_IMAGES = bool(flags & ALLOW_TRUNCATED)
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        if flags & APPLY_EXIF:
            image = ImageOps.exif_transpose(image)
        return image.convert("RGB")
    except Exception:  # Pillow lets a wide choice of exceptions out
        return None


def write_case(data, flags=0):
    image = decode(data, flags)
    width, height = image.size if image else (0, 0)
    sys.stdout.buffer.write(struct.pack("<4i", len(data), flags, width, height) + data)
    if image:
        sys.stdout.buffer.write(image.tobytes())


def with_damage(rng, data):
    """Flip bits behind the first start of scan, where the pixels are."""
    start = data.index(b"\xff\xda") + 14
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randrange(start, len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def main():
    warnings.simplefilter("ignore")
    rng = random.Random(7)
    for i in range(120):
        mode = ("RGB", "RGB", "L", "CMYK")[i % 4]
        size = rng.randint(1, 90), rng.randint(1, 90)
        data = encode(rng, make_image(rng, mode, *size))
        write_case(data)
        for _ in range(2):
            write_case(with_damage(rng, data))
        write_case(data[:rng.randrange(len(data) // 2, len(data))])
        write_case(data[:-2])
        # Not progressive: if such a file ends between scans, Pillow gives up on all of it.
        data = encode(rng, make_image(rng, mode, *size), progressive=False)
        start = data.index(b"\xff\xda") + 20
        if start < len(data):
            write_case(data[:rng.randrange(start, len(data))], ALLOW_TRUNCATED)
    for orientation in range(0, 10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encode(rng, make_image(rng, "RGB", 21, 13), exif=exif)
        write_case(data)
        write_case(data, APPLY_EXIF)


main()

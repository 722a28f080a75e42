"""JPEG files taken apart and put together wrongly. Markers: ITU-T T.81, annex B."""

import io
import struct

import numpy as np
from PIL import Image

SOF2, DHT, SOS, DQT, DNL, DRI, DHP, COM = 0xc2, 0xc4, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xfe


def picture(width=40, height=24, mode="RGB"):
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rgb = np.stack([x * 255 // width, y * 255 // height, (x // 5 + y // 5) % 2 * 255], -1)
    return Image.fromarray(rgb.astype("uint8")).convert(mode)


def encode(image=None, **options):
    file = io.BytesIO()
    (image or picture()).save(file, "JPEG", **{"quality": 40, **options})
    return file.getvalue()


def segment(marker, payload=b"", length=None):
    return b"\xff" + bytes([marker]) + struct.pack(
        ">H", len(payload) + 2 if length is None else length) + payload


class Parts:
    """The segments of a file before its first scan's data, and that data up to the end."""

    def __init__(self, data):
        self.segments, at = [], 2
        while True:
            marker, length = data[at + 1], struct.unpack(">H", data[at + 2:at + 4])[0]
            self.segments.append([marker, data[at + 4:at + 2 + length]])
            at += 2 + length
            if marker == SOS:
                break
        self.scan = data[at:]  # with what follows, EOI too

    def index(self, marker, which=0):
        return [i for i, s in enumerate(self.segments) if s[0] == marker][which]

    def frame(self):
        return next(i for i, s in enumerate(self.segments)
                    if 0xc0 <= s[0] <= 0xcf and s[0] not in (0xc4, 0xc8, 0xcc))

    def payload(self, i):
        return bytearray(self.segments[i][1])

    def set(self, i, payload, marker=None):
        self.segments[i] = [self.segments[i][0] if marker is None else marker, bytes(payload)]
        return self

    def patch(self, i, at, value):
        payload = self.payload(i)
        payload[at:at + len(value)] = value
        return self.set(i, payload)

    def drop(self, marker):
        self.segments = [s for s in self.segments if s[0] != marker]
        return self

    def insert(self, i, *segments):
        self.segments[i:i] = [list(s) for s in segments]
        return self

    def bytes(self, before=b"\xff\xd8"):
        return before + b"".join(segment(m, p) for m, p in self.segments) + self.scan


def tiff(entries, order=b"II", first=8, count=None):
    """A TIFF block with one directory of (tag, type, count, value)."""
    e = "<" if order == b"II" else ">"
    block = order + struct.pack(e + "HI", 42, first)
    block += struct.pack(e + "H", len(entries) if count is None else count)
    for tag, kind, n, value in entries:
        block += struct.pack(e + "HHI", tag, kind, n)
        block += struct.pack(e + "HH", value, 0) if kind == 3 else struct.pack(e + "I", value)
    return block + struct.pack(e + "I", 0)


def progressive_scans(width, height, scans):
    """A valid grey progressive file whose every scan says nothing: 12 bytes of header each."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    head = b"\xff\xd8" + segment(DQT, b"\0" + bytes([16] * 64))
    head += segment(SOF2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    # DC: one code, 0, for a difference of 0. AC: the longest run of ends of blocks, and one block.
    head += segment(DHT, b"\0" + bytes([1] + [0] * 15) + b"\0")
    head += segment(DHT, b"\x10" + bytes([0, 2] + [0] * 14) + b"\xe0\0")
    dc = segment(SOS, b"\1\1\0\0\0\0") + b"\0" * ((blocks + 7) // 8)
    bits = ""
    left = blocks
    while left:
        run = min(left, (1 << 15) - 1)
        if run >= 1 << 14:
            bits += "00" + format(run - (1 << 14), "014b")
            left -= run
        else:
            bits += "01"
            left -= 1
        if len(bits) > 8000:
            break  # the rest is a truncated scan's business
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    ac = b"".join(segment(SOS, b"\1\1\0" + bytes([1 + i % 63, 1 + i % 63, 0])) + data
                  for i in range(scans - 1))
    return head + dc + ac + b"\xff\xd9"

"""The catalogue: name, bytes, expected status (and phase), words of the message.

A case that decodes is compared with Pillow, unless `pillow` is None: it refuses
files for their metadata, and some that libjpeg decodes over with warnings.
"""

import io
import os
import struct

from parts import (COM, DHP, DHT, DNL, DQT, DRI, SOF2, SOS, Parts, encode, picture,
                   progressive_scans, segment, tiff)

HERE = os.path.dirname(os.path.abspath(__file__))
BROKEN, UNSUPPORTED, LIMIT = "format", "unsupported", "limit"


def seed(name):
    """What Pillow does not write: by jpegtran (tests/fuzz/make_seeds.py)."""
    with open(os.path.join(HERE, "../fuzz/seeds/jpeg", name), "rb") as file:
        return file.read()


def other_formats(case):
    def pil(kind, mode="RGB", **options):
        file = io.BytesIO()
        picture(mode=mode).save(file, kind, **options)
        return file.getvalue()

    case("empty", b"", BROKEN, r"the file is empty")
    case("one_byte", b"\xff", BROKEN, r"not a JPEG image: 1 bytes starting with ff")
    case("zeros", bytes(1024), BROKEN, r"starting with 00 00 00")
    case("text", b"Hello, world\n", BROKEN, r"starting with 48 65 6c")
    case("escapes", b"\x1b[31m\x00\xff\xfe red", BROKEN, r"starting with 1b 5b 33")
    case("newline_before", b"\n" + encode(), BROKEN, r"starting with 0a ff d8")
    case("spaces", b" \t\r\n " * 9, BROKEN, r"45 bytes starting with 20 09 0d")
    case("nul_before", b"\0" + encode(), BROKEN, r"starting with 00 ff d8")
    case("byte_order_mark", b"\xef\xbb\xbf" + encode(), BROKEN, r"starting with ef bb bf")
    case("png_rgba", pil("PNG", "RGBA"), BROKEN, r"it is a PNG image")
    case("png_grey", pil("PNG", "L"), BROKEN, r"it is a PNG image")
    case("gif", pil("GIF", "P"), BROKEN, r"it is a GIF image")
    case("bmp", pil("BMP"), BROKEN, r"it is a (BMP|Windows bitmap)")
    case("tiff_little", pil("TIFF"), BROKEN, r"it is a TIFF image")
    case("tiff_big", b"MM\0*\0\0\0\x08", BROKEN, r"it is a TIFF image")
    case("webp", b"RIFF\x24\0\0\0WEBPVP8 ", BROKEN, r"it is a WebP image")
    case("ppm", pil("PPM"), BROKEN, r"it is a PPM image")
    case("pgm", pil("PPM", "L"), BROKEN, r"it is a PGM image")
    case("jpeg_2000_box", b"\0\0\0\x0cjP  \r\n\x87\n", BROKEN, r"it is a JPEG 2000 image")
    case("jpeg_2000_stream", b"\xff\x4f\xff\x51\0\x2f", BROKEN, r"it is a JPEG 2000 image")
    case("jpeg_xl_box", b"\0\0\0\x0cJXL \r\n\x87\n", BROKEN, r"it is a JPEG XL image")
    case("jpeg_xl_stream", b"\xff\x0a\0\0", BROKEN, r"it is a JPEG XL image")
    case("heic", b"\0\0\0\x18ftypheic\0\0\0\0", BROKEN, r"it is a HEI[CF] image")
    case("avif", b"\0\0\0\x1cftypavif\0\0\0\0", BROKEN, r"it is an AVIF image")
    case("mp4", b"\0\0\0\x20ftypisom\0\0\2\0", BROKEN, r"it is an MP4")
    case("html", b"<!DOCTYPE html><title>404</title>", BROKEN, r"it is an HTML page")
    case("html_indented", b"  \n<html><body>503", BROKEN, r"it is an HTML page")
    case("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", BROKEN, r"it is an XML or SVG")
    case("xml", b"<?xml version='1.0'?><Error>AccessDenied</Error>", BROKEN, r"XML or SVG")
    case("pdf", b"%PDF-1.7\n%\xe2\xe3", BROKEN, r"it is a PDF")
    case("zip", b"PK\x03\x04\x14\0\0\0", BROKEN, r"it is a zip archive")
    case("gzip", b"\x1f\x8b\x08\0\0\0", BROKEN, r"it is gzip")
    case("npy", b"\x93NUMPY\x01\0v\0{", BROKEN, r"it is a NumPy array")


def truncated(case):
    files = {
        "baseline": encode(),
        "progressive": encode(progressive=True),
        "grey": encode(picture(mode="L")),
        "cmyk": encode(picture(mode="CMYK")),
        "arithmetic": seed("arithmetic"),
    }
    for kind, data in files.items():
        case("whole_" + kind, data)
        for percent in (5, 20, 40, 60, 70, 80, 90, 98):
            case("%s_cut_at_%d" % (kind, percent), data[:len(data) * percent // 100], BROKEN,
                 r"truncated at byte \d+")
        # The decoder cannot know that no more of the last block follows.
        case(kind + "_without_end", data[:-2], BROKEN, r"truncated at byte %d" % (len(data) - 2))
    data = encode()
    case("start_only", data[:2], BROKEN, r"truncated at byte 2")
    case("start_and_ff", data[:3], BROKEN, r"truncated at byte 3")
    case("start_and_end", b"\xff\xd8\xff\xd9", BROKEN, r"truncated at byte 4")
    at = 2
    for i, (marker, payload) in enumerate(Parts(data).segments):
        case("cut_in_marker_%d" % i, data[:at + 1], BROKEN, r"truncated at byte %d" % (at + 1))
        case("cut_in_length_%d" % i, data[:at + 3], BROKEN, r"truncated at byte %d" % (at + 3))
        at += 4 + len(payload)
        case("cut_after_segment_%d" % i, data[:at], BROKEN, r"truncated at byte %d" % at)


def kinds(case):
    def with_sof(marker, **encoding):
        parts = Parts(encode(**encoding))
        i = parts.frame()
        return parts.set(i, parts.payload(i), marker).bytes()

    names = {3: "lossless", 5: "hierarchical", 6: "hierarchical progressive",
             7: "hierarchical lossless", 11: "lossless, arithmetic", 13: "hierarchical, arith",
             14: "hierarchical progressive, arith", 15: "hierarchical lossless, arith"}
    for n, words in names.items():
        case("sof_%d" % n, with_sof(0xc0 + n), UNSUPPORTED, r"unsupported: %s.*\(SOF%d\)" % (words, n))
    case("sof_1", with_sof(0xc1))
    case("sof_8_reserved", with_sof(0xc8), BROKEN, r"scan at byte \d+ before any frame header")
    case("sof_2_of_sequential", with_sof(0xc2), BROKEN, r"near byte \d+")
    case("sof_0_of_progressive", with_sof(0xc0, progressive=True), "ok|format", r"near byte",
         pillow=None)
    case("sof_9_of_huffman", with_sof(0xc9), "ok|format", r"near byte|truncated", pillow=None)
    case("jpeg_ls", Parts(encode()).insert(1, (0xf7, b"\x08\0\x18\0\x28\x01\x01\x11\0")).bytes(),
         UNSUPPORTED, r"JPEG-LS")
    case("hierarchical_dhp", Parts(encode()).insert(1, (DHP, b"\x08\0\x18\0\x28\x01\x01\x11\0")).bytes(),
         UNSUPPORTED, r"hierarchical JPEG")
    for bits in (0, 2, 12, 16, 255):
        parts = Parts(encode())
        case("precision_%d" % bits, parts.patch(parts.frame(), 0, bytes([bits])).bytes(),
             UNSUPPORTED, r"%d-bit JPEG; 8 bits only" % bits)
    for n in (0, 2, 5, 255):
        parts = Parts(encode())
        i = parts.frame()
        payload = parts.payload(i)[:6] + b"".join(bytes([c + 1, 0x11, 0]) for c in range(n))
        payload[5] = n
        case("components_%d" % n, parts.set(i, payload).bytes(), UNSUPPORTED,
             r"a JPEG of %d components" % n)
    parts = Parts(encode())
    case("components_4_of_3", parts.patch(parts.frame(), 5, b"\4").bytes(), BROKEN, r"near byte")
    parts = Parts(encode())
    case("components_1_of_3", parts.patch(parts.frame(), 5, b"\1").bytes(), BROKEN, r"near byte")
    for mode in ("L", "RGB", "CMYK"):
        for options in ({}, {"progressive": True}, {"optimize": True}, {"subsampling": 0},
                        {"subsampling": 1}):
            name = "good_%s_%s" % (mode.lower(), "_".join(
                "%s_%s" % (k[:3], v) for k, v in options.items()) or "plain")
            case(name, encode(picture(mode=mode), **options))
    for side in ((1, 1), (1, 40), (40, 1), (7, 9), (8, 8), (17, 33)):
        case("good_%dx%d" % side, encode(picture(*side)))


def frames(case):
    def patched(at, value):
        parts = Parts(encode())
        return parts.patch(parts.frame(), at, value).bytes()

    case("height_0", patched(1, b"\0\0"), BROKEN, r"a JPEG of 40x0 pixels")
    case("width_0", patched(3, b"\0\0"), BROKEN, r"a JPEG of 0x24 pixels")
    case("both_0", patched(1, b"\0\0\0\0"), BROKEN, r"a JPEG of 0x0 pixels")
    parts = Parts(encode())
    zero = parts.patch(parts.frame(), 1, b"\0\0").bytes()[:-2] + segment(DNL, b"\0\x18") + b"\xff\xd9"
    case("height_by_dnl", zero, BROKEN, r"a JPEG of 40x0 pixels")
    case("taller_than_data", patched(1, b"\0\x80"), "ok|format", r"truncated|near byte", pillow=None)
    case("wider_than_data", patched(3, b"\1\0"), "ok|format", r"truncated|near byte", pillow=None)
    case("shorter_than_data", patched(1, b"\0\x08"), pillow=None)
    for name, value in (("0x0", 0), ("5x1", 0x51), ("1x5", 0x15), ("15x15", 0xff)):
        case("sampling_" + name, patched(7, bytes([value])), BROKEN, r"[Ss]ampling")
    case("sampling_4x4", patched(7, b"\x44"), "ok|format", r"near byte|truncated", pillow=None)
    case("sampling_3x2", patched(7, b"\x32"), "ok|format|unsupported", r"near byte|truncated",
         pillow=None)
    case("table_number_4", patched(8, b"\4"), BROKEN, r"near byte")
    case("table_number_255", patched(8, b"\xff"), BROKEN, r"near byte")
    case("equal_component_ids", patched(9, b"\1"), "ok|format", r"near byte", pillow=None)
    parts = Parts(encode())
    i = parts.frame()
    for length in (0, 1, 5):
        parts = Parts(encode())
        case("frame_of_%d_bytes" % length, parts.set(i, parts.payload(i)[:length]).bytes(), BROKEN,
             r"a frame header of %d bytes" % length)
    parts = Parts(encode())
    case("frame_too_short", parts.set(i, parts.payload(i)[:8]).bytes(), BROKEN, r"near byte")
    parts = Parts(encode())
    case("frame_too_long", parts.set(i, parts.payload(i) + b"\0\0\0").bytes(), BROKEN, r"near byte")
    parts = Parts(encode())
    case("no_frame", parts.drop(0xc0).bytes(), BROKEN, r"before any frame header")
    parts = Parts(encode())
    case("two_frames", parts.insert(i, parts.segments[i]).bytes(), BROKEN, r"near byte")
    parts = Parts(encode())
    second = [SOF2, bytes(parts.payload(i))]
    case("two_kinds_of_frame", parts.insert(i, second).bytes(), BROKEN, r"near byte")


def tables(case):
    def damaged(marker, which, change):
        parts = Parts(encode())
        i = parts.index(marker, which)
        payload = parts.payload(i)
        return parts.set(i, change(payload) or payload).bytes()

    def put(at, value):
        def change(payload):
            payload[at:at + len(value)] = value
        return change

    case("no_quantisation", Parts(encode()).drop(DQT).bytes(), BROKEN, r"[Qq]uantization")
    case("no_huffman", Parts(encode(optimize=False)).drop(DHT).bytes())
    case("quantisation_cut", damaged(DQT, 0, lambda p: p[:30]), "ok|format", r"near byte",
         pillow=None)
    case("quantisation_number_4", damaged(DQT, 0, put(0, b"\4")), BROKEN, r"DQT|[Qq]uantization")
    case("quantisation_precision_15", damaged(DQT, 0, put(0, b"\xf0")), "ok|format", r"near byte",
         pillow=None)
    case("quantisation_zero", damaged(DQT, 0, put(1, bytes(64))), pillow=None)
    case("quantisation_16_bit", damaged(
        DQT, 0, lambda p: b"\x10" + b"".join(b"\0" + bytes([v]) for v in p[1:65])))
    case("quantisation_empty", Parts(encode()).insert(1, (DQT, b"")).bytes())
    case("huffman_empty", Parts(encode()).insert(1, (DHT, b"")).bytes())
    case("huffman_number_9", damaged(DHT, 0, put(0, b"\x09")), BROKEN, r"DHT|Huffman")
    case("huffman_class_2", damaged(DHT, 0, put(0, b"\x20")), BROKEN, r"DHT|Huffman")
    case("huffman_too_many", damaged(DHT, 0, put(1, b"\xff" * 16)), BROKEN, r"Huffman")
    case("huffman_overfull", damaged(DHT, 0, put(1, b"\3" + bytes(15))), BROKEN, r"Huffman|near byte")
    case("huffman_none", damaged(DHT, 0, put(1, bytes(16))), BROKEN, r"Huffman|near byte")
    case("huffman_cut", damaged(DHT, 0, lambda p: p[:10]), BROKEN, r"Huffman|near byte|length")
    case("huffman_dc_symbol_99", damaged(DHT, 0, put(17, b"\x63")), BROKEN, r"Huffman|near byte")
    case("conditioning_in_huffman", Parts(encode()).insert(1, (0xcc, b"\0\x10")).bytes())
    case("conditioning_bad", Parts(encode()).insert(1, (0xcc, b"\0\x0f")).bytes(), BROKEN, r"near byte")
    case("restart_interval_cut", Parts(encode()).insert(1, (DRI, b"\0")).bytes(), BROKEN, r"near byte")
    case("restart_interval_long", Parts(encode()).insert(1, (DRI, b"\0\1\0")).bytes(), BROKEN,
         r"near byte")
    case("restart_interval_wrong", Parts(encode()).insert(1, (DRI, b"\0\1")).bytes(), "ok|format",
         r"near byte|truncated", pillow=None)


def scans(case):
    def patched(at, value, **options):
        parts = Parts(encode(**options))
        return parts.patch(parts.index(SOS), at, value).bytes()

    case("scan_components_0", patched(0, b"\0"), BROKEN, r"near byte")
    case("scan_components_5", patched(0, b"\5"), BROKEN, r"near byte")
    case("scan_of_unknown_component", patched(1, b"\x63"), BROKEN, r"near byte")
    case("scan_component_twice", patched(3, b"\1"), BROKEN, r"near byte")
    case("scan_table_number_7", patched(2, b"\x77"), BROKEN, r"Huffman|near byte")
    case("scan_spectral_wrong", patched(7, b"\5\4\0"), pillow=None)
    case("scan_progression_wrong", patched(7, b"\5\4\0", progressive=True), BROKEN, r"progress")
    case("scan_progression_skips", patched(9, b"\x33", progressive=True), "ok|format",
         r"progress|near byte", pillow=None)
    parts = Parts(encode())
    case("scan_before_frame", parts.insert(parts.frame(), parts.segments[-1]).bytes(), BROKEN,
         r"before any frame header")
    parts = Parts(encode())
    parts.scan = b"\xff\xd9"
    case("scan_empty", parts.bytes(), "ok|format", r"truncated|near byte", pillow=None)
    parts = Parts(encode())
    parts.scan = bytes(3000) + b"\xff\xd9"
    case("scan_of_zeros", parts.bytes(), "ok|format", r"near byte", pillow=None)
    parts = Parts(encode())
    parts.scan = b"\xff\0" * 1500 + b"\xff\xd9"
    case("scan_of_ones", parts.bytes(), "ok|format", r"near byte", pillow=None)
    parts = Parts(encode())
    parts.scan = parts.scan[:-2] + parts.scan
    case("scan_data_twice", parts.bytes(), pillow=None)


def restarts(case):
    data = seed("restarts")
    case("restart_each_block", data)
    at = [i for i in range(len(data) - 1) if data[i] == 0xff and 0xd0 <= data[i + 1] <= 0xd7]
    case("restart_removed", data[:at[1]] + data[at[1] + 2:], "ok|format", r"near byte", pillow=None)
    case("restart_repeated", data[:at[1]] + data[at[0]:at[0] + 2] + data[at[1]:], pillow=None)
    case("restart_wrong_number", data[:at[0] + 1] + b"\xd5" + data[at[0] + 2:], pillow=None)
    case("restart_becomes_end", data[:at[0] + 1] + b"\xd9" + data[at[0] + 2:], pillow=None)
    case("restart_becomes_start", data[:at[0] + 1] + b"\xd8" + data[at[0] + 2:], "ok|format",
         r"near byte", pillow=None)
    case("restart_in_header", Parts(encode()).bytes(b"\xff\xd8\xff\xd0"))


def around(case):
    data = encode()
    case("fill_before_marker", Parts(data).bytes(b"\xff\xd8\xff\xff\xff"))
    parts = Parts(data)
    case("junk_between_segments", b"\xff\xd8" + segment(*parts.segments[0]) + b"junk" +
         b"".join(segment(*s) for s in parts.segments[1:]) + parts.scan)
    case("trailing_text", data + b"<!-- served by -->")
    case("trailing_zeros", data + bytes(100000))
    case("trailing_zip", data + b"PK\x03\x04 polyglot")
    case("second_image", data + encode(picture(64, 64)))
    case("two_starts", b"\xff\xd8" + data, BROKEN, r"near byte")
    case("two_ends", data + b"\xff\xd9")
    case("start_in_scan", data[:-40] + b"\xff\xd8" + data[-40:], "ok|format", r"near byte",
         pillow=None)
    case("tables_only", b"\xff\xd8" + b"".join(segment(m, p) for m, p in Parts(data).segments
                                                if m in (DQT, DHT)) + b"\xff\xd9", BROKEN,
         r"truncated")
    case("abbreviated_then_whole", b"\xff\xd8\xff\xd9" + data, "ok|format", r"near byte|truncated",
         pillow=None)
    for length in (0, 1):
        case("segment_length_%d" % length, data[:2] + segment(0xe0, b"", length) + data[2:], BROKEN,
             r"marker FFE0 at byte 2 has length %d" % length)
    case("temporary_in_header", Parts(data).bytes(b"\xff\xd8\xff\x01"), pillow=None)
    case("stuffing_in_header", Parts(data).bytes(b"\xff\xd8\xff\x00"))
    several = encode(progressive=True)
    second = several.index(b"\xff\xda", several.index(b"\xff\xda") + 2)
    case("comment_beyond_end", several[:second] + segment(COM, b"x", 65535) + several[second:], BROKEN,
         r"truncated|near byte")
    case("segment_beyond_end", data[:2] + segment(0xe3, b"x", 65535) + data[2:], BROKEN,
         r"truncated at byte")


def metadata(case):
    def with_app(*segments):
        return Parts(encode()).insert(1, *segments).bytes()

    def exif(block):
        return with_app((0xe1, b"Exif\0\0" + block))

    for orientation in (0, 1, 3, 6, 8, 9, 65535):
        case("orientation_%d" % orientation, exif(tiff([(0x112, 3, 1, orientation)])))
    case("exif_big_endian", exif(tiff([(0x112, 3, 1, 6)], b"MM")))
    case("exif_garbage", exif(b"\xde\xad\xbe\xef" * 20))
    case("exif_empty", with_app((0xe1, b"Exif\0\0")))
    case("exif_cut", exif(b"II*"))
    case("exif_directory_beyond", exif(tiff([(0x112, 3, 1, 6)], first=0xffffff00)))
    case("exif_directory_itself", exif(tiff([(0x112, 3, 1, 6)], first=0)))
    case("exif_many_entries", exif(tiff([(0x112, 3, 1, 6)], count=65535)))
    case("exif_strange_type", exif(tiff([(0x112, 77, 0xffffffff, 6)])))
    # Pillow raises an exception over this one, but only when it is asked for the orientation.
    case("exif_version_43", exif(b"II" + struct.pack("<HIHHHIHH", 43, 8, 1, 0x112, 3, 1, 6, 0)),
         pillow=None)
    case("exif_long", exif(tiff([(0x112, 4, 1, 6)])))
    case("exif_long_big_endian", exif(tiff([(0x112, 4, 1, 8)], b"MM")))
    case("exif_second_entry", exif(tiff([(0x10f, 3, 1, 2), (0x112, 3, 1, 6)])))
    case("exif_no_room", exif(b"II*\0\x08\0\0\0\1"))
    case("exif_name_only", with_app((0xe1, b"Exif\0")))
    case("exif_behind_xmp", with_app((0xe1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
                                     (0xe1, b"Exif\0\0" + tiff([(0x112, 3, 1, 6)]))))
    case("exif_twice", with_app((0xe1, b"Exif\0\0" + tiff([(0x112, 3, 1, 3)])),
                                (0xe1, b"Exif\0\0" + tiff([(0x112, 3, 1, 6)]))))
    case("icc_empty", with_app((0xe2, b"ICC_PROFILE\0")), pillow=None)
    case("icc_sequence_0_of_0", with_app((0xe2, b"ICC_PROFILE\0\0\0x")))
    case("icc_sequence_9_of_2", with_app((0xe2, b"ICC_PROFILE\0\x09\x02x")))
    case("icc_garbage", with_app((0xe2, b"ICC_PROFILE\0\1\1" + b"\xff" * 5000)))
    case("icc_500_kib", with_app(*[(0xe2, b"ICC_PROFILE\0" + bytes([i + 1, 8]) + bytes(64000))
                                   for i in range(8)]))
    case("apps_100", with_app(*[(0xe0 + i % 16, bytes(9000)) for i in range(100)
                                if i % 16 not in (0, 1, 14)]), pillow=None)
    case("app_of_64_kib", with_app((0xe5, bytes(65533))))
    case("comment_of_escapes", with_app((COM, b"\x1b[2J%n%s\0\xff")))
    case("adobe_cut", with_app((0xee, b"Adobe")), pillow=None)
    case("adobe_long", with_app((0xee, b"Adobe\0\x64\0\0\0\0\1" + bytes(99))))
    for transform in (0, 1, 2, 3, 255):
        app = (0xee, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
        case("adobe_%d_rgb" % transform, Parts(encode()).drop(0xe0).insert(0, app).bytes())
        case("adobe_%d_cmyk" % transform,
             Parts(encode(picture(mode="CMYK"))).drop(0xee).insert(0, app).bytes())
    case("cmyk_without_adobe", Parts(encode(picture(mode="CMYK"))).drop(0xee).bytes(), pillow=None)
    case("jfif_none", Parts(encode()).drop(0xe0).bytes())
    case("jfif_cut", Parts(encode()).set(0, b"JFIF\0\1").bytes(), pillow=None)
    case("jfif_version_9", Parts(encode()).set(0, b"JFIF\0\x09\x09\0\0\1\0\1\0\0").bytes())
    case("jfif_density_0", Parts(encode()).set(0, b"JFIF\0\1\1\0\0\0\0\0\0\0").bytes())
    case("jfif_thumbnail_lies", Parts(encode()).set(0, b"JFIF\0\1\1\0\0\1\0\1\xff\xff").bytes())
    case("photoshop_garbage", with_app((0xed, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\xff\xff\xff\xff")),
         pillow=None)
    case("mpf_garbage", with_app((0xe2, b"MPF\0" + b"\xff" * 40)), pillow=None)


def bombs(case):
    def sized(width, height, **options):
        parts = Parts(encode(picture(8, 8, "L"), **options))
        return parts.patch(parts.frame(), 1, struct.pack(">HH", height, width)).bytes()

    for kind in (False, True):
        name = "progressive" if kind else "baseline"
        case("bomb_65500_" + name, sized(65500, 65500, progressive=kind), LIMIT,
             r"65500x65500 is 4290250000 pixels; the limit is 89478485")
        case("bomb_65535_" + name, sized(65535, 65535, progressive=kind), "limit|format",
             r"pixels; the limit|near byte")
        case("bomb_over_limit_" + name, sized(9460, 9460, progressive=kind), LIMIT,
             r"89491600 pixels")
        case("bomb_wide_" + name, sized(65500, 1300, progressive=kind), "ok|format",
             r"truncated|near byte", pillow=None)
    case("scans_100", progressive_scans(64, 64, 100))
    case("scans_101", progressive_scans(64, 64, 101), LIMIT, r"101 scans.*limit")
    case("scans_2000", progressive_scans(8000, 8000, 2000), LIMIT, r"scans.*limit")
    case("scans_60_large", progressive_scans(8000, 8000, 60), LIMIT, r"scans.*limit")
    case("scans_of_nothing", progressive_scans(64, 64, 5).replace(b"\xff\xd9", b"") +
         segment(SOS, b"\1\1\0\1\1\0") * 2000 + b"\xff\xd9", LIMIT, r"scans.*limit")
    case("restarts_only", seed("restarts")[:-2] + b"\xff\xd0" * 500000 + b"\xff\xd9",
         pillow=None)


def all_cases(case):
    for group in (other_formats, truncated, kinds, frames, tables, scans, restarts, around,
                  metadata, bombs):
        group(case)

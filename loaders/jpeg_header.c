/*
 * A walk over JPEG markers (ITU-T T.81, annex B):
 *
 *     FF D8 | FF marker, length (2 bytes, counting itself), payload | ... | FF DA
 *
 * Bytes between segments that are not FF are stepped over, as libjpeg and
 * Pillow do: real files have them.
 */
#include "loaders/jpeg_header.h"
#include "loaders/sniff.h"
#include "runtime/limits.h"

#include <limits.h>
#include <string.h>

enum {
    MARKER_TEM = 0x01,
    MARKER_SOF0 = 0xc0,
    MARKER_DHT = 0xc4,
    MARKER_JPG = 0xc8,
    MARKER_DAC = 0xcc,
    MARKER_SOF15 = 0xcf,
    MARKER_RST0 = 0xd0,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_DHP = 0xde,
    MARKER_APP1 = 0xe1,
    MARKER_SOF55 = 0xf7, /* JPEG-LS (ITU-T T.87) */
};

struct walk {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    struct fovea_jpeg_header *header;
    bool has_frame;
    bool has_exif;
    struct fovea_error *err;
};

struct span {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
};

static unsigned get16(const struct span *s, size_t at) {
    const uint8_t *p = s->bytes + at;
    return s->big_endian ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static uint32_t get32(const struct span *s, size_t at) {
    uint32_t first = get16(s, at), second = get16(s, at + 2);
    return s->big_endian ? first << 16 | second : second << 16 | first;
}

/* Value of tag 0x0112 in the first directory of a TIFF block, or 1. */
static int tiff_orientation(struct span tiff) {
    enum { TAG = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY = 12 };
    if (tiff.size < 8) {
        return 1;
    }
    tiff.big_endian = memcmp(tiff.bytes, "MM", 2) == 0;
    if (!tiff.big_endian && memcmp(tiff.bytes, "II", 2) != 0) {
        return 1;
    }
    size_t at = get32(&tiff, 4);
    if (get16(&tiff, 2) != 42 || at > tiff.size - 2) {
        return 1;
    }
    size_t n_entries = get16(&tiff, at);
    at += 2;
    for (; n_entries > 0 && tiff.size - at >= ENTRY; n_entries--, at += ENTRY) {
        unsigned type = get16(&tiff, at + 2);
        if (get16(&tiff, at) != TAG || (type != TYPE_SHORT && type != TYPE_LONG)) {
            continue;
        }
        uint32_t value = type == TYPE_SHORT ? get16(&tiff, at + 8) : get32(&tiff, at + 8);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static void read_exif(struct walk *w, struct span payload) {
    /* The first EXIF block counts, as in Pillow. */
    if (w->has_exif || payload.size < 6 || memcmp(payload.bytes, "Exif\0", 5) != 0) {
        return;
    }
    w->has_exif = true;
    w->header->orientation =
        tiff_orientation((struct span){.bytes = payload.bytes + 6, .size = payload.size - 6});
}

static enum fovea_status read_frame(struct walk *w, int sof, const struct span *payload) {
    if (payload->size < 6) {
        return fovea_fail(w->err, FOVEA_ERR_FORMAT,
                          "broken JPEG: a frame header of %zu bytes at byte %zu; it has at least 6",
                          payload->size, w->at);
    }
    w->header->sof = sof;
    w->header->precision = payload->bytes[0];
    w->header->height = (int)get16(payload, 1);
    w->header->width = (int)get16(payload, 3);
    w->header->n_components = payload->bytes[5];
    w->has_frame = true;
    return FOVEA_OK;
}

static enum fovea_status fail_truncated(const struct walk *w) {
    return fovea_fail(w->err, FOVEA_ERR_FORMAT, "truncated at byte %zu, inside the JPEG header",
                      w->size);
}

static bool is_frame(int marker) {
    bool in_range = marker >= MARKER_SOF0 && marker <= MARKER_SOF15;
    bool table = marker == MARKER_DHT || marker == MARKER_JPG || marker == MARKER_DAC;
    return in_range && !table;
}

/* The segment after a marker; leaves `at` behind it. */
static enum fovea_status read_segment(struct walk *w, int marker) {
    if (w->size - w->at < 2) {
        return fail_truncated(w);
    }
    size_t length = (size_t)w->bytes[w->at] << 8 | w->bytes[w->at + 1];
    if (length < 2) {
        return fovea_fail(w->err, FOVEA_ERR_FORMAT,
                          "broken JPEG: marker FF%02X at byte %zu has length %zu", marker,
                          w->at - 2, length);
    }
    if (length > w->size - w->at) {
        return fail_truncated(w);
    }
    struct span payload = {w->bytes + w->at + 2, length - 2, true};
    enum fovea_status status = FOVEA_OK;
    if (is_frame(marker)) {
        status = read_frame(w, marker - MARKER_SOF0, &payload);
    } else if (marker == MARKER_DHP || marker == MARKER_SOF55) {
        status = fovea_fail(w->err, FOVEA_ERR_UNSUPPORTED, "unsupported: %s",
                            marker == MARKER_DHP ? "hierarchical JPEG" : "JPEG-LS");
    } else if (marker == MARKER_APP1) {
        read_exif(w, payload);
    }
    w->at += length;
    return status;
}

/* Step to the byte after the next marker and return it, or -1 at the end. */
static int next_marker(struct walk *w) {
    const uint8_t *found = w->at < w->size ? memchr(w->bytes + w->at, 0xff, w->size - w->at) : NULL;
    w->at = found ? (size_t)(found - w->bytes) : w->size;
    while (w->at < w->size && w->bytes[w->at] == 0xff) {
        w->at++;
    }
    return w->at < w->size ? w->bytes[w->at++] : -1;
}

static bool stands_alone(int marker) {
    return marker == 0 || marker == MARKER_TEM || (marker >= MARKER_RST0 && marker <= MARKER_EOI);
}

static enum fovea_status walk_markers(struct walk *w) {
    for (;;) {
        int marker = next_marker(w);
        if (marker < 0) {
            return fail_truncated(w);
        }
        if (marker == MARKER_SOS) {
            break;
        }
        if (stands_alone(marker)) {
            continue;
        }
        enum fovea_status status = read_segment(w, marker);
        if (status) {
            return status;
        }
    }
    if (!w->has_frame) {
        return fovea_fail(w->err, FOVEA_ERR_FORMAT,
                          "broken JPEG: a scan at byte %zu before any frame header", w->at - 2);
    }
    return FOVEA_OK;
}

static enum fovea_status fail_not_jpeg(const uint8_t *bytes, size_t size, struct fovea_error *err) {
    if (size == 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "not a JPEG image: the file is empty");
    }
    const char *kind = fovea_sniff(bytes, size);
    if (kind) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "not a JPEG image: it is %s", kind);
    }
    unsigned first[3] = {0};
    for (size_t i = 0; i < 3 && i < size; i++) {
        first[i] = bytes[i];
    }
    return fovea_fail(err, FOVEA_ERR_FORMAT,
                      "not a JPEG image: %zu bytes starting with %02x %02x %02x, not ff d8 ff",
                      size, first[0], first[1], first[2]);
}

enum fovea_status fovea_jpeg_header_read(const uint8_t *bytes, size_t size,
                                         struct fovea_jpeg_header *out, struct fovea_error *err) {
    bool has_start = size >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8;
    if (!has_start || (size > 2 && bytes[2] != 0xff)) {
        return fail_not_jpeg(bytes, size, err);
    }
    struct fovea_jpeg_header header = {.orientation = 1};
    struct walk w = {.bytes = bytes, .size = size, .at = 2, .header = &header, .err = err};
    enum fovea_status status = walk_markers(&w);
    if (status) {
        return status;
    }
    *out = header;
    return FOVEA_OK;
}

enum fovea_status fovea_jpeg_header_check(const struct fovea_jpeg_header *header,
                                          struct fovea_error *err) {
    static const char *const unsupported[16] = {
        [3] = "lossless",
        [5] = "hierarchical",
        [6] = "hierarchical progressive",
        [7] = "hierarchical lossless",
        [11] = "lossless, arithmetic-coded",
        [13] = "hierarchical, arithmetic-coded",
        [14] = "hierarchical progressive, arithmetic-coded",
        [15] = "hierarchical lossless, arithmetic-coded",
    };
    const char *kind = unsupported[header->sof & 15];
    if (kind) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "unsupported: %s JPEG (SOF%d)", kind,
                          header->sof);
    }
    if (header->precision != 8) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "unsupported: %d-bit JPEG; 8 bits only",
                          header->precision);
    }
    int n = header->n_components;
    if (n != 1 && n != 3 && n != 4) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "unsupported: a JPEG of %d components; 1, 3 or 4 only", n);
    }
    if (header->width == 0 || header->height == 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "a JPEG of %dx%d pixels", header->width,
                          header->height);
    }
    return FOVEA_OK;
}

size_t fovea_jpeg_whole_size(const uint8_t *bytes, size_t size) {
    struct walk w = {.bytes = bytes, .size = size, .at = size < 2 ? size : 2};
    for (;;) {
        int marker = next_marker(&w);
        if (marker < 0 || marker == MARKER_EOI) {
            return size;
        }
        if (stands_alone(marker)) {
            continue;
        }
        size_t left = size - w.at;
        size_t length = left < 2 ? SIZE_MAX : (size_t)bytes[w.at] << 8 | bytes[w.at + 1];
        if (length > left) {
            return w.at - 2;
        }
        w.at += length;
    }
}

/* Up to the end marker. */
static int count_scans(const uint8_t *bytes, size_t size) {
    struct walk w = {.bytes = bytes, .size = size, .at = size < 2 ? size : 2};
    int scans = 0, marker;
    while ((marker = next_marker(&w)) >= 0 && marker != MARKER_EOI && scans < INT_MAX) {
        if (stands_alone(marker)) {
            continue;
        }
        size_t left = size - w.at;
        size_t length = left < 2 ? SIZE_MAX : (size_t)bytes[w.at] << 8 | bytes[w.at + 1];
        scans += marker == MARKER_SOS;
        if (length > left) {
            break;
        }
        w.at += length;
    }
    return scans;
}

enum fovea_status fovea_jpeg_check_scans(const struct fovea_jpeg_header *header,
                                         const uint8_t *bytes, size_t size,
                                         const struct fovea_jpeg_options *options,
                                         struct fovea_error *err) {
    int scans = count_scans(bytes, size);
    if (scans > options->max_scans) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "a JPEG of %d scans; the limit is %d", scans,
                          options->max_scans);
    }
    uint64_t pixels = (uint64_t)header->width * (uint64_t)header->height;
    /* What has too many pixels is refused for that. */
    if (pixels <= options->max_pixels && pixels * (uint64_t)scans > FOVEA_LIMIT_SCANNED_PIXELS) {
        return fovea_fail(
            err, FOVEA_ERR_LIMIT, "%d scans of %llu pixels; the limit is %llu pixels scanned",
            scans, (unsigned long long)pixels, (unsigned long long)FOVEA_LIMIT_SCANNED_PIXELS);
    }
    return FOVEA_OK;
}

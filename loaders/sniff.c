/* Magic numbers: see sniff.h. */
#include "loaders/sniff.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct magic {
    size_t offset;
    size_t size;
    const char *bytes;
    const char *words;
};

#define MAGIC(offset, bytes, words)                                                                \
    { offset, sizeof(bytes) - 1, bytes, words }

/* The first that fits is taken, so the longer of two that overlap comes first. */
static const struct magic magics[] = {
    MAGIC(0, "\xff\xd8\xff", "a JPEG image"),
    MAGIC(0, "\x89PNG\r\n\x1a\n", "a PNG image"),
    MAGIC(0, "GIF8", "a GIF image"),
    MAGIC(8, "WEBP", "a WebP image"),
    MAGIC(0, "BM", "a BMP image"),
    MAGIC(0, "II*\0", "a TIFF image"),
    MAGIC(0, "MM\0*", "a TIFF image"),
    MAGIC(4, "ftypavif", "an AVIF image"),
    MAGIC(4, "ftyphei", "a HEIF image"),
    MAGIC(4, "ftypmif1", "a HEIF image"),
    MAGIC(4, "ftyp", "an MP4 or similar video"),
    MAGIC(0, "\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    MAGIC(0, "\xff\x4f\xff\x51", "a JPEG 2000 image"),
    MAGIC(0, "\0\0\0\x0cJXL ", "a JPEG XL image"),
    MAGIC(0, "\xff\x0a", "a JPEG XL image"),
    MAGIC(0, "%PDF", "a PDF document"),
    MAGIC(0, "PK\x03\x04", "a zip archive"),
    MAGIC(0, "\x1f\x8b", "gzip-compressed data"),
    MAGIC(257, "ustar", "a tar archive"),
    MAGIC(0, "P5", "a PGM image"),
    MAGIC(0, "P6", "a PPM image"),
    MAGIC(0, "\x93NUMPY", "a NumPy array"),
};

static bool is_markup(const uint8_t *bytes, size_t size, const char *tag) {
    size_t start = 0;
    while (start < size && isspace(bytes[start])) {
        start++;
    }
    size_t length = strlen(tag);
    return size - start >= length && strncasecmp((const char *)bytes + start, tag, length) == 0;
}

const char *fovea_sniff(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        const struct magic *m = &magics[i];
        if (size >= m->offset + m->size && memcmp(bytes + m->offset, m->bytes, m->size) == 0) {
            return m->words;
        }
    }
    if (is_markup(bytes, size, "<!doctype html") || is_markup(bytes, size, "<html")) {
        return "an HTML page";
    }
    if (is_markup(bytes, size, "<svg") || is_markup(bytes, size, "<?xml")) {
        return "an XML or SVG document";
    }
    return NULL;
}

/* A safetensors file may begin with a '{', too, as the low byte of a length; but zeros follow. */
bool fovea_sniff_json_object(const uint8_t *bytes, size_t size) {
    size_t start = 0;
    while (start < size && isspace(bytes[start])) {
        start++;
    }
    return start < size && bytes[start] == '{' && !memchr(bytes, 0, size);
}

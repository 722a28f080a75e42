/* Contents of zip members: see zip.h. The one home of zlib. */
#include "loaders/zip.h"

#include <string.h>
#include <zlib.h>

/* zlib counts in unsigned int. */
enum { PIECE = 1 << 20 };

static const unsigned char *start_of(const struct fovea_zip *zip,
                                     const struct fovea_zip_member *member) {
    return zip->bytes + member->data;
}

static uint32_t checksum(uint32_t crc, const unsigned char *bytes, size_t size) {
    while (size > 0) {
        size_t piece = size < PIECE ? size : PIECE;
        crc = (uint32_t)crc32(crc, bytes, (unsigned)piece);
        bytes += piece;
        size -= piece;
    }
    return crc;
}

static enum fovea_status check_sum(const struct fovea_zip_member *member, uint32_t crc,
                                   struct fovea_error *err) {
    return crc == member->crc ? FOVEA_OK
                              : fovea_fail(err, FOVEA_ERR_FORMAT,
                                           "the contents have checksum %08x; the archive says %08x",
                                           crc, member->crc);
}

/* ---- inflating ------------------------------------------------------------ */

struct inflation {
    z_stream z;
    const unsigned char *in;
    uint64_t in_left;
    bool ended; /* the compressed data say that they end */
};

static enum fovea_status begin(struct inflation *s, const struct fovea_zip *zip,
                               const struct fovea_zip_member *member, struct fovea_error *err) {
    *s = (struct inflation){.in = start_of(zip, member), .in_left = member->compressed};
    /* Negative: no zlib header around the data. */
    if (inflateInit2(&s->z, -MAX_WBITS) != Z_OK) {
        return fovea_fail_memory(err, 1 << MAX_WBITS, "inflating");
    }
    return FOVEA_OK;
}

/* Up to `size` bytes, *got of them; fewer only where the data end. */
static enum fovea_status inflate_some(struct inflation *s, void *out, size_t size, size_t *got,
                                      struct fovea_error *err) {
    *got = 0;
    while (*got < size && !s->ended) {
        size_t room = size - *got < PIECE ? size - *got : PIECE;
        unsigned fed = s->in_left < PIECE ? (unsigned)s->in_left : PIECE;
        s->z.next_in = (unsigned char *)s->in;
        s->z.avail_in = fed;
        s->z.next_out = (unsigned char *)out + *got;
        s->z.avail_out = (unsigned)room;
        int result = inflate(&s->z, Z_NO_FLUSH);
        s->in += fed - s->z.avail_in;
        s->in_left -= fed - s->z.avail_in;
        *got += room - s->z.avail_out;
        if (result == Z_MEM_ERROR) {
            return fovea_fail_memory(err, 1 << MAX_WBITS, "inflating");
        }
        if (result == Z_BUF_ERROR) { /* there is no more to feed */
            return fovea_fail(err, FOVEA_ERR_FORMAT, "the deflated data are cut short");
        }
        if (result != Z_OK && result != Z_STREAM_END) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "the deflated data are damaged: %s",
                              s->z.msg ? s->z.msg : "no dictionary");
        }
        s->ended = result == Z_STREAM_END;
    }
    return FOVEA_OK;
}

/* What comes before byte `skip` counts for the checksum only. */
static enum fovea_status inflate_prefix(struct inflation *s, size_t skip, uint32_t *crc,
                                        struct fovea_error *err) {
    unsigned char buffer[4096];
    while (skip > 0) {
        size_t wanted = skip < sizeof(buffer) ? skip : sizeof(buffer), got = 0;
        enum fovea_status st = inflate_some(s, buffer, wanted, &got, err);
        if (st) {
            return st;
        }
        if (got < wanted) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "the deflated data are cut short");
        }
        *crc = checksum(*crc, buffer, got);
        skip -= got;
    }
    return FOVEA_OK;
}

static enum fovea_status inflate_rest(struct inflation *s, const struct fovea_zip_member *member,
                                      size_t skip, void *out, struct fovea_error *err) {
    size_t wanted = (size_t)member->size - skip, got = 0, more = 0;
    unsigned char extra;
    uint32_t crc = 0;
    enum fovea_status st = inflate_prefix(s, skip, &crc, err);
    if (!st) {
        st = inflate_some(s, out, wanted, &got, err);
    }
    if (!st && got == wanted && !s->ended) {
        st = inflate_some(s, &extra, 1, &more, err);
    }
    if (!st && (got < wanted || more > 0 || s->in_left > 0)) {
        st = fovea_fail(err, FOVEA_ERR_FORMAT,
                        "the deflated data give %s than the %llu bytes the archive says",
                        got < wanted ? "fewer" : "more", (unsigned long long)member->size);
    }
    return st ? st : check_sum(member, checksum(crc, out, wanted), err);
}

/* ---- the interface -------------------------------------------------------- */

enum fovea_status fovea_zip_peek(const struct fovea_zip *zip, const struct fovea_zip_member *member,
                                 void *out, size_t most, size_t *got, struct fovea_error *err) {
    if (member->method == FOVEA_ZIP_STORED) {
        *got = member->size < most ? (size_t)member->size : most;
        memcpy(out, start_of(zip, member), *got);
        return FOVEA_OK;
    }
    struct inflation s;
    enum fovea_status st = begin(&s, zip, member, err);
    if (!st) {
        st = inflate_some(&s, out, member->size < most ? (size_t)member->size : most, got, err);
        inflateEnd(&s.z);
    }
    return st;
}

enum fovea_status fovea_zip_stored(const struct fovea_zip *zip,
                                   const struct fovea_zip_member *member, const unsigned char **out,
                                   struct fovea_error *err) {
    const unsigned char *bytes = start_of(zip, member);
    enum fovea_status st = check_sum(member, checksum(0, bytes, (size_t)member->size), err);
    if (!st) {
        *out = bytes;
    }
    return st;
}

enum fovea_status fovea_zip_inflate(const struct fovea_zip *zip,
                                    const struct fovea_zip_member *member, size_t skip, void *out,
                                    struct fovea_error *err) {
    struct inflation s;
    enum fovea_status st = begin(&s, zip, member, err);
    if (!st) {
        st = inflate_rest(&s, member, skip, out, err);
        inflateEnd(&s.z);
    }
    return st;
}

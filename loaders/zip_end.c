/* Where the directory of a zip archive is: see zip_end.h. */
#include "loaders/zip_end.h"

#include "loaders/byte_reader.h"

/*
 * The end of an archive:
 *
 *     central directory | zip64 end | zip64 locator | end | comment
 *
 * where the two in the middle are there if a number is too big for `end`.
 */
enum {
    END_SIGNATURE = 0x06054b50,
    END_BYTES = 22,
    END64_SIGNATURE = 0x06064b50,
    END64_BYTES = 56,
    LOCATOR_SIGNATURE = 0x07064b50,
    LOCATOR_BYTES = 20,
    COMMENT_MOST = 0xffff,
};

#define FULL16 0xffffu
#define FULL32 0xffffffffu

/* The archive. */
struct bytes {
    const unsigned char *bytes;
    size_t size;
};

static struct fovea_byte_reader reader_at(const struct bytes *zip, uint64_t start, uint64_t size,
                                          struct fovea_error *err) {
    return (struct fovea_byte_reader){
        .bytes = zip->bytes + start, .size = (size_t)size, .start = (size_t)start, .err = err};
}

static unsigned read_u16(struct fovea_byte_reader *r, const char *what) {
    unsigned low = fovea_read_u8(r, what);
    return low | fovea_read_u8(r, what) << 8;
}

static uint32_t number_at(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The one place whose signature is followed by a record and a comment that end with the file. */
static enum fovea_status find_end(const struct bytes *zip, size_t *out, struct fovea_error *err) {
    bool found = false;
    for (size_t comment = 0; comment <= COMMENT_MOST && comment + END_BYTES <= zip->size;
         comment++) {
        size_t at = zip->size - END_BYTES - comment;
        const unsigned char *end = zip->bytes + at;
        if (number_at(end) != END_SIGNATURE || (size_t)(end[20] | end[21] << 8) != comment) {
            continue;
        }
        if (found) {
            return fovea_fail(err, FOVEA_ERR_FORMAT,
                              "byte %zu: a second end of the zip archive; the other is at %zu", at,
                              *out);
        }
        found = true;
        *out = at;
    }
    return found ? FOVEA_OK
                 : fovea_fail(err, FOVEA_ERR_FORMAT,
                              "no end of a zip archive in the last %d bytes (cut short?)",
                              COMMENT_MOST + END_BYTES);
}

/* A number of the short record, which the zip64 record may replace if it is at its maximum. */
static uint64_t merge(struct fovea_byte_reader *r, const char *what, uint64_t small, uint64_t full,
                      uint64_t big) {
    if (small != full && small != big) {
        fovea_reader_fail(r, 0, "%s is %llu in the zip64 record, %llu in the other", what,
                          (unsigned long long)big, (unsigned long long)small);
    }
    return big;
}

/* `end` is the place of the end record; *stop becomes that of what follows the directory. */
static enum fovea_status read_end64(const struct bytes *zip, size_t end,
                                    struct fovea_zip_directory *directory, size_t *stop,
                                    struct fovea_error *err) {
    if (end < LOCATOR_BYTES || number_at(zip->bytes + end - LOCATOR_BYTES) != LOCATOR_SIGNATURE) {
        return FOVEA_OK;
    }
    size_t locator = end - LOCATOR_BYTES;
    struct fovea_byte_reader r = reader_at(zip, locator + 4, LOCATOR_BYTES - 4, err);
    fovea_read_u32(&r, "a disk's number");
    uint64_t place = fovea_read_u64(&r, "the place of the zip64 end");
    if (locator < END64_BYTES) {
        return fovea_reader_fail(&r, 0, "no zip64 end of %d bytes before it", END64_BYTES);
    }
    if (place != locator - END64_BYTES) {
        return fovea_reader_fail(&r, 4, "the zip64 end should be at %zu, just before, not at %llu",
                                 locator - END64_BYTES, (unsigned long long)place);
    }
    r = reader_at(zip, place, END64_BYTES, err);
    if (fovea_read_u32(&r, "a signature") != END64_SIGNATURE ||
        fovea_read_u64(&r, "a size") != END64_BYTES - 12) {
        return fovea_reader_fail(&r, 0, "no zip64 end of %d bytes here", END64_BYTES);
    }
    fovea_read_u32(&r, "versions");
    uint32_t disk = fovea_read_u32(&r, "a disk's number");
    uint32_t first = fovea_read_u32(&r, "a disk's number");
    uint64_t here = fovea_read_u64(&r, "the number of members here");
    uint64_t count = fovea_read_u64(&r, "the number of members");
    uint64_t bytes = fovea_read_u64(&r, "the directory's size");
    uint64_t start = fovea_read_u64(&r, "the directory's place");
    if (disk != 0 || first != 0 || here != count) {
        return fovea_reader_fail(&r, 16, "the archive is one of several parts");
    }
    directory->count = merge(&r, "the number of members", directory->count, FULL16, count);
    directory->bytes = merge(&r, "the directory's size", directory->bytes, FULL32, bytes);
    directory->start = merge(&r, "the directory's place", directory->start, FULL32, start);
    *stop = (size_t)place;
    return r.status;
}

enum fovea_status fovea_zip_find_directory(const void *bytes, size_t size,
                                           struct fovea_zip_directory *directory,
                                           struct fovea_error *err) {
    const struct bytes archive = {bytes, size}, *zip = &archive;
    size_t end = 0;
    enum fovea_status st = find_end(zip, &end, err);
    if (st) {
        return st;
    }
    size_t stop = end;
    struct fovea_byte_reader r = reader_at(zip, end + 4, END_BYTES - 4, err);
    unsigned disk = read_u16(&r, "a disk's number"), first = read_u16(&r, "a disk's number");
    unsigned here = read_u16(&r, "the number of members here");
    directory->count = read_u16(&r, "the number of members");
    directory->bytes = fovea_read_u32(&r, "the directory's size");
    directory->start = fovea_read_u32(&r, "the directory's place");
    if (disk != 0 || first != 0 || here != directory->count) {
        return fovea_reader_fail(&r, 0, "the archive is one of several parts");
    }
    st = read_end64(zip, end, directory, &stop, err);
    if (!st && (directory->bytes > stop || directory->start != stop - directory->bytes)) {
        st = fovea_fail(err, FOVEA_ERR_FORMAT,
                        "byte %zu: a directory of %llu bytes that ends here cannot start at %llu "
                        "(is there something before the archive?)",
                        stop, (unsigned long long)directory->bytes,
                        (unsigned long long)directory->start);
    }
    return st;
}

/* Members of a zip archive: see zip.h. Where the directory is, zip_end.c knows; contents are
 * zip_data.c's. */
#include "loaders/zip.h"

#include "loaders/byte_reader.h"
#include "loaders/zip_end.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    CENTRAL_SIGNATURE = 0x02014b50,
    CENTRAL_BYTES = 46,
    LOCAL_SIGNATURE = 0x04034b50,
    LOCAL_BYTES = 30,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    FLAG_DESCRIPTOR = 1 << 3, /* sizes and checksum follow the contents */
    FLAG_STRONG = 1 << 6,
    FLAG_MASKED = 1 << 13,
};

#define FULL32 0xffffffffu

static struct fovea_byte_reader reader_at(const struct fovea_zip *zip, uint64_t start,
                                          uint64_t size, struct fovea_error *err) {
    return (struct fovea_byte_reader){
        .bytes = zip->bytes + start, .size = (size_t)size, .start = (size_t)start, .err = err};
}

static unsigned read_u16(struct fovea_byte_reader *r, const char *what) {
    unsigned low = fovea_read_u8(r, what);
    return low | fovea_read_u8(r, what) << 8;
}

/* ---- members ------------------------------------------------------------- */

/* Replace what is at its maximum by the numbers of a zip64 extra field, in their fixed order. */
static void read_extra(struct fovea_byte_reader *r, size_t length, bool central,
                       struct fovea_zip_member *m) {
    size_t end = r->at + length;
    while (!r->status && end - r->at >= 4) {
        unsigned id = read_u16(r, "an extra field"), size = read_u16(r, "an extra field");
        size_t next = r->at + size;
        if (next > end) {
            fovea_reader_fail(r, r->at, "an extra field of %u bytes; %zu are left", size,
                              end - r->at);
            return;
        }
        uint64_t *const wanted[] = {m->size == FULL32 ? &m->size : NULL,
                                    m->compressed == FULL32 ? &m->compressed : NULL,
                                    central && m->header == FULL32 ? &m->header : NULL};
        for (int i = 0; id == EXTRA_ZIP64 && i < 3; i++) {
            if (wanted[i] && next - r->at >= 8) {
                *wanted[i] = fovea_read_u64(r, "a zip64 number");
            }
        }
        r->at = next;
    }
    r->at = end;
}

static void check_member(struct fovea_byte_reader *r, size_t at, const struct fovea_zip_member *m) {
    const struct fovea_quoted quoted = fovea_quote(m->name);
    if (m->flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED)) {
        fovea_reader_fail(r, at, "member '%s' is encrypted", quoted.text);
    }
    if (m->method != FOVEA_ZIP_STORED && m->method != FOVEA_ZIP_DEFLATED) {
        fovea_reader_fail(r, at,
                          "member '%s' has compression method %d; stored (0) and deflated (8) "
                          "are supported",
                          quoted.text, m->method);
    }
    if (m->method == FOVEA_ZIP_STORED && m->compressed != m->size) {
        fovea_reader_fail(r, at, "member '%s' is stored, but has %llu bytes of %llu", quoted.text,
                          (unsigned long long)m->compressed, (unsigned long long)m->size);
    }
}

/* One entry of the central directory; its name goes to `name`. Returns the name's length. */
static size_t read_central(struct fovea_byte_reader *r, struct fovea_zip_member *m, char *name) {
    size_t at = r->at;
    if (fovea_read_u32(r, "a directory entry") != CENTRAL_SIGNATURE) {
        fovea_reader_fail(r, at, "no entry of the zip directory here");
    }
    fovea_read_u32(r, "versions");
    m->flags = (uint16_t)read_u16(r, "flags");
    m->method = (uint16_t)read_u16(r, "a method");
    fovea_read_u32(r, "a time");
    m->crc = fovea_read_u32(r, "a checksum");
    m->compressed = fovea_read_u32(r, "a size");
    m->size = fovea_read_u32(r, "a size");
    size_t name_length = read_u16(r, "a length"), extra = read_u16(r, "a length");
    size_t comment = read_u16(r, "a length");
    fovea_read_bytes(r, "attributes", 8);
    m->header = fovea_read_u32(r, "a place");
    const unsigned char *text = fovea_read_bytes(r, "a member's name", name_length);
    if (!text || r->size - r->at < extra + comment) {
        fovea_reader_fail(r, at, "an entry with %zu bytes to follow; %zu are left", extra + comment,
                          r->size - r->at);
        return 0;
    }
    memcpy(name, text, name_length);
    name[name_length] = 0;
    m->name = name;
    if (strlen(name) != name_length) {
        fovea_reader_fail(r, at, "a member's name has a NUL byte");
    }
    if (name_length > FOVEA_LIMIT_NAME) {
        fovea_reader_fail(r, at, "a member's name has %zu bytes; the limit is %d", name_length,
                          FOVEA_LIMIT_NAME);
    }
    read_extra(r, extra, true, m);
    r->at += comment;
    check_member(r, at, m);
    return name_length;
}

/* ---- local headers ------------------------------------------------------- */

/* With a descriptor behind the contents, writers leave sizes and checksum open here. */
static bool local_agrees(const struct fovea_zip_member *m, const struct fovea_zip_member *local) {
    bool open = local->flags & FLAG_DESCRIPTOR;
    bool sizes = local->size == m->size && local->compressed == m->compressed;
    bool none = local->size == 0 && local->compressed == 0;
    bool full = local->size == FULL32 && local->compressed == FULL32;
    return local->method == m->method && local->flags == m->flags &&
           (local->crc == m->crc || (open && local->crc == 0)) &&
           (sizes || (open && (none || full)));
}

/* `end` is where the directory begins. */
static enum fovea_status read_local(const struct fovea_zip *zip, uint64_t end,
                                    struct fovea_zip_member *m, struct fovea_error *err) {
    struct fovea_zip_member local = {0};
    if (m->header > end || end - m->header < LOCAL_BYTES) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "its header at byte %llu is not before the "
                          "directory at %llu",
                          (unsigned long long)m->header, (unsigned long long)end);
    }
    struct fovea_byte_reader r = reader_at(zip, m->header, end - m->header, err);
    if (fovea_read_u32(&r, "a signature") != LOCAL_SIGNATURE) {
        return fovea_reader_fail(&r, 0, "no header of a zip member here");
    }
    read_u16(&r, "a version");
    local.flags = (uint16_t)read_u16(&r, "flags");
    local.method = (uint16_t)read_u16(&r, "a method");
    fovea_read_u32(&r, "a time");
    local.crc = fovea_read_u32(&r, "a checksum");
    local.compressed = fovea_read_u32(&r, "a size");
    local.size = fovea_read_u32(&r, "a size");
    size_t name = read_u16(&r, "a length"), extra = read_u16(&r, "a length");
    const unsigned char *text = fovea_read_bytes(&r, "a member's name", name);
    if (!r.status && r.size - r.at < extra) {
        fovea_reader_fail(&r, 28, "an extra field of %zu bytes; %zu are left", extra,
                          r.size - r.at);
    }
    if (!r.status) {
        read_extra(&r, extra, false, &local);
    }
    if (!r.status &&
        (name != strlen(m->name) || memcmp(text, m->name, name) != 0 || !local_agrees(m, &local))) {
        fovea_reader_fail(&r, 0, "the member's header and the directory differ");
    }
    if (!r.status && m->compressed > r.size - r.at) {
        fovea_reader_fail(&r, r.at, "%llu bytes of contents; %zu are left",
                          (unsigned long long)m->compressed, r.size - r.at);
    }
    m->data = m->header + r.at;
    return r.status;
}

static int by_place(const void *a, const void *b) {
    const struct fovea_zip_member *one = a, *two = b;
    return one->header < two->header ? -1 : one->header > two->header;
}

static int by_name(const void *a, const void *b) {
    const struct fovea_zip_member *one = a, *two = b;
    return strcmp(one->name, two->name);
}

static enum fovea_status check_places(const struct fovea_zip *zip, struct fovea_error *err) {
    for (size_t i = 0; i < zip->count; i++) {
        const struct fovea_zip_member *m = &zip->members[i];
        uint64_t free_from = i ? m[-1].data + m[-1].compressed : 0;
        if (m->header < free_from) {
            return fovea_fail(err, FOVEA_ERR_FORMAT,
                              "zip member '%s' at byte %llu overlaps what ends at %llu",
                              fovea_quote(m->name).text, (unsigned long long)m->header,
                              (unsigned long long)free_from);
        }
        if (i == 0 && m->header != 0) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "%llu bytes are before the zip archive",
                              (unsigned long long)m->header);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status check_names(const struct fovea_zip *zip, struct fovea_error *err) {
    for (size_t i = 1; i < zip->count; i++) {
        if (strcmp(zip->members[i - 1].name, zip->members[i].name) == 0) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "zip member '%s' is there twice",
                              fovea_quote(zip->members[i].name).text);
        }
    }
    return FOVEA_OK;
}

/* ---- the whole ----------------------------------------------------------- */

static enum fovea_status read_directory(struct fovea_zip *zip,
                                        const struct fovea_zip_directory *directory,
                                        struct fovea_error *err) {
    struct fovea_byte_reader r = reader_at(zip, directory->start, directory->bytes, err);
    char *name = zip->names;
    for (size_t i = 0; i < directory->count; i++) {
        name += read_central(&r, &zip->members[i], name) + 1;
        if (r.status) {
            return r.status;
        }
        zip->count++;
    }
    if (r.at != r.size) {
        return fovea_reader_fail(&r, r.at, "%zu bytes of the zip directory are left over",
                                 r.size - r.at);
    }
    for (size_t i = 0; i < directory->count; i++) {
        enum fovea_status st = read_local(zip, directory->start, &zip->members[i], err);
        if (st) {
            fovea_error_prefix(err, "zip member '%s'", fovea_quote(zip->members[i].name).text);
            return st;
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_zip_init(struct fovea_zip *zip, const void *bytes, size_t size,
                                 struct fovea_error *err) {
    struct fovea_zip_directory directory = {0};
    *zip = (struct fovea_zip){.bytes = bytes, .size = size};
    enum fovea_status st = fovea_zip_find_directory(bytes, size, &directory, err);
    if (st) {
        return st;
    }
    if (directory.count > FOVEA_LIMIT_CHECKPOINT_TENSORS ||
        directory.count > directory.bytes / CENTRAL_BYTES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "%llu zip members in a directory of %llu bytes; the limit is %d",
                          (unsigned long long)directory.count, (unsigned long long)directory.bytes,
                          FOVEA_LIMIT_CHECKPOINT_TENSORS);
    }
    zip->members = calloc((size_t)directory.count + 1, sizeof(*zip->members));
    zip->names = malloc((size_t)directory.bytes + 1);
    if (!zip->members || !zip->names) {
        return fovea_fail_memory(err, (size_t)directory.bytes, "a zip directory");
    }
    st = read_directory(zip, &directory, err);
    if (st) {
        return st;
    }
    qsort(zip->members, zip->count, sizeof(*zip->members), by_place);
    st = check_places(zip, err);
    if (!st) {
        qsort(zip->members, zip->count, sizeof(*zip->members), by_name);
        st = check_names(zip, err);
    }
    return st;
}

void fovea_zip_finish(struct fovea_zip *zip) {
    free(zip->members);
    free(zip->names);
    *zip = (struct fovea_zip){0};
}

const struct fovea_zip_member *fovea_zip_find(const struct fovea_zip *zip, const char *name) {
    struct fovea_zip_member key = {.name = name};
    return bsearch(&key, zip->members, zip->count, sizeof(key), by_name);
}

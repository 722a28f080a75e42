/* See tar.h. Formats: POSIX.1-2017, pax, "Interchange Format"; GNU tar's manual, "Basic Tar". */
#include "loaders/tar.h"

#include "loaders/file.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BLOCK = FOVEA_TAR_BLOCK,
    NAME = 0,
    NAME_BYTES = 100,
    SIZE = 124,
    SIZE_BYTES = 12,
    CHECKSUM = 148,
    CHECKSUM_BYTES = 8,
    TYPE = 156,
    LINK = 157,
    LINK_BYTES = 100,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_BYTES = 155,
    EXTENSION_MAX = 1 << 20, /* bytes of pax records, or of a GNU long name */
    PADDING_MAX = 1 << 20,   /* looked at after the end mark */
};

/* What earlier headers said of the next entry. */
struct extension {
    char *path, *link;
    bool has_size, sparse;
    uint64_t size;
};

struct reader {
    int fd;
    uint64_t size, at; /* of the file; of the block at hand */
    unsigned char block[BLOCK];
    struct extension next;
    struct fovea_tar tar;
    struct fovea_error *err;
};

static void extension_finish(struct extension *e) {
    free(e->path);
    free(e->link);
    *e = (struct extension){0};
}

/* ---- bytes ---------------------------------------------------------------------- */

static enum fovea_status read_at(const struct reader *r, uint64_t at, void *out, size_t size) {
    size_t got;
    int code = fovea_file_read_at(r->fd, at, out, size, &got);
    return !code && got == size
               ? FOVEA_OK
               : fovea_fail(r->err, FOVEA_ERR_IO, "cannot read byte %llu of the archive: %s",
                            (unsigned long long)(at + got),
                            code ? strerror(code) : "the file shrank");
}

static bool is_zero(const unsigned char *block) {
    for (int i = 0; i < BLOCK; i++) {
        if (block[i]) {
            return false;
        }
    }
    return true;
}

/* Octal digits between spaces, or, the first bit set, a big-endian number. False: neither. */
static bool number_in(const unsigned char *field, int bytes, uint64_t *out) {
    uint64_t value = field[0] & 0x3f;
    int i = 1;
    if (field[0] & 0x80) {
        for (; i < bytes; i++) {
            if (value >> 55) {
                return false;
            }
            value = value << 8 | field[i];
        }
        *out = value;
        return !(field[0] & 0x40); /* negative */
    }
    value = 0;
    for (i = 0; i < bytes && field[i] == ' ';) {
        i++;
    }
    int first = i;
    for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++) {
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    bool ended = i == bytes || field[i] == ' ' || field[i] == 0;
    *out = value;
    return ended && (i > first || i < bytes); /* without digits, a zero ends it */
}

/* POSIX sums the bytes as unsigned, some old programs as signed. */
bool fovea_tar_is_header(const unsigned char *block) {
    uint64_t wanted;
    int64_t plain = 0, with_sign = 0;
    for (int i = 0; i < BLOCK; i++) {
        bool own = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_BYTES;
        plain += own ? ' ' : block[i];
        with_sign += own ? ' ' : (signed char)block[i];
    }
    return block[NAME] && number_in(block + CHECKSUM, CHECKSUM_BYTES, &wanted) &&
           wanted < INT32_MAX && ((int64_t)wanted == plain || (int64_t)wanted == with_sign);
}

/* ---- extensions ------------------------------------------------------------------ */

static enum fovea_status fail_here(const struct reader *r, const char *what) {
    return fovea_fail(r->err, FOVEA_ERR_FORMAT, "byte %llu of the archive: %s",
                      (unsigned long long)r->at, what);
}

/* A copy of a name that must have no zero in it, in place of *name. */
static enum fovea_status set_name(struct reader *r, char **name, const char *text, size_t length) {
    if (length > FOVEA_LIMIT_NAME) {
        return fovea_fail(r->err, FOVEA_ERR_LIMIT,
                          "byte %llu of the archive: a name of %zu bytes; the limit is %d",
                          (unsigned long long)r->at, length, FOVEA_LIMIT_NAME);
    }
    if (length == 0 || memchr(text, 0, length)) {
        return fail_here(r, length ? "a name with a zero byte in it" : "an empty name");
    }
    free(*name);
    *name = strndup(text, length);
    return *name ? FOVEA_OK : fovea_fail_memory(r->err, length + 1, "a name");
}

static bool key_is(const char *record, const char *equals, const char *key) {
    size_t length = strlen(key);
    return (size_t)(equals - record) == length && memcmp(record, key, length) == 0;
}

/* One record's "KEY=VALUE", `length` bytes. Other keys say nothing about where the bytes are. */
static enum fovea_status take_record(struct reader *r, const char *record, size_t length) {
    const char *equals = memchr(record, '=', length);
    if (!equals) {
        return fail_here(r, "a pax record without '='");
    }
    const char *value = equals + 1;
    size_t value_length = length - (size_t)(value - record);
    if (key_is(record, equals, "path")) {
        return set_name(r, &r->next.path, value, value_length);
    }
    if (key_is(record, equals, "linkpath")) {
        return set_name(r, &r->next.link, value, value_length);
    }
    if (strncmp(record, "GNU.sparse.", 11) == 0) {
        r->next.sparse = true;
    }
    if (!key_is(record, equals, "size")) {
        return FOVEA_OK;
    }
    uint64_t size = 0;
    for (size_t i = 0; i < value_length; i++) {
        if (value[i] < '0' || value[i] > '9' || size > UINT64_MAX / 16) {
            return fail_here(r, "a pax record with a size that is no number");
        }
        size = 10 * size + (uint64_t)(value[i] - '0');
    }
    r->next.has_size = value_length > 0; /* "size=" takes back one before, by POSIX */
    r->next.size = size;
    return FOVEA_OK;
}

/* Records of "LENGTH KEY=VALUE\n", LENGTH counting all of it. `text` ends with a zero. */
static enum fovea_status take_pax(struct reader *r, const char *text, size_t size) {
    size_t at = 0;
    while (at < size && text[at]) {
        size_t length = 0, i = at;
        for (; text[i] >= '0' && text[i] <= '9' && length <= size; i++) {
            length = 10 * length + (size_t)(text[i] - '0');
        }
        size_t head = i - at + 1;
        if (text[i] != ' ' || length > size - at || length < head + 2 ||
            text[at + length - 1] != '\n') {
            return fail_here(r, "a pax record of the wrong length");
        }
        enum fovea_status status = take_record(r, text + at + head, length - head - 1);
        if (status) {
            return status;
        }
        at += length;
    }
    return FOVEA_OK;
}

/* The content of a header that only speaks of the next one. */
static enum fovea_status take_extension(struct reader *r, char type, uint64_t size) {
    if (size > EXTENSION_MAX) {
        return fovea_fail(r->err, FOVEA_ERR_LIMIT,
                          "byte %llu of the archive: %llu bytes about one entry; the limit is %d",
                          (unsigned long long)r->at, (unsigned long long)size, EXTENSION_MAX);
    }
    char *text = calloc(1, size + 1);
    if (!text) {
        return fovea_fail_memory(r->err, size + 1, "an archive's header");
    }
    enum fovea_status status = read_at(r, r->at + BLOCK, text, size);
    if (!status && type == 'x') {
        status = take_pax(r, text, size);
    } else if (!status) {
        status = set_name(r, type == 'L' ? &r->next.path : &r->next.link, text, strlen(text));
    }
    free(text);
    return status;
}

/* ---- entries ---------------------------------------------------------------------- */

/* Of an entry whose path is not empty: see set_name. */
static enum fovea_tar_type type_of(const struct reader *r, const char *path) {
    switch (r->block[TYPE]) {
    case '0':
    case 0:
        /* In the old format a folder is a file whose name ends in a slash. */
        if (path[strlen(path) - 1] == '/') {
            return FOVEA_TAR_FOLDER;
        }
        return r->next.sparse ? FOVEA_TAR_OTHER : FOVEA_TAR_FILE;
    case '7':
        return FOVEA_TAR_FILE;
    case '1':
        return FOVEA_TAR_HARD_LINK;
    case '2':
        return FOVEA_TAR_SYMBOLIC_LINK;
    case '5':
        return FOVEA_TAR_FOLDER;
    default:
        return FOVEA_TAR_OTHER;
    }
}

/* "PREFIX/NAME" of a ustar header, NAME of any other. The fields need not end in a zero. */
static enum fovea_status header_path(struct reader *r, char **out) {
    char text[PREFIX_BYTES + 1 + NAME_BYTES];
    size_t length = 0;
    const char *name = (const char *)r->block + NAME, *prefix = (const char *)r->block + PREFIX;
    if (memcmp(r->block + MAGIC, "ustar\0", 6) == 0 && prefix[0]) {
        length = strnlen(prefix, PREFIX_BYTES);
        memcpy(text, prefix, length);
        text[length++] = '/';
    }
    size_t name_length = strnlen(name, NAME_BYTES);
    memcpy(text + length, name, name_length);
    return set_name(r, out, text, length + name_length);
}

/* The path and link of the entry, moved out of what is known of it. */
static enum fovea_status take_names(struct reader *r, struct fovea_tar_entry *entry) {
    const char *link = (const char *)r->block + LINK;
    size_t length = strnlen(link, LINK_BYTES);
    enum fovea_status status = r->next.path ? FOVEA_OK : header_path(r, &r->next.path);
    if (!status && !r->next.link && length > 0) {
        status = set_name(r, &r->next.link, link, length);
    }
    if (!status) {
        entry->path = r->next.path;
        entry->link = r->next.link;
        r->next.path = r->next.link = NULL;
    }
    return status;
}

static enum fovea_status add_entry(struct reader *r, uint64_t size) {
    struct fovea_tar *tar = &r->tar;
    if (tar->count == FOVEA_LIMIT_TAR_ENTRIES) {
        return fovea_fail(r->err, FOVEA_ERR_LIMIT, "the archive has more than %d entries",
                          FOVEA_LIMIT_TAR_ENTRIES);
    }
    if (tar->count == tar->room) {
        size_t room = tar->room ? 2 * tar->room : 256;
        struct fovea_tar_entry *grown = realloc(tar->entries, room * sizeof(*grown));
        if (!grown) {
            return fovea_fail_memory(r->err, room * sizeof(*grown), "an archive's entries");
        }
        tar->entries = grown;
        tar->room = room;
    }
    struct fovea_tar_entry entry = {.offset = r->at + BLOCK, .size = size};
    enum fovea_status status = take_names(r, &entry);
    if (!status) {
        entry.type = type_of(r, entry.path);
        tar->entries[tar->count++] = entry;
        extension_finish(&r->next);
    }
    return status;
}

/* The header at hand; *size gets the bytes that follow it. */
static enum fovea_status take_header(struct reader *r, uint64_t *size) {
    char type = (char)r->block[TYPE];
    if (!fovea_tar_is_header(r->block)) {
        return fail_here(r, "no tar header: its checksum is wrong");
    }
    if (!number_in(r->block + SIZE, SIZE_BYTES, size)) {
        return fail_here(r, "a size that is no number");
    }
    if (type == 'S' || type == 'M') {
        return fail_here(r, type == 'S' ? "a sparse file in GNU's old format is not supported"
                                        : "archives in several volumes are not supported");
    }
    bool extension = type == 'x' || type == 'L' || type == 'K';
    bool link = type >= '1' && type <= '6'; /* nothing follows, whatever the size says */
    if (!extension && type != 'g' && r->next.has_size) {
        *size = r->next.size;
    }
    *size = link ? 0 : *size;
    if (*size > r->size - r->at - BLOCK) {
        return fovea_fail(r->err, FOVEA_ERR_FORMAT,
                          "the archive is truncated: the entry at byte %llu has %llu bytes, of "
                          "which %llu are there",
                          (unsigned long long)r->at, (unsigned long long)*size,
                          (unsigned long long)(r->size - r->at - BLOCK));
    }
    if (type == 'g') {
        return FOVEA_OK; /* defaults for all entries: a path or size is none */
    }
    return extension ? take_extension(r, type, *size) : add_entry(r, *size);
}

/* After the end mark: anything but zeroes is another archive, or not a tar's. */
static enum fovea_status check_padding(struct reader *r) {
    uint64_t end = r->at + PADDING_MAX;
    for (; r->at < end && r->size - r->at >= BLOCK; r->at += BLOCK) {
        enum fovea_status status = read_at(r, r->at, r->block, BLOCK);
        if (status) {
            return status;
        }
        if (!is_zero(r->block)) {
            return fail_here(r, fovea_tar_is_header(r->block)
                                    ? "another archive begins after the end of the first"
                                    : "bytes other than zeroes after the archive's end");
        }
    }
    return FOVEA_OK;
}

static enum fovea_status read_entries(struct reader *r) {
    while (r->size - r->at >= BLOCK) {
        uint64_t content = 0;
        enum fovea_status status = read_at(r, r->at, r->block, BLOCK);
        if (!status && is_zero(r->block)) {
            status = check_padding(r);
            r->at = r->size;
        } else if (!status) {
            status = take_header(r, &content);
            uint64_t rest = r->size - r->at - BLOCK;
            /* The last block may lack its padding. */
            uint64_t blocks = content + (BLOCK - content % BLOCK) % BLOCK;
            r->at += BLOCK + (blocks < rest ? blocks : rest);
        }
        if (status) {
            return status;
        }
    }
    if (r->at < r->size) {
        return fail_here(r, "a piece of a header");
    }
    if (r->next.path || r->next.link || r->next.has_size) {
        return fail_here(r, "the entry that the last header speaks of is missing");
    }
    return FOVEA_OK;
}

enum fovea_status fovea_tar_load(int fd, uint64_t size, struct fovea_tar *out,
                                 struct fovea_error *err) {
    struct reader r = {.fd = fd, .size = size, .err = err};
    enum fovea_status status = read_entries(&r);
    extension_finish(&r.next);
    if (status) {
        fovea_tar_finish(&r.tar);
        return status;
    }
    *out = r.tar;
    return FOVEA_OK;
}

void fovea_tar_finish(struct fovea_tar *tar) {
    for (size_t i = 0; i < tar->count; i++) {
        free(tar->entries[i].path);
        free(tar->entries[i].link);
    }
    free(tar->entries);
    *tar = (struct fovea_tar){0};
}

/*
 * Headers of tar archives, field by field (what archives hold is in test_dataset_tar.c): POSIX's
 * pax format and GNU's tar.h say what is in them.
 */
#include "loaders/tar.h"
#include "runtime/limits.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 2 << 20, NAME = 0, SIZE = 124, CHECKSUM = 148, TYPE = 156, LINK = 157, MAGIC = 257 };

static unsigned char bytes[ROOM];
static size_t size;
static struct fovea_tar tar;
static struct fovea_error err;

static void seal(size_t at, int sign) {
    int sum = 0;
    memset(bytes + at + CHECKSUM, ' ', 8);
    for (size_t i = 0; i < 512; i++) {
        sum += sign ? (signed char)bytes[at + i] : bytes[at + i];
    }
    snprintf((char *)bytes + at + CHECKSUM, 8, "%06o", (unsigned)sum);
}

static size_t add(const char *path, char type, const void *content, size_t length) {
    size_t at = size;
    memset(bytes + at, 0, 512 + (length + 511) / 512 * 512);
    snprintf((char *)bytes + at, 100, "%s", path);
    snprintf((char *)bytes + at + SIZE, 12, "%011zo", length);
    bytes[at + TYPE] = (unsigned char)type;
    memcpy(bytes + at + MAGIC, "ustar\00000", 8);
    memcpy(bytes + at + 512, content, length);
    seal(at, 0);
    size += 512 + (length + 511) / 512 * 512;
    return at;
}

static enum fovea_status load_as(uint64_t said) {
    int fd = memfd_create("tar", MFD_CLOEXEC);
    fovea_tar_finish(&tar);
    err.message[0] = 0;
    CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    enum fovea_status st = fovea_tar_load(fd, said, &tar, &err);
    close(fd);
    return st;
}

static void refuse(enum fovea_status want, const char *words) {
    CHECK(load_as(size) == want);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
    fovea_tar_finish(&tar);
}

static void take(size_t count) {
    CHECK_OK(load_as(size), err);
    CHECK(tar.count == count);
}

/* One file whose field is as given. */
static void with_field(size_t at, const void *value, size_t length) {
    size = 0;
    add("a", '0', "", 1);
    memcpy(bytes + at, value, length);
    seal(0, 0);
}

static void tar__numbers__in_every_spelling(void) {
    static const struct {
        const char *field;
        bool good;
    } rows[] = {
        {"00000000001\0", true},
        {"           1", true},
        {"1           ", true},
        {"            ", false},
        {"000000000001", true},
        {"00000000001 ", true},
        {"\0\0\0\0\0\0\0\0\0\0\0\0", true},
        {"      \0\0\0\0\0\0", true},
        {"00000000008\0", false},
        {"x0000000001\0", false},
        {"0000000000/\0", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        with_field(SIZE, rows[i].field, 12);
        enum fovea_status want = rows[i].good ? FOVEA_OK : FOVEA_ERR_FORMAT;
        if (load_as(size) != want) {
            check_failed(__FILE__, __LINE__, rows[i].field, err.message);
        }
    }
    with_field(SIZE, "\xc0\0\0\0\0\0\0\0\0\0\0\1", 12); /* negative */
    refuse(FOVEA_ERR_FORMAT, "a size that is no number");
}

/* POSIX sums bytes as unsigned, some old programs as signed. */
static void tar__checksums__unsigned_signed_or_neither(void) {
    size = 0;
    add("\xe4", '0', "x", 1);
    take(1);
    seal(0, 1);
    take(1);
    bytes[1] = 'b';
    refuse(FOVEA_ERR_FORMAT, "no tar header: its checksum is wrong");
    with_field(NAME, "a", 1);
    memcpy(bytes + CHECKSUM, "77777777", 8);
    refuse(FOVEA_ERR_FORMAT, "no tar header");
    memcpy(bytes + CHECKSUM, "\x80\0\0\0\x7f\xff\xff\xff", 8);
    refuse(FOVEA_ERR_FORMAT, "no tar header");
    memcpy(bytes + CHECKSUM, "????????", 8);
    refuse(FOVEA_ERR_FORMAT, "no tar header");
    size = 0;
    add("", '0', "x", 1);
    refuse(FOVEA_ERR_FORMAT, "no tar header");
}

static void tar__types__are_told_apart(void) {
    static const struct {
        char flag;
        enum fovea_tar_type type;
    } rows[] = {
        {'0', FOVEA_TAR_FILE},          {0, FOVEA_TAR_FILE},
        {'7', FOVEA_TAR_FILE},          {'1', FOVEA_TAR_HARD_LINK},
        {'2', FOVEA_TAR_SYMBOLIC_LINK}, {'3', FOVEA_TAR_OTHER},
        {'5', FOVEA_TAR_FOLDER},        {'6', FOVEA_TAR_OTHER},
        {'Z', FOVEA_TAR_OTHER},
    };
    size = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add("a", rows[i].flag, "", 0);
    }
    add("a/", '0', "", 0);
    add("x", 'x', "19 GNU.sparse.a=b\n\0", 19);
    add("x", 'x', "18 GNU.sparse.a=b\n", 18);
    add("a", '0', "", 0);
    refuse(FOVEA_ERR_FORMAT, "a pax record of the wrong length");
    size -= 3 * 1024 - 512;
    add("x", 'x', "18 GNU.sparse.a=b\n", 18);
    add("a", '0', "", 0);
    take(sizeof(rows) / sizeof(rows[0]) + 2);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && i < tar.count; i++) {
        CHECK(tar.entries[i].type == rows[i].type);
    }
    CHECK(tar.entries[tar.count - 2].type == FOVEA_TAR_FOLDER);
    CHECK(tar.entries[tar.count - 1].type == FOVEA_TAR_OTHER);
    with_field(TYPE, "M", 1);
    refuse(FOVEA_ERR_FORMAT, "archives in several volumes are not supported");
    with_field(TYPE, "S", 1);
    refuse(FOVEA_ERR_FORMAT, "a sparse file in GNU's old format is not supported");
}

static void tar__pax_records__odd_ones(void) {
    static char longest[FOVEA_LIMIT_NAME + 100];
    static const struct {
        const char *records;
        const char *words; /* NULL: it is taken */
    } rows[] = {
        {"9 path=b\n", NULL},
        {"9 path=b\n10 mtime=0\n", "wrong length"},
        {"9 path=b\n11 mtime=0\n", NULL},
        {"9 path=b\n9 path=c\n", NULL},
        {"13 linkpath=\n", "an empty name"},
        {"14 linkpath=b\n", NULL},
        {"9 size=1\n", NULL},
        {"9 size=/\n", "a size that is no number"},
        {"9 size=:\n", "a size that is no number"},
        {"8 size=\n", NULL}, /* POSIX: the header's field counts again */
        {"9 size=9\n8 size=\n", NULL},
        {"9:path=b\n", "wrong length"},
        {"x path=b\n", "wrong length"},
        {" path=b\n", "wrong length"},
        {"3 \n", "wrong length"},
        {"4 a\n", "a pax record without '='"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size = 0;
        add("x", 'x', rows[i].records, strlen(rows[i].records));
        add("a", '0', "x", 1);
        if (rows[i].words) {
            refuse(FOVEA_ERR_FORMAT, rows[i].words);
        } else {
            take(1);
        }
    }
    size = 0;
    add("x", 'x', "10 path=a\0\n", 11);
    add("a", '0', "x", 1);
    refuse(FOVEA_ERR_FORMAT, "wrong length");
    size = 0;
    add("x", 'x', "9 path=b\n\0\0", 11); /* zeroes pad the records */
    add("a", '0', "x", 1);
    take(1);
    CHECK_STR(tar.entries[0].path, "b");
    size = 0;
    add("x", 'x', "11 path=a\0\n", 11);
    add("a", '0', "x", 1);
    refuse(FOVEA_ERR_FORMAT, "a name with a zero byte in it");
    int head = snprintf(longest, sizeof(longest), "%d path=", FOVEA_LIMIT_NAME + 12);
    memset(longest + head, 'n', sizeof(longest) - (size_t)head);
    longest[FOVEA_LIMIT_NAME + 11] = '\n';
    size = 0;
    add("x", 'x', longest, FOVEA_LIMIT_NAME + 12);
    refuse(FOVEA_ERR_LIMIT, "bytes; the limit is 4096");
}

static void tar__headers_about_others__bounds_and_order(void) {
    size = 0;
    add("g", 'g', "junk", 4);
    add("K", 'K', "target", 6);
    add("a", '2', "", 0);
    take(1);
    CHECK_STR(tar.entries[0].link, "target");
    static const char *const last[] = {"9 path=b\n", "14 linkpath=b\n", "9 size=1\n"};
    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
        size = 0;
        add("x", 'x', last[i], strlen(last[i]));
        refuse(FOVEA_ERR_FORMAT, "the last header speaks of is missing");
    }
    size = 0;
    add("L", 'L', "", 0);
    refuse(FOVEA_ERR_FORMAT, "an empty name");
    static char zeroes[(1 << 20) + 512];
    size = 0;
    add("x", 'x', zeroes, sizeof(zeroes));
    refuse(FOVEA_ERR_LIMIT, "bytes about one entry; the limit is");
    size = 0;
    add("a", '0', "x", 1);
    CHECK(load_as(size + 512) == FOVEA_ERR_IO); /* a file that shrank since it was asked */
    CHECK(strstr(err.message, "the file shrank") != NULL);
}

static void tar__many_entries__in_their_order(void) {
    char name[16];
    size = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "%d", i);
        add(name, '0', "", 0);
    }
    take(1000);
    CHECK_STR(tar.entries[0].path, "0");
    CHECK_STR(tar.entries[999].path, "999");
    CHECK(tar.entries[999].offset == 512000);
}

static void tar__after_the_end__only_zeroes(void) {
    size = 0;
    add("a", '0', "x", 1);
    size_t end = size;
    memset(bytes + end, 0, ROOM - end);
    size = end + 512 * 40;
    take(1);
    size = ROOM; /* beyond a mebibyte, nobody looks */
    take(1);
    size = end + 512 * 40;
    add("b", '0', "", 0);
    refuse(FOVEA_ERR_FORMAT, "another archive begins after the end of the first");
    memset(bytes + end, 0, 1 << 20);
    size = end + 1024;
    bytes[end + 600] = 1;
    refuse(FOVEA_ERR_FORMAT, "bytes other than zeroes after the archive's end");
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(tar__numbers__in_every_spelling),
        TEST(tar__checksums__unsigned_signed_or_neither),
        TEST(tar__types__are_told_apart),
        TEST(tar__pax_records__odd_ones),
        TEST(tar__headers_about_others__bounds_and_order),
        TEST(tar__many_entries__in_their_order),
        TEST(tar__after_the_end__only_zeroes),
    };
    int status = RUN_TESTS(tests, argc, argv);
    fovea_tar_finish(&tar);
    return status;
}

/*
 * Tar archives, made here block by block from POSIX's and GNU's description of
 * them (the command line's tests have some made by Python's tarfile): what is
 * listed is what a folder of the same files lists, and what is broken is
 * refused with its place.
 */
#include "loaders/dataset.h"
#include "loaders/tar.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM = 1 << 20 };

static unsigned char bytes[ROOM];
static size_t size;
static struct fovea_dataset set;
static struct fovea_error err;

/* ---- making archives ---------------------------------------------------------------------- */

/* Sum the header at `at` anew. */
static void seal(size_t at) {
    unsigned sum = 0;
    memset(bytes + at + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++) {
        sum += bytes[at + i];
    }
    snprintf((char *)bytes + at + 148, 8, "%06o", sum);
}

/* A ustar entry; returns where its header is. */
static size_t add(const char *path, char type, const char *link, const void *content,
                  size_t length) {
    size_t at = size;
    unsigned char *header = bytes + at;
    memset(header, 0, 512);
    memcpy(header, path, strlen(path) < 100 ? strlen(path) : 100);
    snprintf((char *)header + 100, 8, "%07o", 0644);
    snprintf((char *)header + 124, 12, "%011zo", length);
    header[156] = (unsigned char)type;
    memcpy(header + 157, link, strlen(link));
    memcpy(header + 257, "ustar\00000", 8);
    seal(at);
    memcpy(bytes + at + 512, content, length);
    memset(bytes + at + 512 + length, 0, (512 - length % 512) % 512);
    size += 512 + (length + 511) / 512 * 512;
    return at;
}

static size_t add_file(const char *path, const char *content) {
    return add(path, '0', "", content, strlen(content));
}

static void add_end(void) {
    memset(bytes + size, 0, 1024);
    size += 1024;
}

static enum fovea_status load_with(const char *truth) {
    const struct fovea_dataset_options options = {.truth = truth};
    fovea_dataset_finish(&set);
    err.message[0] = 0;
    return fovea_dataset_load(temp_write("a.tar", bytes, size), &options, &set, &err);
}

static enum fovea_status load(void) {
    return load_with(NULL);
}

static void check_image(size_t i, const char *path, const char *content) {
    uint8_t *found = NULL;
    size_t length = 0;
    enum fovea_image_fault fault;
    if (i >= set.n_images) {
        check_failed(__FILE__, __LINE__, "there is such an image", path);
        return;
    }
    CHECK_STR(set.images[i].path, path);
    CHECK_OK(fovea_dataset_read(&set, i, &found, &length, &fault, &err), err);
    CHECK(found && length == strlen(content) && memcmp(found, content, length) == 0);
    free(found);
}

static enum fovea_image_fault fault_of(size_t i) {
    uint8_t *found = NULL;
    size_t length;
    enum fovea_image_fault fault = FOVEA_IMAGE_THERE;
    if (i < set.n_images && !fovea_dataset_read(&set, i, &found, &length, &fault, &err)) {
        free(found);
    }
    return fault;
}

static void check_refused(enum fovea_status want, const char *words) {
    CHECK(load() == want);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
}

/* ---- what is listed ------------------------------------------------------------------------ */

static void tar__class_folders__as_a_folder_of_them(void) {
    size = 0;
    add("./", '5', "", "", 0);
    add_file("./b/2.jpg", "two");
    add_file("./b/1.JPEG", "one");
    add("./a/", '5', "", "", 0);
    add_file("./a/x.jpg", "x");
    add_file("./a/.hidden.jpg", "h");
    add_file("./readme.txt", "r");
    add_end();
    CHECK_OK(load(), err);
    CHECK(set.kind == FOVEA_DATASET_TAR && set.n_classes == 2 && set.n_images == 3);
    check_image(0, "a/x.jpg", "x");
    check_image(1, "b/1.JPEG", "one");
    check_image(2, "b/2.jpg", "two");
    CHECK(set.n_ignored == 1);
    CHECK_STR(set.ignored, "readme.txt");
    CHECK(strstr(fovea_dataset_describe(&set).text, "3 images in 2 classes from tar ") != NULL);
}

/* As ImageNet-V2 comes: a folder around folders named by numbers. */
static void tar__folder_around_numeric_folders__is_passed_over(void) {
    size = 0;
    add_file("imagenetv2/10/x.jpeg", "ten");
    add_file("imagenetv2/2/x.jpeg", "two");
    add_file("imagenetv2/2/deep/x.jpeg", "deeper");
    add("imagenetv3/", '5', "", "", 0);
    add_file("imagenetv3/readme", "r");
    add_end();
    CHECK_OK(load(), err);
    CHECK(set.numeric && set.n_classes == 2 && set.n_images == 2);
    check_image(0, "2/x.jpeg", "two");
    check_image(1, "10/x.jpeg", "ten");
    CHECK(set.n_ignored == 2);
}

/* The same path again replaces what was there: so `tar -r` updates. */
static void tar__path_again__the_last_counts(void) {
    size = 0;
    add_file("a/x.jpg", "old");
    add_file("a/x.jpg", "new");
    add_end();
    CHECK_OK(load(), err);
    CHECK(set.n_images == 1);
    check_image(0, "a/x.jpg", "new");
}

static void tar__links__lead_to_their_content(void) {
    size = 0;
    add_file("a/x.jpg", "x");
    add("a/hard.jpg", '1', "a/x.jpg", "", 0);
    add("b/soft.jpg", '2', "../a/./hard.jpg", "", 0);
    add("b/gone.jpg", '2', "nowhere.jpg", "", 0);
    add("b/loop.jpg", '2', "loop.jpg", "", 0);
    add("b/folder.jpg/", '5', "", "", 0);
    add("b/fifo.jpg", '6', "", "", 0);
    add_file("b/empty.jpg", "");
    add_end();
    CHECK_OK(load(), err);
    CHECK(set.n_images == 8);
    check_image(0, "a/hard.jpg", "x");
    check_image(1, "a/x.jpg", "x");
    CHECK(fault_of(2) == FOVEA_IMAGE_EMPTY);
    CHECK(fault_of(3) == FOVEA_IMAGE_NO_FILE);
    CHECK(fault_of(4) == FOVEA_IMAGE_DIRECTORY);
    CHECK(fault_of(5) == FOVEA_IMAGE_DANGLING && fault_of(6) == FOVEA_IMAGE_DANGLING);
    check_image(7, "b/soft.jpg", "x");
}

static void tar__list_for_it__finds_its_images(void) {
    size = 0;
    add_file("val/1.jpg", "one");
    add_file("val/2.jpg", "two");
    add_end();
    static const char list[] = "2.jpg 1\nval/1.jpg 0\n./val/1.jpg 0\n3.jpg 0\n";
    CHECK_OK(load_with(temp_write("list", list, strlen(list))), err);
    CHECK(set.n_images == 4 && set.classes[set.labels[0]].index == 1);
    CHECK(fault_of(0) == FOVEA_IMAGE_VANISHED); /* val is the class of all there are */
    check_image(1, "val/1.jpg", "one");
    check_image(2, "./val/1.jpg", "one");
    CHECK(fault_of(3) == FOVEA_IMAGE_VANISHED);
    add_file("val/9.jpg", "nine"); /* beyond the end mark */
    CHECK(load() == FOVEA_ERR_FORMAT);
}

static void tar__flat_with_ground_truth__as_ilsvrc(void) {
    size = 0;
    add_file("ILSVRC2012_val_00000002.JPEG", "two");
    add_file("ILSVRC2012_val_00000001.JPEG", "one");
    add_end();
    CHECK_OK(load_with(temp_write("truth", "5\n0\n", 4)), err);
    CHECK(set.n_images == 2 && set.classes[set.labels[0]].index == 5);
    check_image(0, "ILSVRC2012_val_00000001.JPEG", "one");
}

/* ---- formats -------------------------------------------------------------------------------- */

static void tar__long_names__gnu_pax_and_ustar(void) {
    char name[300], pax[400];
    memset(name, 'n', sizeof(name));
    memcpy(name, "a/", 2);
    strcpy(name + 290, ".jpg");
    size = 0;
    add("././@LongLink", 'L', "", name, strlen(name) + 1);
    add_file("cut.jpg", "gnu");
    name[2] = 'p';
    /* The length counts itself: 3 digits here. */
    int length = snprintf(pax, sizeof(pax), "000 path=%s\n", name);
    snprintf(pax, 4, "%d", length);
    pax[3] = ' ';
    add("PaxHeaders/x", 'x', "", pax, (size_t)length);
    add_file("cut.jpg", "pax");
    size_t at = add_file("1.jpg", "ustar");
    memcpy(bytes + at + 345, "a/very", 6);
    seal(at);
    add_end();
    CHECK_OK(load(), err);
    CHECK(set.n_images == 2 && set.n_ignored == 1);
    name[2] = 'n';
    check_image(0, name, "gnu");
    name[2] = 'p';
    check_image(1, name, "pax");
    CHECK_STR(set.ignored, "a/very/1.jpg");
}

static void tar__sizes__octal_base_256_and_pax(void) {
    size = 0;
    size_t at = add_file("a/1.jpg", "one");
    memset(bytes + at + 124, 0, 12);
    bytes[at + 124] = 0x80;
    bytes[at + 135] = 3;
    seal(at);
    at = add_file("a/2.jpg", "two");
    memcpy(bytes + at + 124, "          3 ", 12);
    seal(at);
    add("PaxHeaders/x", 'x', "", "9 size=5\n", 9);
    at = add_file("a/3.jpg", "three");
    memset(bytes + at + 124, 0, 12); /* what the header says is not asked */
    seal(at);
    add_end();
    CHECK_OK(load(), err);
    check_image(0, "a/1.jpg", "one");
    check_image(1, "a/2.jpg", "two");
    check_image(2, "a/3.jpg", "three");
}

/* Without an end mark, and with the last block cut where its content ends. */
static void tar__no_end_mark__is_fine(void) {
    size = 0;
    add_file("a/1.jpg", "one");
    CHECK_OK(load(), err);
    size = 512 + 3;
    CHECK_OK(load(), err);
    check_image(0, "a/1.jpg", "one");
}

static void tar__changed_since_listed__is_said(void) {
    uint8_t *found;
    size_t length;
    enum fovea_image_fault fault;
    size = 0;
    add_file("a/1.jpg", "one");
    add_file("a/2.jpg", "two");
    add_end();
    CHECK_OK(load(), err);
    CHECK(truncate(temp_path("a.tar"), 1024) == 0);
    CHECK(fovea_dataset_read(&set, 0, &found, &length, &fault, &err) == FOVEA_ERR_IO);
    CHECK(fault == FOVEA_IMAGE_CHANGED);
    CHECK(fovea_dataset_read(&set, 1, &found, &length, &fault, &err) == FOVEA_ERR_IO);
    CHECK(fault == FOVEA_IMAGE_CHANGED);
    CHECK(strstr(err.message, "changed since it was listed") != NULL);
}

/* ---- what is broken ------------------------------------------------------------------------- */

/* An archive of two images, with one header's field overwritten. */
static void with_field(size_t offset, const void *value, size_t length) {
    size = 0;
    add_file("a/1.jpg", "one");
    size_t at = add_file("a/2.jpg", "two");
    add_end();
    memcpy(bytes + at + offset, value, length);
    seal(at);
}

static void tar__broken_headers__refused_with_their_place(void) {
    with_field(124, "00000010000", 12);
    check_refused(FOVEA_ERR_FORMAT, "truncated: the entry at byte 1024 has 4096 bytes, of which "
                                    "1536 are there");
    with_field(124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    check_refused(FOVEA_ERR_FORMAT, "byte 1024 of the archive: a size that is no number");
    with_field(124, "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    check_refused(FOVEA_ERR_FORMAT, "a size that is no number");
    with_field(124, "\x80\0\0\0\0\0\xff\xff\xff\xff\xff\xff", 12);
    check_refused(FOVEA_ERR_FORMAT, "truncated");
    with_field(124, "12x45678901", 12);
    check_refused(FOVEA_ERR_FORMAT, "a size that is no number");
    with_field(156, "S", 1);
    check_refused(FOVEA_ERR_FORMAT, "sparse");
    with_field(0, "b", 1);
    bytes[1024]++;
    check_refused(FOVEA_ERR_FORMAT, "byte 1024 of the archive: no tar header");
    size = 1024 + 100;
    check_refused(FOVEA_ERR_FORMAT, "a piece of a header");
}

static void refuse_pax(const char *records, const char *words) {
    size = 0;
    add("PaxHeaders/x", 'x', "", records, strlen(records));
    add_file("a/1.jpg", "one");
    add_end();
    check_refused(FOVEA_ERR_FORMAT, words);
}

static void tar__broken_pax_records__refused(void) {
    refuse_pax("9 path=a", "a pax record of the wrong length");
    refuse_pax("99 path=a\n", "a pax record of the wrong length");
    refuse_pax("99999999999999999999999 path=a\n", "a pax record of the wrong length");
    refuse_pax("2 \n", "a pax record of the wrong length");
    refuse_pax("6 pat\n", "a pax record without '='");
    refuse_pax("8 path=\n", "an empty name");
    refuse_pax("10 size=x\n", "a size that is no number");
    refuse_pax("30 size=99999999999999999999\n", "wrong length");
    refuse_pax("29 size=99999999999999999999\n", "a size that is no number");
    refuse_pax("27 size=999999999999999999\n", "truncated");
    size = 0;
    add("PaxHeaders/x", 'x', "", "12 path=a/b\n", 12);
    add_end();
    check_refused(FOVEA_ERR_FORMAT, "the last header speaks of is missing");
}

static void tar__nothing_in_it__says_so(void) {
    size = 0;
    add_end();
    check_refused(FOVEA_ERR_INVALID, "0 class folders");
    size = 0;
    add_file("n01440764.tar", "nested");
    add_end();
    check_refused(FOVEA_ERR_INVALID, "here is 'n01440764.tar'");
}

/* Any byte changed, or the file cut anywhere: an error or a list whose images can be asked for. */
static void tar__every_byte_flipped_and_every_cut__no_harm(void) {
    size = 0;
    add("PaxHeaders/x", 'x', "", "17 path=a/b.jpg\n\0", 17);
    add_file("cut", "one");
    add("././@LongLink", 'L', "", "b/x.jpg", 8);
    add_file("cut", "two");
    add_end();
    size_t whole = size;
    /* Every byte of a header's numbers, and some of names and padding. */
    for (size_t at = 0; at < whole; at += at % 512 >= 100 && at % 512 < 160 ? 1 : 5) {
        unsigned char old = bytes[at];
        bytes[at] ^= at % 2 ? 0x81 : 0x10;
        bool good = load() == FOVEA_OK;
        CHECK(good || err.message[0]);
        for (size_t i = 0; good && i < set.n_images; i++) {
            fault_of(i);
        }
        bytes[at] = old;
        size = at;
        CHECK(load() == FOVEA_OK || err.message[0]);
        size = whole;
    }
    fovea_dataset_finish(&set);
}

static const struct test tests[] = {
    TEST(tar__class_folders__as_a_folder_of_them),
    TEST(tar__folder_around_numeric_folders__is_passed_over),
    TEST(tar__path_again__the_last_counts),
    TEST(tar__links__lead_to_their_content),
    TEST(tar__list_for_it__finds_its_images),
    TEST(tar__flat_with_ground_truth__as_ilsvrc),
    TEST(tar__long_names__gnu_pax_and_ustar),
    TEST(tar__sizes__octal_base_256_and_pax),
    TEST(tar__no_end_mark__is_fine),
    TEST(tar__changed_since_listed__is_said),
    TEST(tar__broken_headers__refused_with_their_place),
    TEST(tar__broken_pax_records__refused),
    TEST(tar__nothing_in_it__says_so),
    TEST(tar__every_byte_flipped_and_every_cut__no_harm),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

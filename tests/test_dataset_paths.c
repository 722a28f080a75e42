/*
 * Paths in archives: how they may be spelt, where links lead, which folder they have in common,
 * and how much of it there may be. (What formats of archives are read is in test_tar.c.)
 */
#include "loaders/dataset.h"
#include "loaders/dataset_parts.h"
#include "runtime/limits.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 1 << 16, TYPE = 156, CHECKSUM = 148, CONTENT = 512 };

static unsigned char bytes[ROOM];
static size_t size;
static struct fovea_dataset set;
static struct fovea_error err;

/* An entry of 512 bytes, its link's target the text given, or its content. */
static void add(const char *path, char type, const char *text) {
    unsigned char *header = bytes + size;
    unsigned sum = 0;
    bool link = type == '1' || type == '2';
    size_t length = link || type == '5' ? 0 : strlen(text);
    memset(header, 0, 1024);
    memcpy(header, path, strlen(path));
    snprintf((char *)header + 124, 12, "%011zo", length);
    header[TYPE] = (unsigned char)type;
    memcpy(header + 257, "ustar\00000", 8);
    memcpy(link ? header + TYPE + 1 : header + CONTENT, text, strlen(text));
    memset(header + CHECKSUM, ' ', 8);
    for (size_t i = 0; i < CONTENT; i++) {
        sum += header[i];
    }
    snprintf((char *)header + CHECKSUM, 8, "%06o", sum);
    size += length > 0 ? 1024 : 512;
}

static enum fovea_status load_with(const char *truth) {
    const struct fovea_dataset_options options = {.truth = truth};
    fovea_dataset_finish(&set);
    err.message[0] = 0;
    return fovea_dataset_load(temp_write("a.tar", bytes, size), &options, &set, &err);
}

static enum fovea_status load_listed(const char *list) {
    return load_with(temp_write("list", list, strlen(list)));
}

/* Image `i` is `path`, and holds `content`; or, with NULL, has a fault, which is returned. */
static enum fovea_image_fault check_image(size_t i, const char *path, const char *content) {
    uint8_t *found = NULL;
    size_t length = 0;
    enum fovea_image_fault fault = FOVEA_IMAGE_THERE;
    if (i >= set.n_images) {
        check_failed(__FILE__, __LINE__, "there is such an image", path);
        return fault;
    }
    CHECK_STR(set.images[i].path, path);
    enum fovea_status st = fovea_dataset_read(&set, i, &found, &length, &fault, &err);
    CHECK(!st == (content != NULL));
    CHECK(st || (length == strlen(content) && memcmp(found, content, length) == 0));
    free(found);
    return fault;
}

static void check_refused(enum fovea_status got, enum fovea_status want, const char *words) {
    CHECK(got == want);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
}

/* ---- spellings ------------------------------------------------------------------------------ */

static void paths__spelt_in_any_way__are_the_same(void) {
    size = 0;
    add("a//1.jpg", '0', "one");
    add("a/.x/../2.jpg", '0', "two");
    add("../../b/./3.jpg", '0', "three");
    add("b/..", '5', "");
    add(".hidden.jpg", '0', "hidden");
    add("b/.4.jpg", '0', "hidden");
    add("b/deep/", '5', "");
    add("b/deep/5.jpg", '0', "deep");
    add("b/x/../../c/", '5', "");
    CHECK_OK(load_with(NULL), err);
    CHECK(set.n_images == 3 && set.n_classes == 3 && set.n_ignored == 1);
    check_image(0, "a/1.jpg", "one");
    check_image(1, "a/2.jpg", "two");
    check_image(2, "b/3.jpg", "three");
    CHECK_STR(set.ignored, "b/deep/5.jpg");
}

/* Links lead to names of the archive, whether they begin at its top or beside the link. */
static void links__of_every_kind__lead_within_the_archive(void) {
    size = 0;
    add("a/x.jpg", '0', "x");
    add("top.jpg", '2', "a/x.jpg");
    add("b/whole.jpg", '2', "/a/x.jpg");
    add("b/above.jpg", '2', "../../../a/x.jpg");
    add("b/before.jpg", '2', "../A.jpg");
    add("b/nameless.jpg", '1', "");
    add("K", 'K', "a/x.jpg");
    add("b/file.jpg", '0', "own");
    CHECK_OK(load_listed("top.jpg 0\nb/whole.jpg 0\nb/above.jpg 0\nb/before.jpg 0\n"
                         "b/nameless.jpg 0\nb/file.jpg 0\n"),
             err);
    check_image(0, "top.jpg", "x");
    check_image(1, "b/whole.jpg", "x");
    check_image(2, "b/above.jpg", "x");
    CHECK(check_image(3, "b/before.jpg", NULL) == FOVEA_IMAGE_DANGLING);
    CHECK(check_image(4, "b/nameless.jpg", NULL) == FOVEA_IMAGE_NO_FILE);
    check_image(5, "b/file.jpg", "own"); /* what a file is called elsewhere is nothing to it */
}

/* ---- what they have in common --------------------------------------------------------------- */

static void common_folder__whole_names_only__or_none(void) {
    static const struct {
        const char *first, *second, *image; /* of the first, if it is one; else words */
        enum fovea_status status;
    } rows[] = {
        {"val/a/1.jpg", "val/b/2.jpg", "a/1.jpg", FOVEA_OK},
        {"val/a/1.jpg", "val/ab/2.jpg", "a/1.jpg", FOVEA_OK},
        {"a/1.jpg", "b/2.jpg", "a/1.jpg", FOVEA_OK},
        {"val/a/1.jpg", "vax/b/2.jpg", "here is 'val/a/1.jpg'", FOVEA_ERR_INVALID},
        {"x/val/a/1.jpg", "x/vax/b/2.jpg", "here is 'val/a/1.jpg'", FOVEA_ERR_INVALID},
        {"val/a/1.jpg", "2.jpg", "1 images lie in no class folder", FOVEA_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size = 0;
        add(rows[i].first, '0', "one");
        add(rows[i].second, '0', "two");
        check_refused(load_with(NULL), rows[i].status, rows[i].status ? rows[i].image : "");
        if (!rows[i].status) {
            check_image(0, rows[i].image, "one");
        }
    }
}

/* With a truth file, all images count, whatever their folders; hidden ones never do. */
static void truth__for_an_archive__all_but_hidden_and_others(void) {
    size = 0;
    add("val/", '5', "");
    add("val/1.jpg", '0', "one");
    add("val/.2.jpg", '0', "two");
    add("val/notes.txt", '0', "n");
    CHECK_OK(load_listed("0\n"), err);
    CHECK(set.n_images == 1 && set.n_ignored == 1);
    check_image(0, "val/1.jpg", "one");
    CHECK_STR(set.ignored, "val/notes.txt");
    size = 0;
    add("val/notes.txt", '0', "n");
    check_refused(load_listed("0\n"), FOVEA_ERR_INVALID, "among 1 names");
}

static void list__of_what_the_archive_lacks__vanished(void) {
    static char list[10000];
    size = 0;
    memset(bytes, 0, 1024);
    size = 1024; /* nothing but an end mark */
    CHECK_OK(load_listed("x.jpg 0\n"), err);
    CHECK(check_image(0, "x.jpg", NULL) == FOVEA_IMAGE_VANISHED);
    size = 0;
    add("val/a/.x.jpg", '0', "hidden");
    add("val/a/1.jpg", '0', "one");
    memset(list, 'n', 9000);
    strcpy(list + 9000, " 0\nval/a/.x.jpg 0\n.x.jpg 0\n././a/1.jpg 0\n");
    CHECK_OK(load_listed(list), err);
    list[9000] = 0;
    CHECK(check_image(0, list, NULL) == FOVEA_IMAGE_VANISHED);
    check_image(1, "val/a/.x.jpg", "hidden"); /* who lists it means it */
    CHECK(check_image(2, ".x.jpg", NULL) == FOVEA_IMAGE_VANISHED);
    check_image(3, "././a/1.jpg", "one"); /* the archive's "val/" may be left out */
}

/* ---- bounds --------------------------------------------------------------------------------- */

/* A hole stands for the bytes of the image: they are not read. */
static void image__larger_than_any__is_refused(void) {
    const char *path = temp_path("large.tar");
    size = 0;
    add("a/1.jpg", '0', "one");
    size_t large = size;
    add("a/2.jpg", '0', "");
    snprintf((char *)bytes + large + 124, 12, "%011zo", FOVEA_LIMIT_IMAGE_BYTES + 1);
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < CONTENT; i++) {
        sum += i < CHECKSUM || i >= CHECKSUM + 8 ? bytes[large + i] : 0;
    }
    snprintf((char *)bytes + large + CHECKSUM, 8, "%06o", sum);
    temp_write("large.tar", bytes, size);
    CHECK(truncate(path, (off_t)(size + FOVEA_LIMIT_IMAGE_BYTES + 1)) == 0);
    fovea_dataset_finish(&set);
    CHECK_OK(fovea_dataset_load(path, NULL, &set, &err), err);
    check_image(0, "a/1.jpg", "one");
    CHECK(check_image(1, "a/2.jpg", NULL) == FOVEA_IMAGE_TOO_LARGE);
    CHECK(strstr(err.message, "the file has 67108865 bytes; the limit is 67108864") != NULL);
    unlink(path);
}

/* A million class folders and one more, with or without images: an archive of them has 0.5 GB. */
static void class_folders__over_a_million__are_counted(void) {
    for (int with_images = 0; with_images < 2; with_images++) {
        struct fovea_dataset many = {.kind = FOVEA_DATASET_FOLDER};
        struct dataset_entries entries = {0};
        bool ok = true;
        for (int i = 0; ok && i <= FOVEA_LIMIT_CLASSES; i++) {
            char name[32];
            snprintf(name, sizeof(name), "%07d%s", i, with_images ? "/x.jpg" : "");
            ok = dataset_entries_add(
                &entries, &(struct dataset_entry){.path = strdup(name), .folder = !with_images});
        }
        ok = ok && dataset_entries_add(&entries, &(struct dataset_entry){.path = strdup("x.jpg")});
        CHECK(ok && dataset_place_images(&many, &entries, true, NULL, &err) == FOVEA_ERR_INVALID);
        CHECK(strstr(err.message, with_images ? "1000001 class folders; a dataset is a folder"
                                              : "1 images lie in no class folder"));
        dataset_entries_finish(&entries);
        fovea_dataset_finish(&many);
    }
    fovea_dataset_finish(&set);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(paths__spelt_in_any_way__are_the_same),
        TEST(links__of_every_kind__lead_within_the_archive),
        TEST(common_folder__whole_names_only__or_none),
        TEST(truth__for_an_archive__all_but_hidden_and_others),
        TEST(list__of_what_the_archive_lacks__vanished),
        TEST(image__larger_than_any__is_refused),
        TEST(class_folders__over_a_million__are_counted),
    };
    return RUN_TESTS(tests, argc, argv);
}

/*
 * Datasets at their edges: lists and truth files with odd words, names and bounds, links in
 * folders, files that cannot be images.
 */
#include "loaders/dataset.h"
#include "runtime/limits.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fovea_dataset set;
static struct fovea_error err;

static const char *write_text(const char *name, const char *text) {
    return temp_write(name, text, strlen(text));
}

/* Load, after what was loaded before is gone. */
static enum fovea_status load(const char *path, const char *truth, const char *class_map) {
    const struct fovea_dataset_options options = {.truth = truth, .class_map = class_map};
    fovea_dataset_finish(&set);
    err.message[0] = 0;
    return fovea_dataset_load(path, &options, &set, &err);
}

static enum fovea_status load_list(const char *text) {
    return load(write_text("list", text), NULL, NULL);
}

/* A folder of two images, 1.jpg and 2.jpg, made once. */
static const char *two_images(void) {
    static char root[600];
    if (!root[0]) {
        snprintf(root, sizeof(root), "%s", temp_path("two"));
        mkdir(root, 0777);
        write_text("two/1.jpg", "");
        write_text("two/2.jpg", "");
    }
    return root;
}

/* The index of image `i`'s only class; -1 if it has none or several. */
static int label_of(size_t i) {
    if (i >= set.n_images || set.images[i].n_labels != 1) {
        return -1;
    }
    return set.classes[set.labels[set.images[i].first_label]].index;
}

static void check_refused(enum fovea_status got, enum fovea_status want, const char *words) {
    CHECK(got == want);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
    CHECK(set.path == NULL);
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* Numbers are the indices only if all are such: below the bound, and of digits. */
static void list__labels_that_are_no_numbers__are_names(void) {
    static const char *const lists[] = {"a.jpg 7\nb.jpg -1\n", "a.jpg 7\nb.jpg 1000000\n",
                                        "a.jpg 7\nb.jpg 3x\n", "a.jpg 7\nb.jpg 1:\n"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        CHECK_OK(load_list(lists[i]), err);
        CHECK(!set.numeric && label_of(0) == 1 && label_of(1) == 0);
    }
    CHECK_OK(load_list("a.jpg 7\nb.jpg 999999\n"), err);
    CHECK(set.numeric && label_of(1) == 999999);
}

static void list__same_path_three_times__counted(void) {
    CHECK_OK(load_list("b.jpg 1\na.jpg 0\na.jpg 0\nb.jpg 1\na.jpg 0\n"), err);
    CHECK(set.n_images == 5 && set.n_repeated == 3);
    CHECK_STR(set.repeated, "a.jpg");
}

static void list__quoted_path__ends_before_a_separator(void) {
    CHECK_OK(load_list("\"a, \"\"b.jpg\",7\n"), err);
    CHECK(set.n_images == 1 && label_of(0) == 7);
    CHECK_STR(set.images[0].path, "a, \"b.jpg");
    check_refused(load_list("\"a.jpg\"7\n"), FOVEA_ERR_FORMAT, "line 1 is not 'path label'");
}

/* What the list says gives way to the truth: its classes are gone. */
static void list__with_ground_truth__that_counts(void) {
    const char *list = write_text("list", "1.jpg cat\n2.jpg dog\n3.jpg cat\n");
    CHECK_OK(load(list, write_text("truth", "0\n4\n2\n"), NULL), err);
    CHECK(set.n_classes == 3 && label_of(0) == 0 && label_of(1) == 4 && label_of(2) == 2);
    CHECK(strstr(fovea_dataset_describe(&set).text, "labels from ground truth ") != NULL);
    check_refused(load(list, write_text("truth", "0\n4\n"), NULL), FOVEA_ERR_INVALID,
                  "2 lines for 3 images");
    check_refused(load(write_text("list", "1.jpg\n"), write_text("truth", "0\n"), NULL),
                  FOVEA_ERR_FORMAT, "line 1 is not 'path label'");
}

/* A list of `n` images, each of a class of its own. */
static const char *write_classes(int n) {
    FILE *out = fopen(temp_path("classes"), "w");
    for (int i = 0; out && i < n; i++) {
        fprintf(out, "x c%d\n", i);
    }
    CHECK(out && fclose(out) == 0);
    return temp_path("classes");
}

static void list__thousands_and_a_million_of_classes__told_or_refused(void) {
    CHECK_OK(load(write_classes(12345), NULL, NULL), err);
    CHECK(strstr(fovea_dataset_describe(&set).text, "12,345 images in 12,345 classes from list "));
    check_refused(load(write_classes(FOVEA_LIMIT_CLASSES + 1), NULL, NULL), FOVEA_ERR_LIMIT,
                  "more than 1000000 classes");
    CHECK(unlink(temp_path("classes")) == 0);
}

/* ---- class maps, ground truth --------------------------------------------------------------- */

/* IDs may have gaps, and words any separators; a word alone is a name, a number too. */
static void class_map__spellings__names_of_ids(void) {
    const char *root = two_images();
    const char *truth = write_text("ids", "4\n1\n");
    CHECK_OK(load(root, truth, write_text("map", "1 ,\t b, the second\n\n4 a\n")), err);
    CHECK(set.n_classes == 2 && label_of(0) == 0 && label_of(1) == 1);
    CHECK_STR(set.classes[1].name, "b");
    CHECK_OK(load(root, write_text("ids", "2\n1\n"), write_text("map", "30\n20\n")), err);
    CHECK(set.numeric && label_of(0) == 20 && label_of(1) == 30);
    CHECK_OK(load(root, write_text("words", "b\na\n"), write_text("map", "a\nb\nc\n")), err);
    CHECK(set.n_classes == 3 && label_of(0) == 1 && label_of(1) == 0);
}

static void class_map__broken__is_refused(void) {
    const char *root = two_images();
    write_text("ids", "4\n1\n");
    check_refused(load(root, temp_path("ids"), write_text("map", ", a\n")), FOVEA_ERR_FORMAT,
                  "map: line 1 names no class");
    check_refused(load(root, temp_path("ids"), write_text("map", "a\n,3\n")), FOVEA_ERR_FORMAT,
                  "map: line 2 names no class");
    check_refused(load(root, temp_path("ids"), write_text("map", "\n\n")), FOVEA_ERR_FORMAT,
                  "map: names no class: a line is 'ID NAME'");
    check_refused(load(root, temp_path("ids"), temp_write("map", "a\0\n", 3)), FOVEA_ERR_FORMAT,
                  "map: is not text: byte 1 is zero");
    check_refused(load(root, temp_path("ids"), temp_path("gone")), FOVEA_ERR_IO,
                  "gone: cannot open the file");
    check_refused(load(root, write_text("ids", "0\n1\n"), write_text("map", "1 a\n3 b\n")),
                  FOVEA_ERR_INVALID, "line 1: the class map has no ID 0");
    check_refused(load(root, write_text("ids", "1\n2\n"), temp_path("map")), FOVEA_ERR_INVALID,
                  "line 2: the class map has no ID 2");
    check_refused(load(root, write_text("ids", "1\nc\n"), temp_path("map")), FOVEA_ERR_INVALID,
                  "class 'c' is none of the 2 classes");
}

static void ground_truth__words__are_names(void) {
    const char *root = two_images();
    CHECK_OK(load(root, write_text("truth", "dog\ncat\n"), NULL), err);
    CHECK(!set.numeric && label_of(0) == 1 && label_of(1) == 0);
    CHECK_OK(load(root, write_text("truth", "dog\n1\n"), NULL), err);
    CHECK(!set.numeric && label_of(0) == 1);
    check_refused(load(root, write_text("truth", "dog\na cat\n"), NULL), FOVEA_ERR_FORMAT,
                  "truth: line 2 is not one word");
    check_refused(load(root, temp_write("truth", "dog\n\0\n", 6), NULL), FOVEA_ERR_FORMAT,
                  "truth: is not text: byte 4 is zero");
}

/* A name that only resembles ILSVRC's has no number: the order counts, of images in one folder. */
static void ground_truth__names_like_ilsvrc__by_order(void) {
    static const char *const names[] = {
        "ILSVRC2012_val_0000002.JPEG",
        "ILSVRC2012_val_000000002.JPEG",
        "ILSVRC2012-00000002.JPEG",
        "ILSVRC00000002x.JPEG",
        "ILSVRC.JPEG",
        "ilsvrc_00000002.JPEG",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char list[100];
        bool numbered = strstr(names[i], "2012-0") != NULL;
        snprintf(list, sizeof(list), "%s x\nILSVRC2012_val_00000001.JPEG x\n", names[i]);
        CHECK_OK(load(write_text("list", list), write_text("truth", "0\n5\n"), NULL), err);
        CHECK(label_of(0) == (numbered ? 5 : 0) && label_of(1) == (numbered ? 0 : 5));
    }
    check_refused(load(write_text("list", "a/1.jpg x\nb/2.jpg x\n"), temp_path("truth"), NULL),
                  FOVEA_ERR_INVALID, "but they lie in several folders");
    check_refused(load(write_text("list", "ILSVRC_00000000.JPEG x\nb.jpg x\n"), temp_path("truth"),
                       temp_path("gone")),
                  FOVEA_ERR_IO, "gone");
}

/* ---- folders -------------------------------------------------------------------------------- */

static void folder__links__classes_if_they_lead_to_folders(void) {
    mkdir(temp_path("links"), 0777);
    mkdir(temp_path("links/b"), 0777);
    write_text("links/b/x.jpg", "");
    CHECK(symlink("b", temp_path("links/a")) == 0);
    CHECK(symlink("b/x.jpg", temp_path("links/readme")) == 0);
    CHECK(symlink("nowhere", temp_path("links/gone")) == 0);
    CHECK(symlink("b/x.jpg/y", temp_path("links/through")) == 0);
    CHECK(symlink("loop", temp_path("links/loop")) == 0);
    char far[300];
    memset(far, 'n', sizeof(far) - 1);
    far[sizeof(far) - 1] = 0; /* longer than names can be */
    CHECK(symlink(far, temp_path("links/far")) == 0);
    CHECK(symlink(far, temp_path("links/far.jpg")) == 0);
    CHECK_OK(load(temp_path("links"), NULL, NULL), err);
    CHECK(set.n_classes == 2 && set.n_images == 2 && set.n_ignored == 6);
    CHECK_STR(set.n_images == 2 ? set.images[0].path : "", "a/x.jpg");
}

/* With a truth file, folders are no classes, and images lie where they are. */
static void folder__with_truth__all_images_of_any_folder(void) {
    const char *root = temp_path("any");
    mkdir(root, 0777);
    mkdir(temp_path("any/sub"), 0777);
    write_text("any/readme", "");
    write_text("any/sub/notes.txt", "");
    const char *truth = write_text("truth", "0\n");
    check_refused(load(root, truth, NULL), FOVEA_ERR_INVALID,
                  "any: no image (.jpg, .jpeg, .png) among 3 names");
    write_text("any/sub/x.jpg", "");
    CHECK_OK(load(temp_path("any"), truth, NULL), err);
    CHECK(set.n_images == 1 && set.n_ignored == 2);
    CHECK_STR(set.ignored, "readme");
    check_refused(load("/dev/null", NULL, NULL), FOVEA_ERR_IO,
                  "/dev/null: is neither a folder nor a regular file");
}

/* ---- images --------------------------------------------------------------------------------- */

static enum fovea_image_fault fault_of(size_t index, const char *words) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum fovea_image_fault fault = FOVEA_IMAGE_THERE;
    CHECK(fovea_dataset_read(&set, index, &bytes, &size, &fault, &err) && !bytes);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
    return fault;
}

static void read__what_is_no_image__has_its_fault(void) {
    /* The kernel says that it has a page of bytes, and gives fewer: as a file that shrinks. */
    static const char shrinking[] = "/sys/kernel/mm/transparent_hugepage/enabled";
    char list[200];
    struct stat info = {.st_size = 0};
    write_text("ok.jpg", "x");
    const char *large = write_text("large.jpg", "");
    CHECK(truncate(large, (off_t)FOVEA_LIMIT_IMAGE_BYTES + 1) == 0);
    snprintf(list, sizeof(list), "ok.jpg/x.jpg 0\nlarge.jpg 0\n%s 0\n", shrinking);
    CHECK_OK(load_list(list), err);
    CHECK(fault_of(0, "Not a directory") == FOVEA_IMAGE_VANISHED);
    CHECK(fault_of(1, "the file has 67108865 bytes; the limit is 67108864") ==
          FOVEA_IMAGE_TOO_LARGE);
    if (stat(shrinking, &info) == 0 && info.st_size > 1000) {
        CHECK(fault_of(2, "the file shrank from ") == FOVEA_IMAGE_CHANGED);
    }
    fovea_dataset_finish(&set);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(list__labels_that_are_no_numbers__are_names),
        TEST(list__same_path_three_times__counted),
        TEST(list__quoted_path__ends_before_a_separator),
        TEST(list__with_ground_truth__that_counts),
        TEST(list__thousands_and_a_million_of_classes__told_or_refused),
        TEST(class_map__spellings__names_of_ids),
        TEST(class_map__broken__is_refused),
        TEST(ground_truth__words__are_names),
        TEST(ground_truth__names_like_ilsvrc__by_order),
        TEST(folder__links__classes_if_they_lead_to_folders),
        TEST(folder__with_truth__all_images_of_any_folder),
        TEST(read__what_is_no_image__has_its_fault),
    };
    return RUN_TESTS(tests, argc, argv);
}

/* Folders, lists and truth files: order, indices, what is listed and what is not. */
#include "loaders/dataset.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fovea_dataset set;
static struct fovea_error err;

/* Make ROOT/FOLDER and the files in it, all empty: nothing is opened. "." is ROOT itself. */
static void make_class(const char *root, const char *folder, const char *const *files) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", root, folder);
    mkdir(root, 0777);
    mkdir(path, 0777);
    for (; *files; files++) {
        snprintf(path, sizeof(path), "%s/%s/%s", root, folder, *files);
        FILE *file = fopen(path, "w");
        CHECK(file != NULL);
        if (file) {
            fclose(file);
        }
    }
}

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

/* The index of image `i`'s only class; -1 if it has none or several. */
static int label_of(size_t i) {
    if (i >= set.n_images || set.images[i].n_labels != 1) {
        return -1;
    }
    return set.classes[set.labels[set.images[i].first_label]].index;
}

static const char *path_of(size_t i) {
    return i < set.n_images ? set.images[i].path : "";
}

static void check_refused(enum fovea_status got, enum fovea_status want, const char *words) {
    CHECK(got == want);
    if (!strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
    CHECK(set.path == NULL);
}

/* ---- class folders ---------------------------------------------------------------------- */

static void dataset__names__sorted_by_bytes(void) {
    static const char *const files[] = {"b.JPEG", "a.jpg", "B.png", ".c.jpg", "d.txt", NULL};
    static const char *const one[] = {"x.JpG", NULL}, *const loose[] = {"loose.jpg", NULL};
    const char *root = temp_path("named");
    make_class(root, "zebra", one);
    make_class(root, "Zoo", files);
    CHECK_OK(load(root, NULL, NULL), err);
    CHECK(set.n_classes == 2 && set.n_images == 4 && !set.numeric && set.folders);
    CHECK_STR(path_of(0), "Zoo/B.png");
    CHECK_STR(path_of(1), "Zoo/a.jpg");
    CHECK_STR(path_of(2), "Zoo/b.JPEG");
    CHECK_STR(path_of(3), "zebra/x.JpG");
    CHECK(label_of(0) == 0 && label_of(3) == 1);
    CHECK(set.n_ignored == 1 && set.n_unscored == 0);
    CHECK_STR(set.ignored, "Zoo/d.txt");
    make_class(root, ".", loose);
    CHECK_OK(load(root, NULL, NULL), err);
    CHECK(set.n_images == 4 && set.n_ignored == 2);
}

/* "a-b" sorts before "a/..." as text, but after folder "a". */
static void dataset__folder_that_begins_as_another__comes_after_it(void) {
    static const char *const one[] = {"x.jpg", NULL};
    const char *root = temp_path("alike");
    make_class(root, "a-b", one);
    make_class(root, "a", one);
    CHECK_OK(load(root, NULL, NULL), err);
    CHECK_STR(path_of(0), "a/x.jpg");
    CHECK_STR(path_of(1), "a-b/x.jpg");
    CHECK(label_of(0) == 0 && label_of(1) == 1);
}

/* ImageNet-V2: sorted as text, 10 would come before 2. */
static void dataset__numeric_names__are_the_index(void) {
    static const char *const one[] = {"x.jpg", NULL};
    const char *root = temp_path("numeric");
    make_class(root, "10", one);
    make_class(root, "2", one);
    CHECK_OK(load(root, NULL, NULL), err);
    CHECK(set.numeric && set.n_classes == 2);
    CHECK_STR(path_of(0), "2/x.jpg");
    CHECK(label_of(0) == 2 && label_of(1) == 10);
    make_class(root, "02", one);
    check_refused(load(root, NULL, NULL), FOVEA_ERR_INVALID, "both stand for class 2");
}

/* A folder without images is a class: the indices of those after it depend on it. */
static void dataset__empty_class_folder__counts(void) {
    static const char *const one[] = {"x.jpg", NULL}, *const none[] = {NULL};
    const char *root = temp_path("gaps");
    make_class(root, "a", none);
    make_class(root, "b", one);
    CHECK_OK(load(root, NULL, NULL), err);
    CHECK(set.n_classes == 2 && label_of(0) == 1);
}

static void dataset__nothing_to_list__says_what_a_dataset_is(void) {
    static const char *const none[] = {NULL}, *const text[] = {"a.txt", NULL};
    const char *root = temp_path("empty");
    check_refused(load(root, NULL, NULL), FOVEA_ERR_IO, "No such file");
    mkdir(root, 0777);
    check_refused(load(root, NULL, NULL), FOVEA_ERR_INVALID, "0 class folders");
    make_class(root, "a", none);
    make_class(root, "b", text);
    check_refused(load(root, NULL, NULL), FOVEA_ERR_INVALID, "no image");
}

/* Folders of only some of a model's classes, which a class map names all of. */
static void dataset__subset_of_a_class_map__indices_among_all(void) {
    static const char *const one[] = {"x.jpg", NULL};
    const char *root = temp_path("subset");
    const char *map = write_text("subset.txt", "n03\nn01 a word, or two\nn02\n");
    make_class(root, "n03", one);
    make_class(root, "n01", one);
    CHECK_OK(load(root, NULL, map), err);
    CHECK(set.n_classes == 3 && label_of(0) == 0 && label_of(1) == 2);
    make_class(root, "n04", one);
    check_refused(load(root, NULL, map), FOVEA_ERR_INVALID, "'n04' is none of the 3 classes");
}

/* ---- lists ------------------------------------------------------------------------------- */

static void list__separators__paths_and_labels(void) {
    const char *list = write_text("list.txt", "\xef\xbb\xbf"
                                              "path,label\r\n"
                                              "a b/1.jpg, 7\r\n\r\n"
                                              "x.jpg 3\n"
                                              "two words.jpg\t 0\n"
                                              "\"c,\"\"d\"\".jpg\",7\n"
                                              "x.jpg 3");
    CHECK_OK(load(list, NULL, NULL), err);
    CHECK(set.kind == FOVEA_DATASET_LIST && set.n_images == 5 && set.numeric);
    CHECK_STR(path_of(0), "a b/1.jpg");
    CHECK_STR(path_of(1), "x.jpg");
    CHECK_STR(path_of(2), "two words.jpg");
    CHECK_STR(path_of(3), "c,\"d\".jpg");
    CHECK(label_of(0) == 7 && label_of(1) == 3 && label_of(2) == 0 && label_of(3) == 7);
    CHECK(set.n_repeated == 1);
    CHECK_STR(set.repeated, "x.jpg");
}

static void list__names__sorted_or_by_class_map(void) {
    const char *list = write_text("names.txt", "1.jpg zebra\n2.jpg ant\n");
    CHECK_OK(load(list, NULL, NULL), err);
    CHECK(!set.numeric && label_of(0) == 1 && label_of(1) == 0);
    CHECK_OK(load(list, NULL, write_text("map.txt", "ant\nbee\nzebra\n")), err);
    CHECK(label_of(0) == 2 && label_of(1) == 0);
}

static void list__broken__line_is_named(void) {
    check_refused(load(write_text("l1", "a.jpg 1\nb.jpg\n"), NULL, NULL), FOVEA_ERR_FORMAT,
                  "l1: line 2 is not 'path label'");
    check_refused(load(write_text("l2", "\"a.jpg 1\n"), NULL, NULL), FOVEA_ERR_FORMAT, "line 1");
    check_refused(load(write_text("l7", ",1\n"), NULL, NULL), FOVEA_ERR_FORMAT, "line 1");
    check_refused(load(write_text("l8", "\"\",1\n"), NULL, NULL), FOVEA_ERR_FORMAT, "line 1");
    check_refused(load(write_text("l9", "a.jpg,\n"), NULL, NULL), FOVEA_ERR_FORMAT, "line 1");
    CHECK_OK(load(write_text("l10", "path , CLASS\na.jpg , 1\nclass.jpg,class\n"), NULL, NULL),
             err);
    CHECK(set.n_images == 2);
    check_refused(load(write_text("l3", "\n\n"), NULL, NULL), FOVEA_ERR_INVALID, "no image");
    check_refused(load(write_text("l4", ""), NULL, NULL), FOVEA_ERR_INVALID, "no image");
    check_refused(load(temp_write("l5", "a\0b 1\n", 6), NULL, NULL), FOVEA_ERR_FORMAT,
                  "neither a folder, nor a tar archive, nor a list");
    check_refused(load(write_text("l6", "a.jpg 1\nb.jpg 01\n"), NULL, NULL), FOVEA_ERR_INVALID,
                  "both stand for class 1");
}

/* A folder with a list: the list says which images, relative to the folder. */
static void list__as_truth_of_a_folder__lists_what_it_names(void) {
    static const char *const files[] = {"1.jpg", "2.jpg", NULL};
    const char *root = temp_path("listed");
    make_class(root, ".", files);
    CHECK_OK(load(root, write_text("t.txt", "2.jpg 1\nmissing.jpg 0\n"), NULL), err);
    CHECK(set.n_images == 2 && label_of(0) == 1);
    CHECK_STR(path_of(1), "missing.jpg");
    check_refused(load(temp_path("t.txt"), temp_path("t.txt"), NULL), FOVEA_ERR_INVALID,
                  "which of them");
}

/* ---- ground truth ------------------------------------------------------------------------- */

static const char *const val[] = {"ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000001.JPEG",
                                  "ILSVRC2012_val_00000004.JPEG", NULL};

/* IDs are in no order that a model has: the class is the rank of the name that they stand for. */
static void ground_truth__class_map__rank_of_the_name(void) {
    const char *root = temp_path("flat");
    const char *truth = write_text("truth.txt", "3\n1\n2\n1\n");
    const char *map = write_text("ids.txt", "1 n09\n2 n05\n3 n07\n");
    make_class(root, ".", val);
    CHECK_OK(load(root, truth, map), err);
    CHECK(set.n_images == 3 && set.n_classes == 3);
    CHECK_STR(path_of(0), "ILSVRC2012_val_00000001.JPEG");
    CHECK(label_of(0) == 1 && label_of(1) == 2 && label_of(2) == 2);
    /* as map_clsloc.txt has it */
    map = write_text("clsloc.txt", "n07 3 kit_fox\nn09 1 Egyptian_cat\nn05 2 a_crane\n");
    CHECK_OK(load(root, truth, map), err);
    CHECK(label_of(0) == 1 && label_of(1) == 2 && label_of(2) == 2);
}

static void ground_truth__what_does_not_fit__is_said(void) {
    const char *root = temp_path("flat2");
    const char *map = write_text("ids2.txt", "1 n09\n2 n05\n");
    make_class(root, ".", val);
    check_refused(load(root, NULL, NULL), FOVEA_ERR_INVALID, "3 images lie in no class folder");
    check_refused(load(root, write_text("a", "1\n2\n1\n2\n"), NULL), FOVEA_ERR_INVALID,
                  "a class map must say");
    check_refused(load(root, write_text("b", "1\n2\n1\n"), map), FOVEA_ERR_INVALID,
                  "3 lines, but there is an image 'ILSVRC2012_val_00000004.JPEG'");
    check_refused(load(root, write_text("c", "1\n2\n1\n3\n"), map), FOVEA_ERR_INVALID,
                  "line 4: the class map has no ID 3");
    check_refused(load(root, write_text("d", "1\n\n2\n1\n2\n"), map), FOVEA_ERR_FORMAT,
                  "line 2 is not one word");
    check_refused(load(root, write_text("e", ""), map), FOVEA_ERR_FORMAT, "is empty");
    check_refused(load(root, temp_path("none"), map), FOVEA_ERR_IO, "none: cannot open");
    check_refused(load(root, temp_path("a"), write_text("f", "1 x\n1 y\n")), FOVEA_ERR_INVALID,
                  "line 2: ID 1 stands for 'x' already");
    check_refused(load(root, temp_path("a"), write_text("g", "0 x\n")), FOVEA_ERR_FORMAT,
                  "IDs begin at 1");
    check_refused(load(root, temp_path("a"), write_text("h", "x\nx\n")), FOVEA_ERR_INVALID,
                  "'x' is in the class map twice");
}

/* Names that are not ILSVRC's are told apart by their order, if there are as many as lines. */
static void ground_truth__other_names__by_order(void) {
    static const char *const files[] = {"b.jpg", "a.jpg", NULL};
    const char *root = temp_path("ordered");
    make_class(root, ".", files);
    CHECK_OK(load(root, write_text("zero", "0\n5\n"), NULL), err);
    CHECK_STR(path_of(0), "a.jpg");
    CHECK(label_of(0) == 0 && label_of(1) == 5);
    check_refused(load(root, write_text("long", "0\n1\n2\n"), NULL), FOVEA_ERR_INVALID,
                  "3 lines for 2 images");
    make_class(root, "sub", files);
    check_refused(load(root, write_text("four", "0\n1\n2\n3\n"), NULL), FOVEA_ERR_INVALID,
                  "several folders");
}

/* ---- ReaL --------------------------------------------------------------------------------- */

static void real__sets_of_labels__empty_ones_are_not_scored(void) {
    static const char *const one[] = {"ILSVRC2012_val_00000003.JPEG", NULL};
    const char *root = temp_path("real");
    make_class(root, "n01", val);
    make_class(root, "n02", one);
    CHECK_OK(load(root, write_text("real.json", "[[], [970, 795], [3], [795]]"), NULL), err);
    CHECK(set.n_images == 4 && set.n_unscored == 1 && set.n_labels == 4 && set.numeric);
    CHECK(set.images[0].n_labels == 0 && set.images[1].n_labels == 2);
    CHECK(set.classes[set.labels[set.images[1].first_label]].index == 970);
    CHECK(label_of(2) == 795);
    CHECK_STR(path_of(3), "n02/ILSVRC2012_val_00000003.JPEG");
    CHECK(label_of(3) == 3);
    CHECK(strstr(fovea_dataset_describe(&set).text, "1 have no label and are not scored") != NULL);
}

static void real__broken__is_refused(void) {
    const char *root = temp_path("real");
    make_class(root, "n01", val);
    check_refused(load(root, write_text("r1", "[[1], [2]"), NULL), FOVEA_ERR_FORMAT, "not JSON");
    check_refused(load(root, write_text("r2", "[[1], 2]"), NULL), FOVEA_ERR_FORMAT,
                  "entry 1 is not a list");
    check_refused(load(root, write_text("r3", "[[1], [-2]]"), NULL), FOVEA_ERR_FORMAT,
                  "entry 1: label 0 is no whole number");
    check_refused(load(root, write_text("r4", "[[1], [1.5]]"), NULL), FOVEA_ERR_FORMAT, "entry 1");
    check_refused(load(root, write_text("r5", "[[],[],[],[]]"), NULL), FOVEA_ERR_INVALID,
                  "no label for any");
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum fovea_image_fault read_fault(size_t index, const char *words) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum fovea_image_fault fault = FOVEA_IMAGE_N_FAULTS;
    enum fovea_status status = fovea_dataset_read(&set, index, &bytes, &size, &fault, &err);
    CHECK(!status == (fault == FOVEA_IMAGE_THERE) && !status == (bytes != NULL));
    if (status && !strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, err.message);
    }
    if (!status) {
        CHECK(size == strlen(words) && memcmp(bytes, words, size) == 0);
    }
    free(bytes);
    return fault;
}

static void read__every_fault__has_its_name(void) {
    char text[2048], good[600], link[600];
    snprintf(good, sizeof(good), "%s", write_text("good.jpg", "bytes"));
    mkdir(temp_path("faults"), 0777);
    write_text("faults/ok.jpg", "these");
    write_text("faults/empty.jpg", "");
    write_text("faults/secret.jpg", "x");
    chmod(temp_path("faults/secret.jpg"), 0);
    mkdir(temp_path("faults/folder.jpg"), 0777);
    CHECK(mkfifo(temp_path("faults/pipe.jpg"), 0777) == 0);
    CHECK(symlink("nowhere", temp_path("faults/link.jpg")) == 0);
    snprintf(link, sizeof(link), "%s", temp_path("faults/loop.jpg"));
    CHECK(symlink("loop.jpg", link) == 0);
    snprintf(text, sizeof(text),
             "ok.jpg 0\nempty.jpg 0\nfolder.jpg 0\npipe.jpg 0\nlink.jpg 0\nloop.jpg 0\n"
             "gone.jpg 0\n%s 0\nsecret.jpg 0\n",
             good);
    CHECK_OK(load(write_text("faults/list", text), NULL, NULL), err);
    CHECK(read_fault(0, "these") == FOVEA_IMAGE_THERE);
    CHECK(read_fault(1, "the file is empty") == FOVEA_IMAGE_EMPTY);
    CHECK(read_fault(2, "a directory") == FOVEA_IMAGE_DIRECTORY);
    CHECK(read_fault(3, "a named pipe") == FOVEA_IMAGE_NO_FILE);
    CHECK(read_fault(4, "a link to what is not there") == FOVEA_IMAGE_DANGLING);
    CHECK(read_fault(5, "a link to what is not there") == FOVEA_IMAGE_DANGLING);
    CHECK(read_fault(6, "No such file") == FOVEA_IMAGE_VANISHED);
    CHECK(read_fault(7, "bytes") == FOVEA_IMAGE_THERE);
    if (geteuid() != 0) {
        CHECK(read_fault(8, "Permission denied") == FOVEA_IMAGE_UNREADABLE);
    }
    CHECK_STR(fovea_image_fault_name(FOVEA_IMAGE_VANISHED), "vanished");
}

/* ---- what it is --------------------------------------------------------------------------- */

static void describe__one_line__counts_kind_and_labels(void) {
    static const char *const two[] = {"x.jpg", "y.jpg", NULL};
    const char *root = temp_path("described");
    make_class(root, "3", two);
    CHECK_OK(load(root, NULL, NULL), err);
    CHECK(strstr(fovea_dataset_describe(&set).text, "2 images in 1 class from folder ") != NULL);
    CHECK(strstr(fovea_dataset_describe(&set).text, ", labels from class folders") != NULL);
}

static void dataset__compressed__says_what_to_do(void) {
    check_refused(load(temp_write("a.tar.gz", "\x1f\x8b\x08\0\0\0", 6), NULL, NULL),
                  FOVEA_ERR_UNSUPPORTED, "is gzip-compressed: images are read in place");
    check_refused(load(temp_write("a.zip", "PK\3\4\0", 5), NULL, NULL), FOVEA_ERR_UNSUPPORTED,
                  "a zip archive");
    fovea_dataset_finish(&set);
}

static const struct test tests[] = {
    TEST(dataset__names__sorted_by_bytes),
    TEST(dataset__folder_that_begins_as_another__comes_after_it),
    TEST(dataset__numeric_names__are_the_index),
    TEST(dataset__empty_class_folder__counts),
    TEST(dataset__nothing_to_list__says_what_a_dataset_is),
    TEST(dataset__subset_of_a_class_map__indices_among_all),
    TEST(list__separators__paths_and_labels),
    TEST(list__names__sorted_or_by_class_map),
    TEST(list__broken__line_is_named),
    TEST(list__as_truth_of_a_folder__lists_what_it_names),
    TEST(ground_truth__class_map__rank_of_the_name),
    TEST(ground_truth__what_does_not_fit__is_said),
    TEST(ground_truth__other_names__by_order),
    TEST(real__sets_of_labels__empty_ones_are_not_scored),
    TEST(real__broken__is_refused),
    TEST(read__every_fault__has_its_name),
    TEST(describe__one_line__counts_kind_and_labels),
    TEST(dataset__compressed__says_what_to_do),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

/* Folders of class folders: order, indices, what is listed and what is not. */
#include "loaders/dataset.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Make ROOT/FOLDER and the files in it, all empty: nothing is opened. */
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

static void dataset__names__sorted_by_bytes(void) {
    static const char *const files[] = {"b.JPEG", "a.jpg", "B.png", ".c.jpg", "d.txt", NULL};
    static const char *const one[] = {"x.JpG", NULL};
    struct fovea_dataset set = {0};
    struct fovea_error err;
    const char *root = temp_path("named");
    make_class(root, "zebra", one);
    make_class(root, "Zoo", files);
    CHECK_OK(fovea_dataset_load(root, &set, &err), err);
    CHECK(set.n_classes == 2 && set.n_images == 4 && !set.numeric);
    if (set.n_images == 4) {
        CHECK_STR(set.images[0].path, "Zoo/B.png");
        CHECK_STR(set.images[1].path, "Zoo/a.jpg");
        CHECK_STR(set.images[2].path, "Zoo/b.JPEG");
        CHECK_STR(set.images[3].path, "zebra/x.JpG");
        CHECK(set.images[3].class_number == 1 && set.classes[1].index == 1);
        CHECK(set.n_ignored == 1);
        CHECK_STR(set.ignored, "Zoo/d.txt");
    }
    fovea_dataset_finish(&set);
}

/* ImageNet-V2: sorted as text, 10 would come before 2. */
static void dataset__numeric_names__are_the_index(void) {
    static const char *const one[] = {"x.jpg", NULL};
    struct fovea_dataset set = {0};
    struct fovea_error err;
    const char *root = temp_path("numeric");
    make_class(root, "10", one);
    make_class(root, "2", one);
    CHECK_OK(fovea_dataset_load(root, &set, &err), err);
    CHECK(set.numeric && set.n_classes == 2);
    if (set.n_images == 2) {
        CHECK_STR(set.images[0].path, "2/x.jpg");
        CHECK(set.classes[0].index == 2 && set.classes[1].index == 10);
    }
    fovea_dataset_finish(&set);
    make_class(root, "02", one);
    CHECK(fovea_dataset_load(root, &set, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "both stand for class 2") != NULL);
}

static void dataset__nothing_to_list__says_what_a_dataset_is(void) {
    static const char *const none[] = {NULL}, *const text[] = {"a.txt", NULL};
    struct fovea_dataset set = {0};
    struct fovea_error err;
    const char *root = temp_path("empty");
    CHECK(fovea_dataset_load(root, &set, &err) == FOVEA_ERR_IO);
    mkdir(root, 0777);
    CHECK(fovea_dataset_load(root, &set, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "0 class folders") != NULL);
    make_class(root, "a", none);
    make_class(root, "b", text);
    CHECK(fovea_dataset_load(root, &set, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "no image") != NULL);
    CHECK(set.root == NULL);
}

static const struct test tests[] = {
    TEST(dataset__names__sorted_by_bytes),
    TEST(dataset__numeric_names__are_the_index),
    TEST(dataset__nothing_to_list__says_what_a_dataset_is),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

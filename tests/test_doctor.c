/* The label doctor: what it finds, and above all what it must not find. */
#include "evaluation/doctor.h"

#include "tests/check.h"
#include "tests/eval_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

/* `images` of each label; map[label] is predicted `percent` of the time, else any class. */
static void make_mapped(struct eval_made *made, int32_t labels, int32_t classes, const int32_t *map,
                        uint32_t percent, int images, uint64_t seed) {
    eval_made_init(made, classes);
    for (int32_t label = 0; label < labels; label++) {
        for (int i = 0; i < images; i++) {
            bool good = eval_made_random(&seed, 100) < percent && map[label] != NONE;
            int32_t other = (int32_t)eval_made_random(&seed, (uint32_t)classes);
            eval_made_add(made, label, good ? map[label] : other, 0.5);
        }
    }
}

static struct eval_diagnosis examine(const struct eval_made *made) {
    struct fovea_error err;
    struct eval_diagnosis d = {0};
    CHECK_OK(eval_diagnose(&made->description, made->records, made->n, &d, &err), err);
    return d;
}

/* The diagnosis is `ailment`, and its map is `map`. */
static void check_mapped(int32_t labels, int32_t classes, const int32_t *map, uint32_t percent,
                         int images, enum eval_ailment ailment) {
    struct eval_made made;
    make_mapped(&made, labels, classes, map, percent, images, 1);
    struct eval_diagnosis d = examine(&made);
    CHECK(d.ailment == ailment);
    for (int32_t i = 0; d.map && i < labels; i++) {
        if (d.map[i] != map[i]) {
            CHECK(d.map[i] == map[i]);
            break;
        }
    }
    CHECK(ailment == EVAL_NO_AILMENT || d.map != NULL);
    eval_diagnosis_finish(&d);
    eval_made_finish(&made);
}

static void doctor__background_class__offset_of_one(void) {
    int32_t map[1000];
    for (int32_t i = 0; i < 1000; i++) {
        map[i] = i + 1;
    }
    check_mapped(1000, 1001, map, 75, 5, EVAL_OFFSET);
    check_mapped(1000, 1001, map, 30, 10, EVAL_OFFSET);
    check_mapped(10, 11, map, 60, 100, EVAL_OFFSET);
}

static void doctor__reversed__found(void) {
    int32_t map[100];
    for (int32_t i = 0; i < 100; i++) {
        map[i] = 99 - i;
    }
    check_mapped(100, 100, map, 50, 20, EVAL_REVERSED);
    /* two classes: swapped */
    check_mapped(2, 2, &map[98], 90, 50, EVAL_REVERSED);
}

static int compare_texts(const void *a, const void *b) {
    char x[16], y[16];
    snprintf(x, sizeof(x), "%d", *(const int32_t *)a);
    snprintf(y, sizeof(y), "%d", *(const int32_t *)b);
    return strcmp(x, y);
}

/* ImageNet-V2's folders are named 0 .. 999, and sorted as text by torchvision's ImageFolder. */
static void doctor__numbers_sorted_as_text__found(void) {
    int32_t order[1000], place[1000];
    for (int32_t i = 0; i < 1000; i++) {
        order[i] = i;
    }
    qsort(order, 1000, sizeof(*order), compare_texts);
    for (int32_t i = 0; i < 1000; i++) {
        place[order[i]] = i;
    }
    CHECK(order[2] == 10 && order[3] == 100);
    check_mapped(1000, 1000, order, 70, 10, EVAL_NUMBERS_AS_TEXT);
    check_mapped(1000, 1000, place, 70, 10, EVAL_NUMBERS_AS_TEXT);
}

static void doctor__names_sorted_and_not__found(void) {
    static const char *const names[] = {"ship", "cat", "truck", "Dog", "ant", "bee",
                                        "owl",  "fox", "elk",   "yak", "hen", "pig"};
    /* capitals before small letters: Dog ant bee cat elk fox hen owl pig ship truck yak */
    static const int32_t map[] = {3, 4, 5, 1, 8, 7, 10, 6, 11, 0, 2, 9};
    struct eval_made made;
    make_mapped(&made, 12, 12, map, 80, 40, 1);
    made.description.names = calloc(12, sizeof(char *));
    for (int i = 0; i < 12; i++) {
        made.description.names[i] = strdup(names[i]);
    }
    struct eval_diagnosis d = examine(&made);
    CHECK(d.ailment == EVAL_NAME_ORDER);
    CHECK(d.map && memcmp(d.map, map, sizeof(map)) == 0);
    eval_diagnosis_finish(&d);
    eval_made_finish(&made);
}

static void doctor__any_permutation__found_and_judged_on_other_images(void) {
    uint64_t seed = 5;
    int32_t map[100];
    for (int32_t i = 0; i < 100; i++) {
        int32_t j = (int32_t)eval_made_random(&seed, (uint32_t)i + 1);
        map[i] = map[j];
        map[j] = i;
    }
    check_mapped(100, 100, map, 80, 20, EVAL_PERMUTED);
    check_mapped(100, 1000, map, 60, 40, EVAL_PERMUTED);
    struct eval_made made;
    make_mapped(&made, 100, 100, map, 50, 40, 1);
    struct eval_diagnosis d = examine(&made);
    /* 50 % of 4000, and a hundredth of the rest */
    CHECK(d.right_then > 1900 && d.right_then < 2150);
    eval_diagnosis_finish(&d);
    eval_made_finish(&made);
}

static void doctor__good_model__nothing(void) {
    int32_t map[100];
    for (int32_t i = 0; i < 100; i++) {
        map[i] = i;
    }
    check_mapped(100, 100, map, 90, 20, EVAL_NO_AILMENT);
    check_mapped(100, 100, map, 40, 20, EVAL_NO_AILMENT);
    check_mapped(100, 100, map, 5, 20, EVAL_NO_AILMENT);
}

/* At chance, for many sizes and seeds. */
static void doctor__predictions_at_random__never_a_word(void) {
    static const int32_t sizes[] = {2, 3, 5, 10, 100, 1000};
    int32_t map[1000];
    for (int32_t i = 0; i < 1000; i++) {
        map[i] = NONE;
    }
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (uint64_t seed = 0; seed < (sizes[s] > 100 ? 3 : 20); seed++) {
            struct eval_made made;
            make_mapped(&made, sizes[s], sizes[s], map, 0, sizes[s] > 100 ? 5 : 100, seed);
            struct eval_diagnosis d = examine(&made);
            CHECK(d.ailment == EVAL_NO_AILMENT);
            eval_diagnosis_finish(&d);
            eval_made_finish(&made);
        }
    }
}

/*
 * What a network with random weights does: few classes are ever predicted, and
 * which of them goes with the class of the image. Whatever the classes, one
 * image after another of a class gets the same answer, so that any map that
 * happens to fit has huge significance image by image.
 */
static void doctor__collapsed_predictions__never_a_word(void) {
    for (uint64_t seed = 0; seed < 150; seed++) {
        enum { CLASSES = 10, FAVOURITES = 3 };
        struct eval_made made;
        uint64_t state = seed;
        int32_t favourites[FAVOURITES], most[CLASSES];
        for (int i = 0; i < FAVOURITES; i++) {
            favourites[i] = (int32_t)eval_made_random(&state, CLASSES);
        }
        for (int i = 0; i < CLASSES; i++) {
            most[i] = favourites[eval_made_random(&state, FAVOURITES)];
        }
        eval_made_init(&made, CLASSES);
        for (int i = 0; i < 2000; i++) {
            int32_t label = i % CLASSES;
            bool plain = eval_made_random(&state, 100) < 60;
            int32_t other = favourites[eval_made_random(&state, FAVOURITES)];
            eval_made_add(&made, label, plain ? most[label] : other, 0.5);
        }
        struct eval_diagnosis d = examine(&made);
        CHECK(d.ailment == EVAL_NO_AILMENT);
        eval_diagnosis_finish(&d);
        eval_made_finish(&made);
    }
}

/* One class predicted for everything, and it happens to be next to the most frequent label. */
static void doctor__constant_prediction__never_a_word(void) {
    struct eval_made made;
    eval_made_init(&made, 10);
    for (int i = 0; i < 1000; i++) {
        eval_made_add(&made, i < 800 ? 3 : i % 10, 4, 0.5);
    }
    struct eval_diagnosis d = examine(&made);
    CHECK(d.ailment == EVAL_NO_AILMENT);
    eval_diagnosis_finish(&d);
    eval_made_finish(&made);
}

static void check_map(const struct eval_made *made, const char *want) {
    struct fovea_error err;
    struct eval_diagnosis d = examine(made);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK_OK(eval_label_map_write(&d, made->records, made->n, out, &err), err);
    fclose(out);
    CHECK_STR(text, want);
    free(text);
    eval_diagnosis_finish(&d);
}

static void rename_images(struct eval_made *made, const char *const *folders) {
    for (size_t i = 0; i < made->n; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%zu.jpg", folders[made->records[i].labels[0]], i);
        free(made->records[i].path);
        made->records[i].path = strdup(path);
    }
}

static void label_map__class_folders__by_their_names(void) {
    static const int32_t map[] = {3, 2, 1, 0};
    static const char *const names[] = {"ant", "bee", "cow", "dog"};
    static const char *const one[] = {"val", "val", "val", "val"};
    static const char *const spaced[] = {"ant", "bee hive", "cow", "dog"};
    struct eval_made made;
    make_mapped(&made, 4, 4, map, 95, 50, 1);
    rename_images(&made, names);
    check_map(&made, "ant 3\nbee 2\ncow 1\ndog 0\n");
    rename_images(&made, one);
    check_map(&made, "0 3\n1 2\n2 1\n3 0\n");
    rename_images(&made, spaced);
    check_map(&made, "0 3\n1 2\n2 1\n3 0\n");
    eval_made_finish(&made);
}

/* The last label has no class one above it. */
static void label_map__label_without_a_class__is_a_dash(void) {
    struct eval_made made;
    int32_t map[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, NONE};
    make_mapped(&made, 12, 12, map, 95, 50, 1);
    struct eval_diagnosis d = examine(&made);
    CHECK(d.ailment == EVAL_OFFSET);
    eval_diagnosis_finish(&d);
    check_map(&made, "0 1\n1 2\n2 3\n3 4\n4 5\n5 6\n6 7\n7 8\n8 9\n9 10\n10 11\n11 -\n");
    eval_made_finish(&made);
}

static const struct test tests[] = {
    TEST(doctor__background_class__offset_of_one),
    TEST(doctor__reversed__found),
    TEST(doctor__numbers_sorted_as_text__found),
    TEST(doctor__names_sorted_and_not__found),
    TEST(doctor__any_permutation__found_and_judged_on_other_images),
    TEST(doctor__good_model__nothing),
    TEST(doctor__predictions_at_random__never_a_word),
    TEST(doctor__collapsed_predictions__never_a_word),
    TEST(doctor__constant_prediction__never_a_word),
    TEST(label_map__class_folders__by_their_names),
    TEST(label_map__label_without_a_class__is_a_dash),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

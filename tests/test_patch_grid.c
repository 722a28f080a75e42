/* What is said about sizes that a model's patches do not divide. */
#include "tests/check.h"
#include "tests/graph_build.h"
#include "tools/patch_grid.h"

#include <string.h>

/* Subtract, then a convolution; the note for an image of height x width. */
static void note_for(int64_t kernel, int64_t stride, int64_t pad, int height, int width, char *note,
                     size_t note_bytes) {
    struct graph_build b;
    build_init(&b, 17);
    struct fovea_value *x = build_input(&b, FOVEA_F32, 4, (int64_t[]){1, 3, -1, -1});
    struct fovea_value *w = build_random(&b, 4, (int64_t[]){8, 3, kernel, kernel});
    /* As exporters have it where the batch is open: the shape is read as well. */
    build_output(&b, OP(&b, "Shape", x));
    struct fovea_value *y = OP(&b, "Conv", OP(&b, "Sub", x, build_scalar(&b, 0.5F)), w);
    build_set_ints(&b, y, "strides", (int64_t[]){stride, stride}, 2);
    build_set_ints(&b, y, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
    build_output(&b, y);
    const struct fovea_model *model = build_model(&b);
    CHECK_OK(b.status, b.err);
    note[0] = '?';
    if (model) {
        patch_grid_note(model, height, width, note, note_bytes);
    }
    build_finish(&b);
}

static void note__patches_of_14_at_480__names_476_and_490(void) {
    char note[160];
    note_for(14, 14, 0, 480, 480, note, sizeof(note));
    CHECK_STR(note, "at 480x480 the model sees 476x476 pixels, in patches of 14; "
                    "476 or 490 are exact");
    note_for(16, 16, 0, 500, 480, note, sizeof(note));
    CHECK_STR(note, "at 500x480 the model sees 496x480 pixels, in patches of 16; "
                    "multiples of 16 are exact");
    note_for(32, 32, 0, 20, 20, note, sizeof(note));
    CHECK_STR(note, "at 20x20 the model sees 0x0 pixels, in patches of 32; 32 is exact");
}

static void note__sizes_that_fit_and_other_stems__is_empty(void) {
    char note[160];
    note_for(14, 14, 0, 476, 490, note, sizeof(note));
    CHECK_STR(note, "");
    note_for(3, 2, 0, 481, 481, note, sizeof(note));
    CHECK_STR(note, "");
    note_for(7, 7, 3, 480, 480, note, sizeof(note));
    CHECK_STR(note, "");
    note_for(1, 1, 0, 480, 480, note, sizeof(note));
    CHECK_STR(note, "");
}

static const struct test tests[] = {
    TEST(note__patches_of_14_at_480__names_476_and_490),
    TEST(note__sizes_that_fit_and_other_stems__is_empty),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

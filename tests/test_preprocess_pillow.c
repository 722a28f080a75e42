/*
 * Preprocessing of photographs and odd files against Pillow: the pixels after
 * each stage, by their hashes, and all in one call against the stages.
 */
#include "loaders/file.h"
#include "loaders/sha256.h"
#include "runtime/limits.h"
#include "runtime/portability.h"
#include "tests/check.h"
#include "tests/stages.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES FOVEA_SOURCE_ROOT "/../shared/images/"

/*
 * Under sanitizers, which take two minutes for all of it, an image goes through every fourth
 * protocol, beginning with another than the image before it.
 */
#ifdef FOVEA_SANITIZED
enum { STEP = 4 };
#else
enum { STEP = 1 };
#endif

static bool is_hash(const struct fovea_image *image, const json_t *want) {
    struct fovea_sha256_hex hex = fovea_sha256_text(image->rgb, fovea_image_size(image));
    return strcmp(hex.text, json_string_value(want)) == 0;
}

static struct fovea_recipe recipe_of_protocol(const json_t *protocol) {
    const char *mode = json_string_value(json_object_get(protocol, "mode"));
    int size = (int)json_integer_value(json_object_get(protocol, "size"));
    double crop_pct = json_number_value(json_object_get(protocol, "crop_pct"));
    enum fovea_resize_mode resize = FOVEA_RESIZE_SQUASH;
    if (strcmp(mode, "center") == 0) {
        resize = FOVEA_RESIZE_SHORT;
    } else if (strcmp(mode, "border") == 0) {
        resize = FOVEA_RESIZE_LONG;
    } else {
        CHECK_STR(mode, "squash");
    }
    struct fovea_recipe recipe = timm_recipe(resize, size, size, crop_pct);
    CHECK(
        fovea_filter_find(json_string_value(json_object_get(protocol, "filter")), &recipe.filter));
    return recipe;
}

/* The stages of one image under one protocol; false if one has other pixels. */
static bool stages_are(const struct stages *stages, const json_t *want) {
    const json_t *cropped = json_object_get(want, "cropped");
    /* The references leave out the crop of padded images. */
    return is_hash(&stages->resized, json_object_get(want, "resized")) &&
           (json_is_null(cropped) || is_hash(&stages->cropped, cropped));
}

struct file {
    const char *name;
    uint8_t *bytes;
    size_t size;
    struct fovea_image decoded;
};

static void check_protocol(const struct file *file, const char *name, const json_t *protocol,
                           const json_t *want) {
    struct fovea_recipe recipe = recipe_of_protocol(protocol);
    struct stages stages;
    stages_make(&stages, &recipe, &file->decoded);
    if (!stages_are(&stages, want)) {
        check_failed(__FILE__, __LINE__, file->name, name);
    }
    if (!stages_agree(&stages, &recipe, file->bytes, file->size)) {
        check_failed(__FILE__, __LINE__, file->name, "not the same in one call");
    }
    stages_finish(&stages);
}

/* The image is the `nth`. */
static void check_protocols(const struct file *file, size_t nth, const json_t *protocols,
                            const json_t *want) {
    const char *key;
    json_t *protocol;
    json_object_foreach((json_t *)protocols, key, protocol) {
        if (nth++ % STEP == 0) {
            check_protocol(file, key, protocol,
                           json_object_get(json_object_get(want, "stages"), key));
        }
    }
}

static void check_image(const char *folder, const char *name, size_t nth, const json_t *protocols,
                        const json_t *want) {
    char path[4096];
    struct file file = {.name = name};
    struct fovea_error err = {.message = ""};
    bool refused = json_object_get(want, "error") != NULL;
    snprintf(path, sizeof(path), IMAGES "%s/%s", folder, name);
    CHECK_OK(fovea_file_read(path, FOVEA_LIMIT_IMAGE_BYTES, &file.bytes, &file.size, NULL, &err),
             err);
    enum fovea_status status =
        fovea_jpeg_decode(file.bytes, file.size, NULL, &file.decoded, NULL, &err);
    if (refused != (status != FOVEA_OK)) {
        check_failed(__FILE__, __LINE__, name, status ? err.message : "Pillow refuses it");
    } else if (!refused) {
        if (!is_hash(&file.decoded, json_object_get(want, "decoded"))) {
            check_failed(__FILE__, __LINE__, name, "decoded");
        }
        check_protocols(&file, nth, protocols, want);
    }
    fovea_image_finish(&file.decoded);
    free(file.bytes);
}

static void check_folder(const char *list, const char *folder, size_t n_images) {
    json_t *root = json_load_file(list, 0, NULL);
    if (!root) {
        check_skip("no ../shared/images beside the source tree");
        return;
    }
    json_t *protocols = json_object_get(root, "protocols");
    json_t *images = json_object_get(root, "images");
    CHECK(json_object_size(protocols) == 8 && json_object_size(images) == n_images);
    const char *name;
    json_t *want;
    size_t nth = 0;
    json_object_foreach(images, name, want) {
        check_image(folder, name, nth++, protocols, want);
    }
    json_decref(root);
}

static void shared__photographs__equal_pillow_in_all_protocols(void) {
    check_folder(IMAGES "imagenet-pillow.json", "imagenet", 32);
}

static void shared__odd_files__equal_pillow_in_all_protocols(void) {
    check_folder(IMAGES "odd-pillow.json", "odd", 46);
}

static const struct test tests[] = {
    TEST(shared__photographs__equal_pillow_in_all_protocols),
    TEST(shared__odd_files__equal_pillow_in_all_protocols),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

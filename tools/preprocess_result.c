/* Results of preprocessing one image: see preprocess_result.h. */
#include "tools/preprocess_result.h"
#include "loaders/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const stage_names[FOVEA_N_STAGES] = {"decoded", "resized", "cropped"};

void fovea_preprocess_result_finish(struct fovea_preprocess_result *result) {
    for (int i = 0; i < FOVEA_N_STAGES; i++) {
        fovea_image_finish(&result->images[i]);
    }
}

bool fovea_stage_find(const char *name, enum fovea_stage *out) {
    for (int i = 0; i < FOVEA_N_STAGES; i++) {
        if (strcmp(name, stage_names[i]) == 0) {
            *out = (enum fovea_stage)i;
            return true;
        }
    }
    return false;
}

enum fovea_status fovea_preprocess_result_compare(struct fovea_preprocess_result *result,
                                                  enum fovea_stage stage,
                                                  const struct fovea_image *other,
                                                  struct fovea_error *err) {
    const struct fovea_image *image = &result->images[stage];
    if (image->width != other->width || image->height != other->height) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%dx%d pixels; the file to compare has %dx%d",
                          image->width, image->height, other->width, other->height);
    }
    if (!image->rgb) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "float pixels cannot be compared with a file of 8 bits");
    }
    size_t size = fovea_image_size(image);
    for (size_t i = 0; i < size; i += 3) {
        int worst = 0;
        for (size_t c = i; c < i + 3; c++) {
            int difference = abs(image->rgb[c] - other->rgb[c]);
            worst = difference > worst ? difference : worst;
        }
        result->n_differing += worst > 0;
        result->max_difference = worst > result->max_difference ? worst : result->max_difference;
    }
    result->compared = true;
    result->stage = stage;
    return FOVEA_OK;
}

static json_t *stage_json(const struct fovea_image *image) {
    if (!fovea_image_data(image)) {
        return json_null();
    }
    return json_pack("{s:[ii], s:s}", "size", image->width, image->height, "sha256",
                     fovea_sha256_text(fovea_image_data(image), fovea_image_size(image)).text);
}

json_t *fovea_preprocess_result_json(const struct fovea_preprocess_result *result, const char *path,
                                     const char *error) {
    json_t *object = json_pack("{s:o}", "path", json_text(path));
    for (int i = 0; object && i < FOVEA_N_STAGES; i++) {
        json_set(&object, stage_names[i], stage_json(&result->images[i]));
    }
    if (object && result->compared) {
        json_set(&object, "against",
                 json_pack("{s:s, s:I, s:i}", "stage", stage_names[result->stage],
                           "differing_pixels", (json_int_t)result->n_differing, "max_difference",
                           result->max_difference));
    }
    if (object) {
        json_set(&object, "error", error ? json_string(error) : json_null());
    }
    return object;
}

void fovea_preprocess_result_print(const struct fovea_preprocess_result *result, const char *path) {
    printf("%s\n", path);
    for (int i = 0; i < FOVEA_N_STAGES; i++) {
        const struct fovea_image *image = &result->images[i];
        char sides[32];
        snprintf(sides, sizeof(sides), "%dx%d", image->width, image->height);
        printf("  %-8s %-11s %s\n", stage_names[i], sides,
               fovea_sha256_text(fovea_image_data(image), fovea_image_size(image)).text);
    }
    if (result->compared) {
        const struct fovea_image *image = &result->images[result->stage];
        printf("  %s: %zu of %lld pixels differ, by up to %d\n", stage_names[result->stage],
               result->n_differing, (long long)image->width * image->height,
               result->max_difference);
    }
}

void fovea_preprocess_result_print_notes(const struct fovea_preprocess_result *result,
                                         const char *path) {
    const struct fovea_jpeg_report *report = &result->report;
    if (report->truncated) {
        fprintf(stderr, "%s: truncated; the rest of the image is filler\n", path);
    }
    if (report->n_warnings) {
        fprintf(stderr, "%s: decoded with %ld warnings, the first: %s\n", path, report->n_warnings,
                report->first_warning);
    }
}

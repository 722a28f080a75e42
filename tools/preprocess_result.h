/*
 * What preprocessing made of one image: its pixels after each stage, and how
 * they are shown.
 */
#ifndef FOVEA_TOOLS_PREPROCESS_RESULT_H
#define FOVEA_TOOLS_PREPROCESS_RESULT_H

#include "loaders/jpeg.h"
#include "tools/json_out.h"

enum fovea_stage { FOVEA_DECODED, FOVEA_RESIZED, FOVEA_CROPPED, FOVEA_N_STAGES };

/* Zeroed to begin with; stages not reached have no pixels. */
struct fovea_preprocess_result {
    struct fovea_image images[FOVEA_N_STAGES];
    struct fovea_jpeg_report report;
    bool compared; /* the rest is set by fovea_preprocess_result_compare */
    enum fovea_stage stage;
    size_t n_differing; /* pixels of that stage */
    int max_difference; /* of a sample, 0..255 */
};

void fovea_preprocess_result_finish(struct fovea_preprocess_result *result);

/* Find a stage by its name: decoded, resized, cropped. */
bool fovea_stage_find(const char *name, enum fovea_stage *out);

/* Compare a stage with other pixels. FOVEA_ERR_INVALID if their sizes differ. */
enum fovea_status fovea_preprocess_result_compare(struct fovea_preprocess_result *result,
                                                  enum fovea_stage stage,
                                                  const struct fovea_image *other,
                                                  struct fovea_error *err);

/* {"path", "decoded", "resized", "cropped", "error"}; `error` may be NULL. NULL: no memory. */
json_t *fovea_preprocess_result_json(const struct fovea_preprocess_result *result, const char *path,
                                     const char *error);

/* The same for people, on stdout; and on stderr what the decoder had to say. */
void fovea_preprocess_result_print(const struct fovea_preprocess_result *result, const char *path);
void fovea_preprocess_result_print_notes(const struct fovea_preprocess_result *result,
                                         const char *path);

#endif

/*
 * Compiled files for tests: made of example models, changed byte by byte, with
 * checksums that are right again.
 */
#ifndef FOVEA_TESTS_COMPILED_FILE_H
#define FOVEA_TESTS_COMPILED_FILE_H

#include "runtime/fovea.h"

struct compiled_file {
    unsigned char *bytes;
    size_t size;
};

/* Copy an example model into the test's folder and compile it beside it; their paths. */
struct compiled_example {
    char model[256], compiled[256];
};
bool compiled_example_make(struct compiled_example *example, const char *name, const char *passes,
                           struct fovea_error *err);

/* Add `text` to a file, of either kind. */
void compiled_example_append(const char *path, const char *text);

/* A session to be saved: of the example's model or of its compiled file, for one image. */
struct compiled_session {
    struct fovea_model *model;
    struct fovea_session *session;
};
enum fovea_status compiled_session_load(struct compiled_session *s, const char *path,
                                        const struct fovea_session_options *options,
                                        struct fovea_error *err);
void compiled_session_finish(struct compiled_session *s);

bool compiled_file_load(struct compiled_file *file, const char *path);
bool compiled_file_save(const struct compiled_file *file, const char *path);
void compiled_file_finish(struct compiled_file *file);

/* Where a text of the description stands; exits if it is not there. */
size_t compiled_file_find(const struct compiled_file *file, const char *text);

/* Make the checksums of header and description right (and, if asked, those of the data). */
void compiled_file_mend(struct compiled_file *file, bool data);

/* Size of the description, and where the data begins. */
size_t compiled_file_description(const struct compiled_file *file);
size_t compiled_file_data(const struct compiled_file *file);

#endif

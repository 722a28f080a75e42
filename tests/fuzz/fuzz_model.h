/* What the fuzz targets that load models share: a file of any bytes, and rules that always hold. */
#ifndef FOVEA_TESTS_FUZZ_MODEL_H
#define FOVEA_TESTS_FUZZ_MODEL_H

#include "runtime/fovea.h"

/* Most inputs or outputs of a model that is run. */
enum { FUZZ_MOST_IO = 16, FUZZ_MOST_INPUT_BYTES = 1 << 16 };

/*
 * Call `use` with the model that `bytes` are, if they load; then destroy it.
 * The file is in memory and has no name in any folder.
 */
void fuzz_model_load(const void *bytes, size_t size, void (*use)(const struct fovea_model *model));

/*
 * An input for `io`, 2 for what it leaves open, with data from malloc: small
 * whole numbers, neither all alike nor out of any range. False if its shape is
 * refused or too large.
 */
bool fuzz_make_input(const struct fovea_io *io, struct fovea_tensor *t);

/* A failure says which and why; else abort. */
void fuzz_check_error(enum fovea_status st, const struct fovea_error *err);

/*
 * Run once. Every byte of the results is read, so that a sanitizer sees what
 * was not written. At most FUZZ_MOST_IO outputs.
 */
void fuzz_session_run(struct fovea_session *session, size_t n_outputs,
                      const struct fovea_tensor *inputs);

#endif

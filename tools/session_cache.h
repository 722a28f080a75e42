/*
 * A folder of compiled files (docs/compiled-files.md), one for each model,
 * shape, set of options, build and CPU that a command has planned for.
 *
 * Nothing here fails: what cannot be found is planned, and what cannot be kept
 * is not, with a word on stderr.
 */
#ifndef FOVEA_TOOLS_SESSION_CACHE_H
#define FOVEA_TOOLS_SESSION_CACHE_H

#include "runtime/fovea.h"

/*
 * The folder to use for `model`: `asked`, or if that is NULL what
 * FOVEA_CACHE_DIR says. NULL if there is to be none, or the model is a
 * compiled file itself, or the folder is not the user's alone.
 */
const char *session_cache_folder(const char *asked, const struct fovea_model *model);

/* A session made from the folder's file for just this; false if there is no sound one. */
bool session_cache_find(const char *folder, const struct fovea_model *model,
                        const struct fovea_tensor *inputs,
                        const struct fovea_session_options *options, struct fovea_session **out);

/* Whether a session that was made with `options` can be kept: one that can run. */
bool session_cache_takes(const struct fovea_session *session,
                         const struct fovea_session_options *options);

/* Keep a session that was made of these inputs. */
void session_cache_keep(const char *folder, const struct fovea_session *session,
                        const struct fovea_tensor *inputs);

#endif

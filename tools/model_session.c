/* See model_session.h. */
#include "tools/model_session.h"

#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tools/say.h"
#include "tools/session_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sessions of one model have the same to say: once is enough. */
static void say_note(const char *note) {
    static char last[640];
    if (note && strcmp(note, last) != 0) {
        say("note: %s", note);
        snprintf(last, sizeof(last), "%s", note);
    }
}

enum fovea_status model_session_create(const struct model_options *options,
                                       const struct fovea_model *model,
                                       const struct fovea_tensor *inputs,
                                       struct fovea_session **out, struct fovea_error *err) {
    struct fovea_session_options asked;
    struct fovea_session *session;
    model_options_get(options, model, &asked);
    const char *folder = session_cache_folder(options->cache, model);
    if (folder && session_cache_find(folder, model, inputs, &asked, out)) {
        return FOVEA_OK;
    }
    enum fovea_status status = fovea_session_create(model, inputs, &asked, &session, err);
    if (status) {
        return status;
    }
    if (folder && session_cache_takes(session, &asked)) {
        session_cache_keep(folder, session, inputs);
    }
    say_note(fovea_model_get_note(model));
    say_note(fovea_session_get_note(session));
    *out = session;
    return FOVEA_OK;
}

enum fovea_status model_session_shapes(const struct model_options *options,
                                       const struct fovea_model *model,
                                       const struct fovea_recipe *recipe, struct fovea_tensor **out,
                                       struct fovea_error *err) {
    size_t n = fovea_model_n_inputs(model);
    struct fovea_tensor *shapes = calloc(n ? n : 1, sizeof(*shapes));
    if (!shapes) {
        return fovea_fail_memory(err, n * sizeof(*shapes), "inputs");
    }
    for (size_t i = 0; i < n; i++) {
        const struct fovea_io *io = fovea_model_get_input(model, i);
        int64_t dims[FOVEA_MAX_RANK];
        for (int d = 0; d < io->rank; d++) {
            int64_t planned = fovea_model_planned_dim(model, i, d),
                    open = planned > 0 ? planned : 1;
            if (d == 0 && options->batch > 0) {
                open = options->batch;
            } else if (recipe && d >= 2) {
                open = d == 2 ? recipe->height : recipe->width;
            }
            dims[d] = io->dims[d] >= 0 ? io->dims[d] : open;
        }
        fovea_tensor_set_shape(&shapes[i], io->dtype, io->rank, dims);
    }
    *out = shapes;
    return FOVEA_OK;
}

/*
 * The options of every command that runs a model.
 */
#ifndef FOVEA_TOOLS_MODEL_OPTIONS_H
#define FOVEA_TOOLS_MODEL_OPTIONS_H

#include "tools/options.h"

/* Zero means: not given. */
struct model_options {
    int batch;   /* images per run */
    int threads; /* of the model */
    enum fovea_precision precision;
    bool has_precision;
    const char *passes; /* "on", "off", or names; NULL: not given */
    size_t max_memory;
    bool no_winograd;
    const char *cache; /* a folder of compiled files; NULL: FOVEA_CACHE_DIR, "": none */
    bool profile;      /* time every step; an option of bench alone */
    bool plan_only;    /* sessions are looked at, not run; set by inspect */
};

enum { N_MODEL_OPTIONS = 8 };

/*
 * The rows of all of them (--size is a preprocessing option), or of all but --batch.
 * Parsing --precision says on stderr what it comes to on this CPU where the
 * word alone does not tell.
 */
void model_option_specs(struct model_options *options, struct option_spec specs[N_MODEL_OPTIONS]);
void run_option_specs(struct model_options *options, struct option_spec specs[N_MODEL_OPTIONS - 1]);

/* "f32", "bf16", "auto" */
const char *precision_name(enum fovea_precision precision);

/*
 * What they come to for the library. What is not given of `session` is as the
 * model has it (fovea_model_get_session_options), or by default where there is
 * none yet: `model` may be NULL.
 */
void model_options_get(const struct model_options *options, const struct fovea_model *model,
                       struct fovea_load_options *load, struct fovea_session_options *session);

#endif

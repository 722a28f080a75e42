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
    int heads;                             /* of a checkpoint's ViT */
    const char *head_type, *gelu, *ws_eps; /* of a checkpoint, where its tensors do not tell */
    const char *positions;                 /* how embeddings are resampled to another size */
    const char *cache; /* a folder of compiled files; NULL: FOVEA_CACHE_DIR, "": none */
    bool profile;      /* time every step; an option of bench alone */
    bool plan_only;    /* sessions are looked at, not run; set by inspect */
};

enum { N_MODEL_OPTIONS = 13 };

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
 * What they come to for a session. What is not given is as the model has it
 * (fovea_model_get_session_options).
 */
void model_options_get(const struct model_options *options, const struct fovea_model *model,
                       struct fovea_session_options *session);

/*
 * fovea_model_load with what the options come to, for a square input of `size`
 * (0: not given), which networks built from checkpoints or names are made for.
 * Says on stderr which tensors of a checkpoint do not fit, and what a
 * checkpoint was taken for.
 */
enum fovea_status model_options_load(const struct model_options *options, const char *path,
                                     int size, struct fovea_model **out, struct fovea_error *err);

#endif

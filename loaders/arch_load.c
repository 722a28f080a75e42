/* Checkpoints and names of architectures as models: see arch.h. */
#include "loaders/arch.h"

#include "loaders/arch_config.h"
#include "loaders/arch_flavour.h"
#include "loaders/arch_options.h"
#include "loaders/arch_overrides.h"
#include "loaders/checkpoint.h"
#include "loaders/file.h"
#include "loaders/mapped_file.h"
#include "loaders/paths.h"
#include "runtime/limits.h"
#include "runtime/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a configuration of either family ---------------------------------------------------- */

struct network {
    enum fovea_arch_family family;
    struct fovea_nfnet_config nfnet;
    struct fovea_vit_config vit;
};

static enum fovea_status configure(const struct fovea_arch_params *params,
                                   const struct fovea_arch_hints *hints, struct network *out,
                                   struct fovea_error *err) {
    if (out->family == FOVEA_FAMILY_NFNET) {
        return fovea_nfnet_configure(params, hints, &out->nfnet, err);
    }
    return fovea_vit_configure(params, hints, &out->vit, err);
}

static void build(struct fovea_arch_builder *b, const struct network *network) {
    if (network->family == FOVEA_FAMILY_NFNET) {
        fovea_nfnet_build(b, &network->nfnet);
    } else {
        fovea_vit_build(b, &network->vit);
    }
}

static const char *nearest(const struct network *network) {
    return network->family == FOVEA_FAMILY_NFNET ? fovea_arch_nearest_nfnet(&network->nfnet)->name
                                                 : fovea_arch_nearest_vit(&network->vit)->name;
}

/* ---- fit ----------------------------------------------------------------------------------- */

static enum fovea_status fail_misfit(const struct fovea_arch_params *params,
                                     const struct network *network,
                                     const struct fovea_load_options *options,
                                     struct fovea_error *err) {
    static const char *const words[] = {"missing", "misshapen", "unexpected"};
    const char *first = "";
    for (int kind = FOVEA_ARCH_N_MISFITS - 1; kind >= 0; kind--) {
        first = params->n_misfits[kind] ? params->misfits[kind][0] : first;
        for (size_t i = 0; options->explain && i < params->n_misfits[kind]; i++) {
            options->explain(options->explain_context, words[kind], params->misfits[kind][i]);
        }
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "the checkpoint does not fit: %zu tensors are missing, %zu misshapen, %zu "
                      "unexpected, the first: %s (the nearest known architecture is %s)",
                      params->n_misfits[FOVEA_ARCH_MISSING],
                      params->n_misfits[FOVEA_ARCH_MISSHAPEN],
                      params->n_misfits[FOVEA_ARCH_UNEXPECTED], first, nearest(network));
}

/* A head that is not used may be in the file: SigLIP's, under another class. */
static void pass_over_pool(struct fovea_arch_params *params, const struct network *network) {
    if (network->family != FOVEA_FAMILY_VIT || network->vit.head == FOVEA_HEAD_MAP) {
        return;
    }
    for (size_t i = 0; i < params->count; i++) {
        if (strncmp(params->entries[i].name, "attn_pool.", 10) == 0) {
            params->entries[i].used = true;
        }
    }
}

/* ---- models -------------------------------------------------------------------------------- */

/* Metadata entry `index`; the text is copied. */
static bool set_metadata(struct fovea_model *model, const char *key, const char *value) {
    char *copy = fovea_arena_copy_text(&model->graph.arena, value, strlen(value));
    model->metadata[model->n_metadata] = (struct fovea_metadata){key, copy};
    model->n_metadata += copy != NULL;
    return copy;
}

static int input_side(const struct network *network) {
    bool nfnet = network->family == FOVEA_FAMILY_NFNET;
    int side = nfnet ? network->nfnet.height : network->vit.height;
    return side ? side : fovea_arch_nearest_nfnet(&network->nfnet)->size;
}

/* What else the model says of itself: where it is from, and how its code base prepares images. */
static enum fovea_status describe(struct fovea_model *model, const struct network *network,
                                  const char *origin, const char *preset, struct fovea_error *err) {
    char words[400], recipe[64];
    if (network->family == FOVEA_FAMILY_NFNET) {
        fovea_nfnet_describe(&network->nfnet, words, sizeof(words));
    } else {
        fovea_vit_describe(&network->vit, words, sizeof(words));
    }
    model->producer = "Fovea";
    model->ir_version = 8;
    model->built = true;
    model->metadata = fovea_arena_alloc(&model->graph.arena, 3, sizeof(*model->metadata));
    bool ok = model->metadata && set_metadata(model, FOVEA_ARCH_KEY, words) &&
              set_metadata(model, FOVEA_ARCH_ORIGIN_KEY, origin);
    if (ok && preset) {
        snprintf(recipe, sizeof(recipe), "{\"preset\":\"%s\",\"size\":%d}", preset,
                 input_side(network));
        ok = set_metadata(model, "fovea.recipe", recipe);
    }
    return ok ? FOVEA_OK : fovea_fail_memory(err, sizeof(words), "metadata");
}

/* The graph of a configured network, from `params`. */
static enum fovea_status make(struct fovea_model *model, struct network *network,
                              struct fovea_arch_params *params, const char *origin,
                              const char *preset, const struct fovea_load_options *options,
                              struct fovea_error *err) {
    struct fovea_arch_builder b = {
        .model = model, .params = params, .err = err, .max_memory = options->max_memory};
    build(&b, network);
    if (b.status) {
        return b.status;
    }
    model->n_parameters = params->n_elements;
    if (params->random) {
        model->parameter_bytes = (size_t)params->n_elements * sizeof(float);
    }
    pass_over_pool(params, network);
    fovea_arch_params_note_unused(params);
    if (params->lost) {
        return fovea_fail_memory(err, 0, "what does not fit");
    }
    for (int kind = 0; kind < FOVEA_ARCH_N_MISFITS; kind++) {
        if (params->n_misfits[kind] > 0) {
            return fail_misfit(params, network, options, err);
        }
    }
    enum fovea_status status = fovea_arch_positions_fill(&b, &network->vit);
    return status ? status : describe(model, network, origin, preset, err);
}

/* ---- by name --------------------------------------------------------------------------------- */

static enum fovea_status configure_by_name(const struct fovea_arch_name *name,
                                           const struct fovea_load_options *options,
                                           struct network *out, struct fovea_error *err) {
    enum fovea_status status;
    if (out->family == FOVEA_FAMILY_NFNET) {
        status = fovea_arch_name_nfnet(name, &out->nfnet, err);
        return status ? status : fovea_arch_override_nfnet(options, &out->nfnet, err);
    }
    status = fovea_arch_name_vit(name, &out->vit, err);
    return status ? status : fovea_arch_override_vit(options, &out->vit, err);
}

static enum fovea_status make_up(struct fovea_model *model,
                                 const struct fovea_load_options *options,
                                 struct fovea_error *err) {
    enum { SEED = 1 };
    struct fovea_arch_params params = {.random = true, .seed = SEED};
    struct fovea_arch_name name;
    struct network network = {.family = FOVEA_FAMILY_NFNET};
    enum fovea_status status = fovea_arch_name_parse(model->path, &name, err);
    status = status ? status : fovea_arch_override_name(options, &name, err);
    if (!status) {
        network.family = name.entry->family;
        status = configure_by_name(&name, options, &network, err);
    }
    if (!status) {
        status = make(model, &network, &params, "made up, with random weights", NULL, options, err);
    }
    fovea_arch_params_finish(&params);
    return status;
}

/* ---- from a checkpoint -------------------------------------------------------------------------
 */

/* config.json beside the checkpoint, if there is one: then the model is made from it, too. */
static enum fovea_status add_config(struct fovea_model *model, const char *path,
                                    struct fovea_arch_hints *hints, struct fovea_error *err) {
    struct stat status_before;
    struct fovea_file_id id;
    uint8_t *bytes = NULL;
    size_t size;
    int os_error = 0;
    char *beside = fovea_path_beside(path, FOVEA_ARCH_CONFIG);
    if (!beside) {
        return fovea_fail_memory(err, strlen(path), "a path");
    }
    /* Before it is read, so that a change of the file meanwhile is seen later. */
    bool there = stat(beside, &status_before) == 0;
    enum fovea_status status =
        fovea_file_read(beside, FOVEA_LIMIT_JSON_BYTES, &bytes, &size, &os_error, err);
    if (status && os_error == ENOENT) {
        status = FOVEA_OK;
    } else if (!status) {
        status = fovea_arch_config_parse((char *)bytes, size, hints, err);
        if (!status && there) {
            fovea_file_id_of(&status_before, &id);
            status = fovea_model_add_source(model, FOVEA_ARCH_CONFIG, &id, err);
        }
    }
    if (status) {
        fovea_error_prefix(err, FOVEA_ARCH_CONFIG);
    }
    free(beside);
    free(bytes);
    return status;
}

static enum fovea_status read_params(struct fovea_model *model, struct fovea_checkpoint *checkpoint,
                                     struct fovea_arch_params *params, struct network *network,
                                     const struct fovea_load_options *options,
                                     const struct fovea_arch_flavour **flavour,
                                     struct fovea_error *err) {
    char base[FOVEA_ARCH_BASE_BYTES];
    enum fovea_status status = fovea_arch_flavour_find(&checkpoint->dict, base, flavour, err);
    if (status) {
        return status;
    }
    struct fovea_arch_hints hints = (*flavour)->hints;
    network->family = (*flavour)->family;
    status = fovea_arch_flavour_apply(*flavour, &checkpoint->dict, base, params, err);
    if (!status && !model->placeless) {
        status = add_config(model, checkpoint->path, &hints, err);
    }
    status = status ? status : fovea_arch_override_hints(options, network->family, &hints, err);
    return status ? status : configure(params, &hints, network, err);
}

/*
 * What the model, whose graph is built, was made from and by; the options are those of the
 * compiled file it may become.
 */
static enum fovea_status note_origin(struct fovea_model *model,
                                     const struct fovea_tensor_dict *dict,
                                     const struct fovea_load_options *options,
                                     struct fovea_error *err) {
    char text[FOVEA_ARCH_OPTIONS_TEXT];
    enum fovea_status status = fovea_arch_options_text(options, text, err);
    for (size_t i = 0; !status && i < dict->n_mappings; i++) {
        status = fovea_model_add_source(model, dict->locations[i], &dict->mappings[i].id, err);
    }
    if (status) {
        return status;
    }
    model->load_options = fovea_arena_copy_text(&model->graph.arena, text, strlen(text));
    return model->load_options ? FOVEA_OK : fovea_fail_memory(err, sizeof(text), "options");
}

static enum fovea_status convert(struct fovea_model *model, struct fovea_checkpoint *checkpoint,
                                 const struct fovea_load_options *options,
                                 struct fovea_error *err) {
    struct fovea_arch_params params = {.random = false};
    struct network network = {.family = FOVEA_FAMILY_NFNET};
    char origin[96];
    const struct fovea_arch_flavour *flavour;
    enum fovea_status status =
        read_params(model, checkpoint, &params, &network, options, &flavour, err);
    if (!status) {
        snprintf(origin, sizeof(origin), "%s, %s", flavour->name,
                 fovea_container_name(checkpoint->container));
        status = make(model, &network, &params, origin, flavour->preset, options, err);
    }
    fovea_arch_params_finish(&params);
    status = status ? status : note_origin(model, &checkpoint->dict, options, err);
    return status ? status : fovea_tensor_dict_give(&checkpoint->dict, model, err);
}

/* The model of a checkpoint, which is finished in any case. */
static enum fovea_status make_of_checkpoint(struct fovea_checkpoint *checkpoint, bool placeless,
                                            const struct fovea_load_options *options,
                                            struct fovea_model **out, struct fovea_error *err) {
    struct fovea_model *model;
    const struct fovea_progress progress = {options->progress, options->progress_context};
    enum fovea_status status = fovea_progress_tell(&progress, FOVEA_PHASE_GRAPH, 0, err);
    if (!status) {
        status = fovea_model_create(checkpoint->path, &model, err);
    }
    if (!status) {
        model->placeless = placeless;
        status = convert(model, checkpoint, options, err);
        if (status) {
            fovea_model_destroy(model);
        }
    }
    if (status) {
        fovea_error_prefix(err, "%s", checkpoint->path);
    } else {
        *out = model;
    }
    fovea_checkpoint_finish(checkpoint);
    return status;
}

static enum fovea_status tell_read(const struct fovea_load_options *options,
                                   struct fovea_error *err) {
    const struct fovea_progress progress = {options->progress, options->progress_context};
    return fovea_progress_tell(&progress, FOVEA_PHASE_READ, 0, err);
}

static size_t memory_limit(const struct fovea_load_options *options) {
    return options->max_memory ? options->max_memory : fovea_default_memory_limit();
}

static enum fovea_status load_checkpoint(const char *path, const struct fovea_load_options *options,
                                         struct fovea_model **out, struct fovea_error *err) {
    struct fovea_checkpoint checkpoint;
    enum fovea_status status = tell_read(options, err);
    if (!status) {
        status = fovea_checkpoint_load(path, memory_limit(options), options->allow_external_links,
                                       &checkpoint, err);
    }
    return status ? status : make_of_checkpoint(&checkpoint, false, options, out, err);
}

enum fovea_status fovea_arch_read(const char *name, struct fovea_mapping *file,
                                  const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err) {
    struct fovea_checkpoint checkpoint;
    enum fovea_status status = tell_read(options, err);
    if (status) {
        fovea_mapping_finish(file);
        return status;
    }
    status = fovea_checkpoint_read(name, file, memory_limit(options), &checkpoint, err);
    return status ? status : make_of_checkpoint(&checkpoint, true, options, out, err);
}

enum fovea_status fovea_arch_load(const char *path, const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err) {
    struct fovea_model *model;
    if (!fovea_arch_is_name(path)) {
        return load_checkpoint(path, options, out, err);
    }
    enum fovea_status status = fovea_model_create(path, &model, err);
    if (status) {
        return status;
    }
    status = make_up(model, options, err);
    if (status) {
        fovea_model_destroy(model);
        return status;
    }
    *out = model;
    return FOVEA_OK;
}

/* What is known of how a model wants its images: see model_recipe.h. */
#include "loaders/model_recipe.h"

#include "loaders/arch_options.h"
#include "loaders/beside.h"
#include "loaders/compiled.h"
#include "loaders/os_error.h"
#include "loaders/recipe_file.h"
#include "runtime/limits.h"
#include "runtime/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A broken configuration is passed over, since it was not written for us. */
static enum fovea_status add_config(struct fovea_recipe *recipe, const char *model_path,
                                    const char *name, char *note, size_t note_bytes,
                                    struct fovea_error *err) {
    struct fovea_recipe config = {0};
    struct fovea_error why;
    uint8_t *bytes;
    size_t size;
    enum fovea_status status = fovea_beside_read(model_path, name, &bytes, &size, &why, err);
    if (status) {
        return status;
    }
    if (bytes &&
        !fovea_recipe_parse_config((char *)bytes, size, FOVEA_FROM_CONFIG, &config, &why)) {
        fovea_recipe_overlay(recipe, &config);
    }
    free(bytes);
    if (why.status == FOVEA_ERR_MEMORY) {
        return fovea_fail(err, FOVEA_ERR_MEMORY, "%s beside the model: %s", name, why.message);
    }
    if (why.status) {
        snprintf(note, note_bytes, "%s beside the model is passed over: %s", name, why.message);
    }
    return FOVEA_OK;
}

static enum fovea_status add_configs(struct fovea_recipe *recipe, const char *model_path,
                                     char *note, size_t note_bytes, struct fovea_error *err) {
    static const char *const names[] = {"config.json", "preprocessor_config.json"};
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < sizeof(names) / sizeof(names[0]); i++) {
        status = add_config(recipe, model_path, names[i], note, note_bytes, err);
    }
    return status;
}

/* The metadata keys that hold a recipe, and whose way of saying it that is. */
static const struct {
    const char *key;
    enum fovea_status (*parse)(const char *text, size_t size, enum fovea_recipe_source source,
                               struct fovea_recipe *out, struct fovea_error *err);
} metadata_keys[] = {
    {FOVEA_CONFIG_KEY, fovea_recipe_parse_config},
    {FOVEA_PREPROCESSOR_KEY, fovea_recipe_parse_config},
    {"pretrained_cfg", fovea_recipe_parse_config},
    {"preprocessor_config", fovea_recipe_parse_config},
    {"recipe", fovea_recipe_parse},
    {"fovea.recipe", fovea_recipe_parse},
};

static enum fovea_status add_metadata(struct fovea_recipe *recipe, const struct fovea_model *model,
                                      struct fovea_error *err) {
    struct fovea_recipe known;
    const char *architecture = fovea_model_get_metadata(model, "architecture");
    if (architecture && fovea_recipe_architecture(architecture, FOVEA_FROM_ARCHITECTURE, &known)) {
        fovea_recipe_overlay(recipe, &known);
    }
    for (size_t i = 0; i < sizeof(metadata_keys) / sizeof(metadata_keys[0]); i++) {
        const char *key = metadata_keys[i].key, *text = fovea_model_get_metadata(model, key);
        if (!text) {
            continue;
        }
        enum fovea_status status =
            metadata_keys[i].parse(text, strlen(text), FOVEA_FROM_METADATA, &known, err);
        if (status) {
            fovea_error_prefix(err, "metadata '%s'", key);
            return status;
        }
        fovea_recipe_overlay(recipe, &known);
    }
    return FOVEA_OK;
}

/* DIR/NAME.recipe.json for DIR/NAME.onnx or DIR/NAME.fovea; to be freed. */
static char *sidecar_path(const char *model_path) {
    const char *slash = strrchr(model_path, '/'), *dot = strrchr(model_path, '.');
    bool has_extension = dot && dot > (slash ? slash + 1 : model_path);
    int stem = (int)(has_extension ? dot - model_path : (ptrdiff_t)strlen(model_path));
    char *path;
    return asprintf(&path, "%.*s.recipe.json", stem, model_path) < 0 ? NULL : path;
}

/* A recipe somebody wrote for this model is not passed over when it is broken. */
static enum fovea_status add_sidecar(struct fovea_recipe *recipe, const char *model_path,
                                     struct fovea_error *err) {
    struct fovea_recipe stored;
    struct stat info;
    char *path = sidecar_path(model_path);
    if (!path) {
        return fovea_fail_memory(err, strlen(model_path), "a path");
    }
    enum fovea_status status = FOVEA_OK;
    if (stat(path, &info) == 0) {
        status = fovea_recipe_load(path, FOVEA_FROM_SIDECAR, &stored, err);
        if (!status) {
            fovea_recipe_overlay(recipe, &stored);
        }
    } else if (!fovea_is_absent(errno)) {
        status = fovea_fail(err, FOVEA_ERR_IO, "%s: cannot stat: %s", fovea_quote(path).text,
                            strerror(errno));
    }
    free(path);
    return status;
}

/* A checkpoint's network whose size nobody asked for: transformers would resample its positions. */
static bool takes_any_size(const struct fovea_model *model) {
    struct fovea_arch_options options;
    return model->built && model->load_options &&
           !fovea_arch_options_parse(model->load_options, &options, NULL) && options.size == 0;
}

/* Height and width of a single [N,3,H,W] input, where the model fixes both, or was compiled so. */
static void add_input_shape(struct fovea_recipe *recipe, const struct fovea_model *model,
                            char *note, size_t note_bytes) {
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    if (!io || io->rank != 4) {
        return;
    }
    int64_t height = io->dims[2] < 0 ? fovea_model_planned_dim(model, 0, 2) : io->dims[2];
    int64_t width = io->dims[3] < 0 ? fovea_model_planned_dim(model, 0, 3) : io->dims[3];
    if (height < 1 || width < 1 || height > FOVEA_LIMIT_INPUT_SIDE ||
        width > FOVEA_LIMIT_INPUT_SIDE) {
        return;
    }
    if (recipe->source[FOVEA_RECIPE_SIZE] == FOVEA_FROM_CONFIG && takes_any_size(model) &&
        !note[0] && (recipe->height != height || recipe->width != width)) {
        snprintf(note, note_bytes,
                 "the configuration of images says %dx%d, and the checkpoint is for %lldx%lld, "
                 "which is taken (--size N for another)",
                 recipe->height, recipe->width, (long long)height, (long long)width);
    }
    recipe->height = (int)height;
    recipe->width = (int)width;
    recipe->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_METADATA;
}

bool fovea_model_takes_images(const struct fovea_model *model) {
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    return fovea_model_n_inputs(model) == 1 && io->rank == 4 && io->dims[1] == 3;
}

enum fovea_status fovea_model_recipe(const struct fovea_model *model, struct fovea_recipe *out,
                                     char *note, size_t note_bytes, struct fovea_error *err) {
    struct fovea_recipe recipe = {0};
    note[0] = 0;
    enum fovea_status status = FOVEA_OK;
    if (!model->placeless) {
        status = add_configs(&recipe, model->path, note, note_bytes, err);
    }
    if (!status) {
        status = add_metadata(&recipe, model, err);
    }
    if (!status && !model->placeless) {
        status = add_sidecar(&recipe, model->path, err);
    }
    if (status) {
        return status;
    }
    add_input_shape(&recipe, model, note, note_bytes);
    *out = recipe;
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_complete(const struct fovea_recipe *known,
                                        const struct fovea_recipe *chosen,
                                        const struct fovea_recipe *flags, struct fovea_recipe *out,
                                        struct fovea_error *err) {
    struct fovea_recipe recipe;
    enum fovea_status status = fovea_recipe_preset("timm", FOVEA_FROM_DEFAULT, &recipe, err);
    if (status) {
        return status;
    }
    recipe.height = recipe.width = 224;
    recipe.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_DEFAULT;
    if (known) {
        fovea_recipe_overlay(&recipe, known);
    }
    fovea_recipe_overlay(&recipe, chosen);
    fovea_recipe_overlay(&recipe, flags);
    status = fovea_recipe_check(&recipe, err);
    if (!status) {
        *out = recipe;
    }
    return status;
}

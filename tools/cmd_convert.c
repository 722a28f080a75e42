/* fovea convert: a checkpoint, or another model, to ONNX. */
#include "tools/commands.h"

#include "loaders/labels.h"
#include "loaders/model_recipe.h"
#include "loaders/onnx_save.h"
#include "loaders/recipe_write.h"
#include "runtime/session.h"
#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/model_options.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdlib.h>

/* What the command line asks for, and what is made for it. */
struct convert {
    struct json_target json;
    struct model_options options;
    struct fovea_preprocess_options preprocess;
    const char *output, *labels;
    bool no_fold;
    struct fovea_model *model;
    char *recipe_text, *labels_text;
    uint64_t bytes;
};

static void convert_finish(struct convert *c) {
    fovea_model_destroy(c->model);
    free(c->recipe_text);
    free(c->labels_text);
}

/* ---- what is kept with the model --------------------------------------------- */

/* What is known of the recipe, as a recipe file has it; guesses are left out. */
static enum fovea_status add_recipe(struct convert *c, struct fovea_error *err) {
    struct fovea_recipe recipe;
    char note[640] = "";
    if (!fovea_model_takes_images(c->model)) {
        return FOVEA_OK;
    }
    enum fovea_status status =
        fovea_preprocess_options_settle(&c->preprocess, c->model, &recipe, note, sizeof(note), err);
    if (status) {
        return status;
    }
    if (note[0]) {
        say("%s", note);
    }
    c->recipe_text = fovea_recipe_known_to_text(&recipe);
    return c->recipe_text ? FOVEA_OK : fovea_fail_memory(err, 0, "a recipe");
}

/* A list of names, null where a class has none. */
static enum fovea_status add_labels(struct convert *c, struct fovea_error *err) {
    struct fovea_labels labels;
    enum fovea_status status = fovea_labels_load(c->model, c->labels, &labels, err);
    if (status || labels.count == 0) {
        return status;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < labels.count; i++) {
        json_append(&list, json_text(labels.names[i]));
    }
    c->labels_text = list ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    fovea_labels_finish(&labels);
    return c->labels_text ? FOVEA_OK : fovea_fail_memory(err, 0, "labels");
}

/* ---- the conversion ------------------------------------------------------------ */

static enum fovea_status save(struct convert *c, struct fovea_error *err) {
    struct fovea_metadata entries[2];
    struct fovea_onnx_save_options options = {
        .fold = !c->no_fold,
        .inline_most = FOVEA_ONNX_INLINE_MOST,
        .max_memory = c->options.max_memory ? c->options.max_memory : fovea_default_memory_limit(),
        .metadata = entries,
    };
    if (c->recipe_text) {
        entries[options.n_metadata++] = (struct fovea_metadata){"fovea.recipe", c->recipe_text};
    }
    if (c->labels_text) {
        entries[options.n_metadata++] = (struct fovea_metadata){"labels", c->labels_text};
    }
    enum fovea_status status = fovea_onnx_save(c->model, c->output, &options, &c->bytes, err);
    if (status) {
        fovea_error_prefix(err, "%s", c->output);
    }
    return status;
}

static enum fovea_status convert(struct convert *c, const char *path, struct fovea_error *err) {
    enum fovea_status status = model_options_load(
        &c->options, path, fovea_preprocess_options_side(&c->preprocess), &c->model, err);
    if (!status) {
        status = add_recipe(c, err);
    }
    if (!status) {
        status = add_labels(c, err);
    }
    return status ? status : save(c, err);
}

static int convert_model(struct convert *c, const char *path) {
    struct fovea_error err;
    if (convert(c, path, &err)) {
        return say_failure("convert", &err);
    }
    if (json_target_wants_text(&c->json)) {
        printf("%s  %.1f MB%s%s\n", c->output, (double)c->bytes * 1e-6,
               c->recipe_text ? ", with recipe" : "", c->labels_text ? ", with labels" : "");
    }
    json_t *root = NULL;
    if (c->json.on) {
        root = json_pack("{s:o, s:o, s:I}", "model", json_text(path), "output",
                         json_text(c->output), "bytes", (json_int_t)c->bytes);
    }
    return json_target_write(&c->json, root, &err) ? say_failure("convert", &err) : EXIT_DONE;
}

int cmd_convert(int argc, char **argv) {
    struct convert c = {0};
    struct preprocess_rows preprocess;
    struct option_spec model_rows[N_MODEL_OPTIONS];
    model_option_specs(&c.options, model_rows);
    preprocess_rows_init(&preprocess, &c.preprocess);
    const struct option_spec own[] = {
        {"output", "FILE", "the ONNX file", option_text, &c.output, 'o'},
        {"labels", "FILE", "names of the classes: one a line, or JSON", option_text, &c.labels, 0},
        {"no-fold", NULL, "leave in the graph what computes weights (weight standardisation)",
         option_flag, &c.no_fold, 0},
        json_option_spec(&c.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own}, {"model", model_rows}, preprocess_rows_group(&preprocess), {0}};
    const struct usage usage = {
        "convert",
        "CHECKPOINT -o FILE.onnx",
        "Write a model as ONNX, opset 18 of checkpoints, with its recipe and labels as metadata.\n"
        "Weights over 1 GB go to FILE.onnx.data beside it.",
        "  fovea convert model.safetensors -o model.onnx\n"
        "  fovea convert checkpoints/dm_nfnet_f0 -o f0.onnx --size 480\n"
        "  fovea convert arch:vit-b/16 -o random.onnx\n",
        groups,
    };
    const char *model;
    int end = options_parse_model(&usage, argc, argv, &model);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (!c.output) {
        return say_usage("convert", "where to? Say -o FILE");
    }
    int code = convert_model(&c, model);
    convert_finish(&c);
    return code;
}

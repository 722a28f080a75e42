/* fovea inspect: what a model is, and what becomes of it. */
#include "tools/commands.h"

#include "loaders/image_batch.h"
#include "loaders/model_recipe.h"
#include "loaders/recipe_write.h"
#include "loaders/sniff.h"
#include "tools/exit_codes.h"
#include "tools/inspection.h"
#include "tools/model_options.h"
#include "tools/model_session.h"
#include "tools/patch_grid.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What the command line asks for, and what is made for it. */
struct inspect {
    struct json_target json;
    struct model_options model_options;
    struct fovea_preprocess_options preprocess;
    bool fusions, plan;
    const char *recipe_path; /* --write-recipe, or NULL */
    struct fovea_model *model;
    struct fovea_session *session;
    struct fovea_tensor *inputs;
    struct fovea_recipe recipe;
    bool has_recipe;
};

static void inspect_finish(struct inspect *in) {
    fovea_session_destroy(in->session);
    fovea_model_destroy(in->model);
    free(in->inputs);
}

/* What a step had to say, if anything; the next one starts without. */
static void say_note(char *note) {
    if (note[0]) {
        say("note: %s", note);
        note[0] = 0;
    }
}

static enum fovea_status find_recipe(struct inspect *in, struct fovea_error *err) {
    char note[640];
    if (!fovea_model_takes_images(in->model)) {
        return FOVEA_OK;
    }
    enum fovea_status status = fovea_preprocess_options_settle(
        &in->preprocess, in->model, &in->recipe, note, sizeof(note), err);
    in->has_recipe = !status;
    say_note(note);
    if (!status && in->recipe.source[FOVEA_RECIPE_SIZE] == FOVEA_FROM_FLAG) {
        status = fovea_image_batch_fit(in->model, &in->recipe, note, sizeof(note), err);
        say_note(note);
    }
    if (!status) {
        patch_grid_note(in->model, in->recipe.height, in->recipe.width, note, sizeof(note));
        say_note(note);
    }
    return status;
}

static enum fovea_status write_recipe(const struct inspect *in, struct fovea_error *err) {
    const struct json_target target = {.on = true, .path = in->recipe_path};
    if (!in->recipe_path) {
        return FOVEA_OK;
    }
    if (!in->has_recipe) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the model takes no images: there is no recipe to write");
    }
    return json_target_write(&target, fovea_recipe_known_to_json(&in->recipe), err);
}

static enum fovea_status open_model(struct inspect *in, const char *path, struct fovea_error *err) {
    enum fovea_status status = model_options_load(
        &in->model_options, path, fovea_preprocess_options_side(&in->preprocess), &in->model, err);
    if (!status) {
        status = find_recipe(in, err);
    }
    return status ? status : write_recipe(in, err);
}

static enum fovea_status plan_model(struct inspect *in, struct fovea_error *err) {
    enum fovea_status status = model_session_shapes(
        &in->model_options, in->model, in->has_recipe ? &in->recipe : NULL, &in->inputs, err);
    if (!status) {
        status = model_session_create(&in->model_options, in->model, in->inputs, &in->session, err);
    }
    return status;
}

/* A model that cannot be planned is still shown as far as it goes; the command failed, though. */
static int inspect_model(struct inspect *in, const char *path) {
    struct fovea_error err;
    if (open_model(in, path, &err)) {
        return say_failure("inspect", &err);
    }
    int code = plan_model(in, &err) ? say_failure("inspect", &err) : EXIT_DONE;
    const struct inspection shown = {
        .model = in->model,
        .session = in->session,
        .inputs = in->inputs,
        .recipe = in->has_recipe ? &in->recipe : NULL,
    };
    if (json_target_wants_text(&in->json)) {
        inspection_print(&shown, in->fusions, in->plan);
    }
    json_t *root = in->json.on ? inspection_json(&shown, in->fusions) : NULL;
    return json_target_write(&in->json, root, &err) ? say_failure("inspect", &err) : code;
}

/*
 * Whether there is a file that is no recipe: a model, say, whose name stands where the option's
 * word was left out. It is not to be overwritten.
 */
static bool is_another_file(const char *path) {
    unsigned char head[64];
    struct stat status;
    if (!path || stat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
        return false;
    }
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(head, 1, sizeof(head), file) : 0;
    if (file) {
        fclose(file);
    }
    return !fovea_sniff_json_object(head, size);
}

int cmd_inspect(int argc, char **argv) {
    struct inspect in = {.model_options.plan_only = true};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct preprocess_rows preprocess;
    model_option_specs(&in.model_options, model_rows);
    preprocess_rows_init(&preprocess, &in.preprocess);
    const struct option_spec own[] = {
        {"fusions", NULL, "what each pass did and nearly did, by node (JSON: \"fusion_log\")",
         option_flag, &in.fusions, 0},
        {"plan", NULL, "every step: operator, node, result and its place in the arena", option_flag,
         &in.plan, 0},
        {"write-recipe", "FILE",
         "write the recipe as a recipe file, without what is only\n"
         "assumed; NAME.recipe.json is found beside NAME.onnx",
         option_text, &in.recipe_path, 0},
        json_option_spec(&in.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own},
        {"model", model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "inspect",
        "MODEL",
        "Print what a model takes and gives, how large it is, what its preprocessing is known\n"
        "to be, and what passes and plan make of it.",
        "  fovea inspect model.onnx\n"
        "  fovea inspect model.onnx --batch 8 --fusions --plan\n"
        "  fovea inspect model.onnx --passes off --json\n"
        "  fovea inspect model.onnx --preset deepmind --size 480 --write-recipe "
        "model.recipe.json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (is_another_file(in.recipe_path)) {
        return say_usage("inspect", "--write-recipe takes the file to write, but '%s' is no recipe",
                         in.recipe_path);
    }
    if (operands.count != 1) {
        return say_usage("inspect", "takes one model, but got %zu operands", operands.count);
    }
    int code = inspect_model(&in, operands.words[0]);
    inspect_finish(&in);
    return code;
}

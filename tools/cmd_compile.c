/* fovea compile: store a planned model, so that it starts at once. */
#include "tools/commands.h"

#include "loaders/model_recipe.h"
#include "runtime/session.h"
#include "runtime/tensor.h"
#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/model_session.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdlib.h>
#include <sys/stat.h>

/* What the command line asks for, and what is made for it. */
struct compile {
    struct json_target json;
    struct model_options options;
    struct fovea_preprocess_options preprocess; /* of which --size counts */
    const char *output;
    struct fovea_model *model;
    struct fovea_session *session;
    struct fovea_tensor *inputs;
};

static void compile_finish(struct compile *c) {
    fovea_session_destroy(c->session);
    fovea_model_destroy(c->model);
    free(c->inputs);
}

/* The shapes a command would use for the model, so that it can use the file. */
static enum fovea_status choose_shapes(struct compile *c, struct fovea_error *err) {
    struct fovea_recipe recipe;
    char note[640];
    bool images = fovea_model_takes_images(c->model);
    enum fovea_status status = FOVEA_OK;
    if (images) {
        status = fovea_preprocess_options_settle(&c->preprocess, c->model, &recipe, note,
                                                 sizeof(note), err);
    }
    return status ? status
                  : model_session_shapes(&c->options, c->model, images ? &recipe : NULL, &c->inputs,
                                         err);
}

static enum fovea_status compile(struct compile *c, const char *path, struct fovea_error *err) {
    enum fovea_status status = model_options_load(
        &c->options, path, fovea_preprocess_options_side(&c->preprocess), &c->model, err);
    if (!status) {
        status = choose_shapes(c, err);
    }
    if (!status) {
        status = model_session_create(&c->options, c->model, c->inputs, &c->session, err);
    }
    return status ? status : fovea_session_save(c->session, c->output, err);
}

static long long size_of(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? (long long)status.st_size : 0;
}

static void print_result(const struct compile *c) {
    const struct fovea_plan *plan = fovea_session_get_plan(c->session);
    printf("%s  %.1f MB, %zu steps", c->output, (double)size_of(c->output) * 1e-6, plan->n_steps);
    for (size_t i = 0; i < fovea_model_n_inputs(c->model); i++) {
        printf(", %s %s", fovea_quote(fovea_model_get_input(c->model, i)->name).text,
               fovea_shape_text(&c->inputs[i]).text);
    }
    putchar('\n');
}

static json_t *result_json(const struct compile *c, const char *path) {
    const struct fovea_plan *plan = fovea_session_get_plan(c->session);
    return json_pack("{s:o, s:o, s:I, s:I}", "model", json_text(path), "output",
                     json_text(c->output), "bytes", (json_int_t)size_of(c->output), "steps",
                     (json_int_t)plan->n_steps);
}

static int compile_model(struct compile *c, const char *path) {
    struct fovea_error err;
    if (compile(c, path, &err)) {
        return say_failure("compile", &err);
    }
    if (json_target_wants_text(&c->json)) {
        print_result(c);
    }
    json_t *root = c->json.on ? result_json(c, path) : NULL;
    return json_target_write(&c->json, root, &err) ? say_failure("compile", &err) : EXIT_DONE;
}

int cmd_compile(int argc, char **argv) {
    struct compile c = {0};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    model_option_specs(&c.options, model_rows);
    fovea_preprocess_options_init(&c.preprocess);
    const struct option_spec own[] = {
        {"output", "FILE", "the compiled file, by custom named .fovea", option_text, &c.output,
         'o'},
        preprocess_size_row(&c.preprocess),
        json_option_spec(&c.json),
        {0},
    };
    const struct option_group groups[] = {{"options", own}, {"model", model_rows}, {0}};
    const struct usage usage = {
        "compile",
        "MODEL -o FILE",
        "Store a model as it is after passes and packing, for one shape, one set of options and\n"
        "this CPU. FILE can be given in place of MODEL to every command, and starts at once.\n"
        "It names MODEL and the hash of its contents: where FILE does not fit (another version,\n"
        "another CPU, another size), MODEL is used, if it is still the same.",
        "  fovea compile model.onnx -o model.fovea\n"
        "  fovea compile model.onnx -o model.fovea --size 480 --batch 8\n"
        "  fovea classify model.fovea image.jpg\n",
        groups,
    };
    const char *model;
    int end = options_parse_model(&usage, argc, argv, &model);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (!c.output) {
        return say_usage("compile", "where to? Say -o FILE");
    }
    c.options.cache = ""; /* what is compiled is the model, not what was kept of it */
    int code = compile_model(&c, model);
    compile_finish(&c);
    return code;
}

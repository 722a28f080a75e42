/* See inspection.h. */
#include "tools/inspection.h"

#include "loaders/recipe_write.h"
#include "loaders/sha256.h"
#include "runtime/compiled.h"
#include "tools/model_options.h"
#include "tools/preprocess_options.h"
#include "tools/published.h"

#include <string.h>

/* A shape of the model's, -1 as '?' or under its symbolic name. */
static void print_io(const char *what, const struct fovea_io *io) {
    printf("%-12s%s  %s[", what, fovea_quote(io->name).text, fovea_dtype_name(io->dtype));
    for (int d = 0; d < io->rank; d++) {
        printf("%s", d > 0 ? "," : "");
        if (io->dims[d] >= 0) {
            printf("%lld", (long long)io->dims[d]);
        } else {
            printf("%s", io->dim_names[d] ? fovea_quote(io->dim_names[d]).text : "?");
        }
    }
    printf("]\n");
}

static void print_model(const struct inspection *i) {
    const struct fovea_model *m = i->model;
    printf("%-12s%s\n", "model", m->path);
    printf("%-12s%s, opset %d, IR %lld\n", "made by", m->producer[0] ? m->producer : "(not said)",
           m->graph.opset, (long long)m->ir_version);
    for (size_t n = 0; n < fovea_model_n_inputs(m); n++) {
        print_io("input", fovea_model_get_input(m, n));
    }
    for (size_t n = 0; n < fovea_model_n_outputs(m); n++) {
        print_io("output", fovea_model_get_output(m, n));
    }
    printf("%-12s%lld, %.1f MB as stored\n", "parameters", (long long)m->n_parameters,
           (double)m->parameter_bytes / 1e6);
    for (size_t n = 0; n < m->n_metadata; n++) {
        printf("%-12s%s = %s\n", "metadata", fovea_quote(m->metadata[n].key).text,
               fovea_quote(m->metadata[n].value).text);
    }
}

/* What others say of a system made up by name, below what was counted here. */
static void print_published(const struct fovea_model *m) {
    struct fovea_arch_name name;
    if (fovea_arch_is_name(m->path) && !fovea_arch_name_parse(m->path, &name, NULL)) {
        printf("published figures of %s, in their own conventions:\n", name.entry->name);
        published_print(&name.entry->published, 4);
    }
}

static json_t *published_of(const struct fovea_model *m) {
    struct fovea_arch_name name;
    bool known = fovea_arch_is_name(m->path) && !fovea_arch_name_parse(m->path, &name, NULL);
    return known ? published_json(&name.entry->published) : json_null();
}

/* The first 16 digits name a file well enough for people. */
static void print_origin(const struct fovea_origin *o, const char *options) {
    printf("%-12sfrom %s, with %s, %d thread%s\n", "compiled", fovea_quote(o->path).text,
           fovea_quote(options).text, o->threads, o->threads == 1 ? "" : "s");
    printf("%-12sby Fovea %s (build %.16s), oneDNN %s\n", "", fovea_quote(o->version).text,
           fovea_quote(o->build).text, fovea_quote(o->dnn).text);
    printf("%-12sfor a CPU with %s\n", "", fovea_quote(o->isa).text);
    for (size_t n = 0; n < o->n_files; n++) {
        const char *location = o->files[n].location;
        printf("%-12ssha256 %s  %s\n", "", fovea_sha256_hex_of(o->files[n].sha256).text,
               location[0] ? fovea_quote(location).text : "(the model)");
    }
}

static void print_session(const struct inspection *i) {
    const struct fovea_plan *plan = fovea_session_get_plan(i->session);
    for (size_t n = 0; n < i->model->graph.n_inputs; n++) {
        printf("%-12s%s %s\n", "planned for", fovea_quote(i->model->inputs[n].name).text,
               fovea_shape_text(&i->inputs[n]).text);
    }
    printf("%-12s%.3f G\n", "MACs", (double)fovea_session_get_macs(i->session) / 1e9);
    printf("%-12s%zu in the file, %zu after folding and passes\n", "nodes",
           i->model->n_nodes_loaded, plan->n_steps);
    printf("%-12s%.1f MB of values, %.1f MB of scratch\n", "plan", (double)plan->arena_bytes / 1e6,
           (double)plan->scratch_bytes / 1e6);
    printf("%-12s%.1f MB packed, %.1f MB plain\n", "weights", (double)plan->packed_bytes / 1e6,
           (double)plan->constant_bytes / 1e6);
    printf("%-12s%.1f MB resident at most, %.1f MB of it before the plan\n", "memory",
           (double)fovea_plan_peak(plan) / 1e6, (double)plan->base_bytes / 1e6);
}

static void print_fusions(const struct fovea_pass_log *log, bool misses) {
    for (size_t n = 0; n < log->n_results; n++) {
        const struct fovea_pass_result *r = &log->results[n];
        if (r->count == 0 && !misses) {
            continue;
        }
        printf("%-12s%-14s %zu\n", "pass", r->name, r->count);
        for (size_t k = 0; misses && k < log->n_notes; k++) {
            const struct fovea_pass_note *note = &log->notes[k];
            if (note->pass == r->name) {
                printf("%-12s  %-7s %s\n", "", note->fired ? "fired" : "nearly", note->text);
            }
        }
    }
    if (misses && log->n_dropped > 0) {
        printf("%-12s%zu more that are not listed\n", "passes", log->n_dropped);
    }
}

static void print_step(size_t number, const struct fovea_node *node) {
    printf("%4zu  %s%s%s", number, node->domain, node->domain[0] ? "." : "", node->type);
    for (int e = 0; e < node->n_epilogue; e++) {
        static const char *const kinds[] = {"act", "add", "mul"};
        printf("+%s", kinds[node->epilogue[e].kind]);
    }
    printf("  '%s'", fovea_quote(node->name).text);
    for (int o = 0; o < node->n_out; o++) {
        const struct fovea_value *y = node->out[o];
        if (y) {
            printf("  %s%s%s @%zu", fovea_dtype_name(y->t.dtype), fovea_shape_text(&y->t).text,
                   y->layout == FOVEA_CHANNELS_LAST ? " channels-last" : "", fovea_value_offset(y));
        }
    }
    putchar('\n');
}

void inspection_print(const struct inspection *i, bool fusions, bool plan) {
    print_model(i);
    if (i->model->compiled) {
        print_origin(&i->model->compiled->origin, i->model->planned_options);
    }
    if (i->recipe) {
        fputs("preprocess  ", stdout);
        fovea_preprocess_recipe_print(i->recipe, stdout);
    }
    if (!i->session) {
        return;
    }
    print_session(i);
    print_published(i->model);
    print_fusions(fovea_session_get_pass_log(i->session), fusions);
    const struct fovea_graph *graph = fovea_session_get_graph(i->session);
    size_t number = 0;
    for (const struct fovea_node *node = graph->first; plan && node; node = node->next) {
        print_step(number++, node);
    }
}

/* ---- JSON ---------------------------------------------------------------------- */

static json_t *io_json(const struct fovea_io *io) {
    json_t *shape = json_array();
    for (int d = 0; d < io->rank; d++) {
        json_append(&shape, io->dims[d] >= 0   ? json_integer(io->dims[d])
                            : io->dim_names[d] ? json_text(io->dim_names[d])
                                               : json_null());
    }
    return json_pack("{s:o, s:s, s:o}", "name", json_text(io->name), "dtype",
                     fovea_dtype_name(io->dtype), "shape", shape);
}

static json_t *shape_json(const struct fovea_tensor *tensor) {
    json_t *dims = json_array();
    for (int d = 0; d < tensor->rank; d++) {
        json_append(&dims, json_integer(tensor->dims[d]));
    }
    return dims;
}

/* Null for a model that is no compiled file, or whose compiled file is not used. */
static json_t *origin_json(const struct fovea_model *m) {
    if (!m->compiled) {
        return json_null();
    }
    const struct fovea_origin *o = &m->compiled->origin;
    json_t *files = json_array();
    for (size_t n = 0; n < o->n_files; n++) {
        json_append(&files, json_pack("{s:o, s:s}", "location", json_text(o->files[n].location),
                                      "sha256", fovea_sha256_hex_of(o->files[n].sha256).text));
    }
    return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "path", json_text(o->path),
                     "options", json_text(m->planned_options), "threads", o->threads, "version",
                     json_text(o->version), "build", json_text(o->build), "onednn",
                     json_text(o->dnn), "cpu", json_text(o->isa), "files", files);
}

static json_t *model_json(const struct inspection *i) {
    const struct fovea_model *m = i->model;
    json_t *inputs = json_array(), *outputs = json_array(), *metadata = json_object();
    for (size_t n = 0; n < fovea_model_n_inputs(m); n++) {
        json_append(&inputs, io_json(fovea_model_get_input(m, n)));
    }
    for (size_t n = 0; n < fovea_model_n_outputs(m); n++) {
        json_append(&outputs, io_json(fovea_model_get_output(m, n)));
    }
    for (size_t n = 0; n < m->n_metadata; n++) {
        json_set(&metadata, m->metadata[n].key, json_text(m->metadata[n].value));
    }
    return json_pack("{s:o, s:o, s:i, s:I, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "model",
                     json_text(m->path), "producer", json_text(m->producer), "opset",
                     m->graph.opset, "ir_version", (json_int_t)m->ir_version, "inputs", inputs,
                     "outputs", outputs, "parameters", (json_int_t)m->n_parameters,
                     "parameter_bytes", (json_int_t)m->parameter_bytes, "nodes_before",
                     (json_int_t)m->n_nodes_loaded, "recipe",
                     i->recipe ? fovea_recipe_to_json(i->recipe) : json_null(), "metadata",
                     metadata, "published", published_of(m), "compiled", origin_json(m));
}

static json_t *session_json(const struct inspection *i) {
    const struct fovea_plan *plan = fovea_session_get_plan(i->session);
    const struct fovea_pass_log *log = fovea_session_get_pass_log(i->session);
    json_t *fusions = json_object(), *shapes = json_array();
    for (size_t n = 0; n < log->n_results; n++) {
        json_set(&fusions, log->results[n].name, json_integer((json_int_t)log->results[n].count));
    }
    for (size_t n = 0; n < i->model->graph.n_inputs; n++) {
        json_append(&shapes, shape_json(&i->inputs[n]));
    }
    return json_pack("{s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:o}", "planned_shapes", shapes,
                     "precision", precision_name(fovea_session_precision(i->session)), "macs",
                     json_integer(fovea_session_get_macs(i->session)), "plan_bytes",
                     (json_int_t)fovea_plan_bytes(plan), "peak_bytes",
                     (json_int_t)fovea_plan_peak(plan), "weights_bytes",
                     (json_int_t)(plan->packed_bytes + plan->constant_bytes), "nodes_after",
                     (json_int_t)plan->n_steps, "fusions", fusions);
}

/* Every note of the passes, in order. */
static json_t *fusion_log_json(const struct fovea_pass_log *log) {
    json_t *list = json_array();
    for (size_t n = 0; n < log->n_notes; n++) {
        const struct fovea_pass_note *note = &log->notes[n];
        json_append(&list, json_pack("{s:s, s:b, s:o}", "pass", note->pass, "fired", note->fired,
                                     "text", json_text(note->text)));
    }
    return list;
}

json_t *inspection_json(const struct inspection *i, bool fusions) {
    json_t *root = model_json(i);
    if (root && i->session) {
        json_t *more = session_json(i);
        if (more && fusions) {
            json_set(&more, "fusion_log", fusion_log_json(fovea_session_get_pass_log(i->session)));
        }
        if (!more || json_object_update(root, more)) {
            json_decref(root);
            root = NULL;
        }
        json_decref(more);
    }
    return root;
}

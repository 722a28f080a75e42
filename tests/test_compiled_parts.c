/*
 * Compiled files whose checksums are right and whose contents contradict
 * themselves, the build, or what is asked for: each is refused, in words that
 * say where, before anything is made of it.
 */
#include "loaders/compiled.h"
#include "runtime/limits.h"
#include "tests/check.h"
#include "tests/compiled_draft.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Attributes, as the draft's node has them. */
static void begin_attr(struct compiled_draft *d, const char *name, enum fovea_attr_kind kind) {
    fovea_write_text(&d->attrs, name);
    fovea_write_u8(&d->attrs, kind);
    d->n_attrs++;
}

static enum fovea_status load(struct compiled_draft *d, const struct fovea_load_options *options,
                              struct fovea_model **out, struct fovea_error *err) {
    const char *path = temp_path("draft.fovea");
    *err = (struct fovea_error){.message = ""};
    *out = NULL;
    compiled_draft_write(d, path);
    compiled_draft_finish(d);
    enum fovea_status st = fovea_model_load(path, options, out, err);
    CHECK(!st || (!*out && strncmp(err->message, path, strlen(path)) == 0));
    return st;
}

static void expect(struct compiled_draft *d, const struct fovea_load_options *options,
                   enum fovea_status status, const char *words) {
    struct fovea_model *model;
    struct fovea_error err;
    enum fovea_status st = load(d, options, &model, &err);
    if (st != status || !strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, st ? err.message : "it was loaded");
    }
    fovea_model_destroy(model);
}

/* ---- the whole ---------------------------------------------------------- */

static void draft__as_it_is__is_loaded(void) {
    struct compiled_draft d;
    struct fovea_model *model;
    struct fovea_error err;
    compiled_draft_init(&d);
    CHECK_OK(load(&d, NULL, &model, &err), err);
    if (!model) {
        return;
    }
    const struct fovea_node *node = model->graph.first;
    CHECK(model->compiled && model->graph.n_nodes == 1 && node->n_epilogue == 1);
    CHECK(node->in[0] == model->graph.inputs[0] && node->out[0] == model->graph.outputs[0]);
    CHECK(!node->in[2] && node->in[3]->constant && node->in[3]->t.data);
    CHECK(model->compiled->packed[0].bytes == 64 && model->compiled->packed[0].input == 1);
    CHECK_STR(model->compiled->pass_log.notes[0].text, "a note");
    CHECK_STR(fovea_model_get_input(model, 0)->dim_names[0], "N");
    fovea_model_destroy(model);
}

/* Attributes of all kinds but graphs come back, in every place that a description can be cut. */
static void all_attrs(struct compiled_draft *d) {
    struct fovea_byte_writer *out = &d->attrs;
    begin_attr(d, "strings", FOVEA_ATTR_STRINGS);
    fovea_write_u32(out, 2);
    fovea_write_text(out, "one");
    fovea_write_text(out, "two");
    begin_attr(d, "ints", FOVEA_ATTR_INTS);
    fovea_write_u32(out, 1);
    fovea_write_i64(out, -5);
    begin_attr(d, "floats", FOVEA_ATTR_FLOATS);
    fovea_write_u32(out, 1);
    fovea_write_f32(out, 0.5f);
    begin_attr(d, "tensor", FOVEA_ATTR_TENSOR);
    fovea_write_shape(out, FOVEA_F32, 1, (const int64_t[]){4});
    fovea_write_u64(out, 128);
    begin_attr(d, "type", FOVEA_ATTR_NONE);
    begin_attr(d, "string", FOVEA_ATTR_STRING);
    fovea_write_text(out, "text");
    begin_attr(d, "int", FOVEA_ATTR_INT);
    fovea_write_i64(out, 7);
    begin_attr(d, "float", FOVEA_ATTR_FLOAT);
    fovea_write_f32(out, 2);
}

static void attrs__of_every_kind__are_kept(void) {
    struct compiled_draft d;
    struct fovea_model *model;
    struct fovea_error err;
    compiled_draft_init(&d);
    all_attrs(&d);
    CHECK_OK(load(&d, NULL, &model, &err), err);
    if (!model) {
        return;
    }
    const struct fovea_node *node = model->graph.first;
    const struct fovea_attr *strings = fovea_node_attr(node, "strings");
    CHECK(strings && strings->kind == FOVEA_ATTR_STRINGS && strings->count == 2);
    CHECK_STR(strings->strings[1], "two");
    size_t count;
    CHECK(fovea_attr_ints(node, "ints", &count)[0] == -5 && count == 1);
    CHECK(fovea_node_attr(node, "floats")->floats[0] == 0.5f);
    CHECK(fovea_node_attr(node, "tensor")->t.dims[0] == 4);
    CHECK(fovea_node_attr(node, "type")->kind == FOVEA_ATTR_NONE);
    CHECK_STR(fovea_attr_string(node, "string", ""), "text");
    CHECK(fovea_attr_int(node, "int", 0) == 7 && fovea_attr_float(node, "float", 0) == 2);
    fovea_model_destroy(model);
}

static void description__cut_anywhere__is_refused(void) {
    struct compiled_draft d;
    compiled_draft_init(&d);
    all_attrs(&d);
    size_t size = compiled_draft_size(&d);
    compiled_draft_finish(&d);
    for (size_t cut = 1; cut <= size; cut++) {
        compiled_draft_init(&d);
        all_attrs(&d);
        d.cut = cut;
        expect(&d, NULL, FOVEA_ERR_FORMAT, "byte ");
    }
}

/* ---- the graph ---------------------------------------------------------- */

static void two_inputs(struct compiled_draft *d) {
    d->planned[1] = d->planned[0];
    d->n_inputs = 2;
}

static void input_twice(struct compiled_draft *d) {
    two_inputs(d);
}

static void input_of_another_type(struct compiled_draft *d) {
    d->planned[0].dtype = FOVEA_I32;
}

static void input_of_another_shape(struct compiled_draft *d) {
    d->planned[0].dims[3] = 3;
}

static void input_not_constant(struct compiled_draft *d) {
    d->planned[0].constant = true;
}

static void input_without_contents(struct compiled_draft *d) {
    d->planned[0].constant = d->values[0].constant = true;
}

static void input_beyond(struct compiled_draft *d) {
    d->inputs[0] = 4;
}

static void operand_beyond(struct compiled_draft *d) {
    d->in[0] = 4;
}

static void operand_not_made(struct compiled_draft *d) {
    d->in[0] = 3;
}

static void result_absent(struct compiled_draft *d) {
    d->out[0] = DRAFT_NONE;
}

static void result_is_input(struct compiled_draft *d) {
    d->out[0] = 0;
}

static void result_is_constant(struct compiled_draft *d) {
    d->out[0] = 2;
}

static void result_twice(struct compiled_draft *d) {
    d->n_out = 2;
    d->out[1] = 3;
}

static void step_of_own_operand(struct compiled_draft *d) {
    d->steps[0].input = 1;
}

static void step_of_absent_operand(struct compiled_draft *d) {
    d->steps[0].input = 2;
}

static void step_of_no_operand(struct compiled_draft *d) {
    d->steps[0].input = 4;
}

static void step_where_none_can_be(struct compiled_draft *d) {
    d->type = "Relu";
}

static void packed_beyond(struct compiled_draft *d) {
    d->packed_input = 4;
}

static void packed_absent(struct compiled_draft *d) {
    d->packed_input = 2;
}

static void packed_not_constant(struct compiled_draft *d) {
    d->packed_input = 0;
}

static void packed_where_none_can_be(struct compiled_draft *d) {
    d->type = "Concat";
    d->n_steps = 0;
}

static void packed_past_the_data(struct compiled_draft *d) {
    d->packed_bytes = 4096;
}

static void contents_absent(struct compiled_draft *d) {
    d->packed_bytes = 0;
}

static void contents_of_another_operand_absent(struct compiled_draft *d) {
    d->packed_input = 3;
}

static void contents_of_epilogue_absent(struct compiled_draft *d) {
    d->values[1].contents = true;
    d->values[2].contents = false;
    d->packed_input = 3;
}

/* Beyond the operands whose values an operator can say that it looks at. */
static void contents_of_40th_operand_absent(struct compiled_draft *d) {
    d->type = "Concat";
    d->n_steps = 0;
    d->packed_bytes = 0;
    d->n_in = 40;
    for (int i = 0; i < d->n_in; i++) {
        d->in[i] = i < 39 ? 0 : 1;
    }
}

/* The second operand of Reshape is a shape, which infer looks at. */
static void contents_of_shape_absent(struct compiled_draft *d) {
    d->type = "Reshape";
    d->n_steps = 0;
    d->packed_bytes = 0;
    d->n_in = 2;
}

static void output_not_made(struct compiled_draft *d) {
    d->values[4] = d->values[3];
    d->n_values = 5;
    d->output = 4;
}

static void output_without_contents(struct compiled_draft *d) {
    d->output = 1;
}

static void output_channels_last(struct compiled_draft *d) {
    d->values[3].layout = 1;
}

static void output_beyond(struct compiled_draft *d) {
    d->output = 9;
}

static void constant_contents_not_constant(struct compiled_draft *d) {
    d->values[2].constant = false;
}

static void attr_twice(struct compiled_draft *d) {
    for (int i = 0; i < 2; i++) {
        begin_attr(d, "group", FOVEA_ATTR_INT);
        fovea_write_i64(&d->attrs, 1);
    }
}

/* As If has one; there is no graph that it could be. */
static void attr_is_graph(struct compiled_draft *d) {
    begin_attr(d, "body", FOVEA_ATTR_GRAPH);
}

static void opset_too_old(struct compiled_draft *d) {
    d->opset = 6;
}

static void opset_too_new(struct compiled_draft *d) {
    d->opset = 1000;
}

static void graph__that_contradicts_itself__is_refused(void) {
    static const struct {
        void (*change)(struct compiled_draft *d);
        const char *words;
    } cases[] = {
        {input_twice, "input 1 is there twice, or not as it was planned"},
        {input_of_another_type, "input 0 is there twice, or not as it was planned"},
        {input_of_another_shape, "input 0 is there twice, or not as it was planned"},
        {input_not_constant, "input 0 is there twice, or not as it was planned"},
        {input_without_contents, "input 0 is there twice, or not as it was planned"},
        {input_beyond, "an input is value 4; there are 4"},
        {operand_beyond, "node 'node' (Conv): byte "},
        {operand_not_made, "operand 0 is not made by any node before"},
        {result_absent, "a result is value 4294967295; there are 4"},
        {result_is_input, "result 0 is an input, a constant, or made already"},
        {result_is_constant, "result 0 is an input, a constant, or made already"},
        {result_twice, "result 1 is an input, a constant, or made already"},
        {step_of_own_operand, "the epilogue reads operand 1, which is absent or the operator's"},
        {step_of_absent_operand, "the epilogue reads operand 2, which is absent or the operator's"},
        {step_of_no_operand, "the epilogue reads operand 4, which is absent or the operator's"},
        {step_where_none_can_be, "operator Relu has no epilogue"},
        {packed_beyond, "operand 4 cannot be packed weights"},
        {packed_absent, "operand 2 cannot be packed weights"},
        {packed_not_constant, "operand 0 cannot be packed weights"},
        {packed_where_none_can_be, "operand 1 cannot be packed weights"},
        {packed_past_the_data, "packed weights is 4096 bytes at 64 of the data"},
        {contents_absent, "operand 1 is a constant without contents"},
        {contents_of_another_operand_absent, "operand 1 is a constant without contents"},
        {contents_of_epilogue_absent, "operand 3 is a constant without contents"},
        {contents_of_40th_operand_absent, "operand 39 is a constant without contents"},
        {contents_of_shape_absent, "operand 1 is a constant without contents"},
        {output_not_made, "output 0 is made by no node"},
        {output_without_contents, "output 0 is made by no node"},
        {output_channels_last, "output 0 is channels-last"},
        {output_beyond, "an output is value 9; there are 4"},
        {constant_contents_not_constant, "value 'b' has contents, but is not constant"},
        {attr_twice, "attribute 'group' occurs twice"},
        {attr_is_graph, "attribute 'body' is a graph, of which compiled files have none"},
        {opset_too_old, "opset 6 is outside 7 to 25"},
        {opset_too_new, "opset 1000 is outside 7 to 25"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct compiled_draft d;
        compiled_draft_init(&d);
        cases[i].change(&d);
        expect(&d, NULL, FOVEA_ERR_FORMAT, cases[i].words);
    }
}

/* Results of the graph may be its inputs, or constants that have contents. */
static void output__of_no_node__is_taken(void) {
    for (int output = 0; output <= 2; output += 2) {
        struct compiled_draft d;
        struct fovea_model *model;
        struct fovea_error err;
        compiled_draft_init(&d);
        d.output = output;
        CHECK_OK(load(&d, NULL, &model, &err), err);
        CHECK(model && model->graph.outputs[0]->is_output && !model->graph.outputs[0]->producer);
        fovea_model_destroy(model);
    }
}

/* An input that decides shapes is a constant of the plan, and has the contents it was made for. */
static void input__that_decides_shapes__has_contents(void) {
    struct compiled_draft d;
    struct fovea_model *model;
    struct fovea_error err;
    compiled_draft_init(&d);
    d.planned[0].constant = d.values[0].constant = d.values[0].contents = true;
    CHECK_OK(load(&d, NULL, &model, &err), err);
    CHECK(model && fovea_model_input_decides_shapes(model, 0) && model->graph.inputs[0]->t.data);
    fovea_model_destroy(model);
}

static void description__over_max_memory__is_refused(void) {
    struct compiled_draft d;
    struct fovea_load_options options;
    compiled_draft_init(&d);
    fovea_load_options_default(&options);
    options.max_memory = compiled_draft_size(&d) * FOVEA_LIMIT_AMPLIFICATION - 1;
    expect(&d, &options, FOVEA_ERR_LIMIT, "may take 24 times that, over the limit of");
}

static const struct test tests[] = {
    TEST(draft__as_it_is__is_loaded),
    TEST(attrs__of_every_kind__are_kept),
    TEST(description__cut_anywhere__is_refused),
    TEST(graph__that_contradicts_itself__is_refused),
    TEST(output__of_no_node__is_taken),
    TEST(input__that_decides_shapes__has_contents),
    TEST(description__over_max_memory__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}

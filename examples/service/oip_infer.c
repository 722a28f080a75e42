/*
 * An inference request's JSON: one input, at most one output.
 */
#include "oip_infer.h"

#include "json_scan.h"
#include "oip_data.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ID = 1024 };

#define wrong(job, ...) (reply_error(&(job)->reply, 400, __VA_ARGS__), false)

/* Whether `value` is the string `text`, NULs and all. */
static bool is_string(const json_t *value, const char *text) {
    return json_is_string(value) && json_string_length(value) == strlen(text) &&
           memcmp(json_string_value(value), text, strlen(text)) == 0;
}

static bool parse_id(struct job *job, const json_t *root) {
    const json_t *id = json_object_get(root, "id");
    if (!id) {
        return true;
    }
    if (!json_is_string(id)) {
        return wrong(job, "id is not a string");
    }
    size_t size = json_string_length(id);
    if (size > MAX_ID) {
        return wrong(job, "id has %zu bytes; at most %d are taken", size, MAX_ID);
    }
    job->id = malloc(size + 1);
    if (!job->id) {
        reply_error(&job->reply, 500, "out of memory");
        return false;
    }
    memcpy(job->id, json_string_value(id), size + 1);
    job->id_size = size;
    return true;
}

/* The parameters of `owner`: NULL where there are none. */
static bool get_parameters(struct job *job, const json_t *owner, const char *what,
                           const json_t **out) {
    *out = json_object_get(owner, "parameters");
    return !*out || json_is_object(*out) || wrong(job, "parameters of %s are no object", what);
}

static bool get_flag(struct job *job, const json_t *parameters, const char *key, bool *out) {
    const json_t *value = json_object_get(parameters, key);
    if (value && !json_is_boolean(value)) {
        return wrong(job, "parameter %s is not true or false", key);
    }
    *out = value ? json_is_true(value) : *out;
    return true;
}

static bool parse_output(struct job *job, const json_t *output) {
    const json_t *parameters;
    const char *name = engine_output_name(job->engine);
    if (!json_is_object(output)) {
        return wrong(job, "an output is no object");
    }
    if (!is_string(json_object_get(output, "name"), name)) {
        return wrong(job, "the model has one output, whose name is not this output's");
    }
    if (!get_parameters(job, output, "an output", &parameters) ||
        !get_flag(job, parameters, "binary_data", &job->binary_output)) {
        return false;
    }
    const json_t *k = json_object_get(parameters, "classification");
    if (k && (!json_is_integer(k) || json_integer_value(k) < 1)) {
        return wrong(job, "parameter classification is not a number from 1 on");
    }
    size_t classes = engine_classes(job->engine);
    size_t asked = k ? (size_t)json_integer_value(k) : 0;
    job->classification = asked < classes ? asked : classes;
    return true;
}

static bool parse_outputs(struct job *job, const json_t *root) {
    const json_t *parameters, *outputs = json_object_get(root, "outputs");
    if (!get_parameters(job, root, "the request", &parameters) ||
        !get_flag(job, parameters, "binary_data_output", &job->binary_output)) {
        return false;
    }
    if (!outputs) {
        return true;
    }
    if (!json_is_array(outputs)) {
        return wrong(job, "outputs is no array");
    }
    if (json_array_size(outputs) > 1) {
        return wrong(job, "the model has one output, not %zu", json_array_size(outputs));
    }
    return json_array_size(outputs) == 0 || parse_output(job, json_array_get(outputs, 0));
}

/* The images of a shape [n, 3, height, width] in *n; each dimension as the model has it. */
static bool parse_shape(struct job *job, const json_t *shape, size_t *n) {
    const struct engine *engine = job->engine;
    size_t most = engine_max_batch(engine);
    json_int_t want[4] = {0, 3, engine_height(engine), engine_width(engine)};
    if (!json_is_array(shape) || json_array_size(shape) != 4) {
        return wrong(job, "shape is not an array of 4 numbers");
    }
    for (size_t i = 0; i < 4; i++) {
        const json_t *dim = json_array_get(shape, i);
        if (!json_is_integer(dim)) {
            return wrong(job, "shape[%zu] is not a whole number", i);
        }
        json_int_t value = json_integer_value(dim);
        if (i > 0 && value != want[i]) {
            return wrong(job, "shape[%zu] is %lld; the model takes %lld", i, (long long)value,
                         (long long)want[i]);
        }
        if (i == 0 && (value < 1 || value > (json_int_t)most)) {
            return wrong(job, "shape[0] is %lld; 1 to %zu images are taken at once",
                         (long long)value, most);
        }
    }
    *n = (size_t)json_integer_value(json_array_get(shape, 0));
    return true;
}

/* The tensor that follows the JSON; the one input has all of it. */
static bool take_binary(struct job *job, const json_t *size) {
    size_t want = job->n * engine_image_floats(job->engine) * sizeof(float);
    if (!job->has_split) {
        return wrong(job, "binary_data_size without the header Inference-Header-Content-Length");
    }
    if (!json_is_integer(size) || json_integer_value(size) != (json_int_t)want) {
        return wrong(job, "binary_data_size is not the %zu bytes of the shape", want);
    }
    if (job->body_size - job->json_size != want) {
        return wrong(job, "%zu bytes follow the JSON; binary_data_size says %zu",
                     job->body_size - job->json_size, want);
    }
    memcpy(job->images, job->body + job->json_size, want);
    return true;
}

static bool take_data(struct job *job, const json_t *input) {
    const json_t *parameters, *data = json_object_get(input, "data");
    if (!get_parameters(job, input, "an input", &parameters)) {
        return false;
    }
    const json_t *size = json_object_get(parameters, "binary_data_size");
    if (size && data) {
        return wrong(job, "an input has both data and binary_data_size");
    }
    if (size) {
        return take_binary(job, size);
    }
    if (job->has_split && job->json_size != job->body_size) {
        return wrong(job, "bytes follow the JSON that no input's binary_data_size asks for");
    }
    size_t dims[4] = {job->n, 3, (size_t)engine_height(job->engine),
                      (size_t)engine_width(job->engine)};
    const char *what = oip_data_read(data, dims, job->images);
    return !what || wrong(job, "%s", what);
}

static bool parse_inputs(struct job *job, const json_t *root) {
    const json_t *inputs = json_object_get(root, "inputs");
    size_t n = 0;
    if (!json_is_array(inputs)) {
        return wrong(job, "inputs is no array");
    }
    if (json_array_size(inputs) != 1) {
        return wrong(job, "the model has one input, not %zu", json_array_size(inputs));
    }
    const json_t *input = json_array_get(inputs, 0);
    if (!json_is_object(input)) {
        return wrong(job, "an input is no object");
    }
    if (!is_string(json_object_get(input, "name"), engine_input_name(job->engine))) {
        return wrong(job, "the model has one input, whose name is not this input's");
    }
    if (!is_string(json_object_get(input, "datatype"), "FP32")) {
        return wrong(job, "datatype is not FP32");
    }
    return parse_shape(job, json_object_get(input, "shape"), &n) && job_make_room(job, n) &&
           take_data(job, input);
}

/* The most brackets and commas a request for the largest batch has, with room for the rest. */
static const char *scan(const struct job *job, size_t size) {
    const struct engine *engine = job->engine;
    size_t n = engine_max_batch(engine), rows = (size_t)3 * (size_t)(engine_height(engine) + 1);
    return json_scan(job->body, size, n * (rows + 1) + 1000,
                     n * engine_image_floats(engine) + 10000);
}

void oip_prepare(struct job *job) {
    size_t size = job->has_split ? job->json_size : job->body_size;
    json_error_t error;
    const char *what = scan(job, size);
    if (what) {
        (void)wrong(job, "%s", what);
        return;
    }
    json_t *root = json_loadb(job->body ? job->body : "", size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root) {
        (void)wrong(job, "JSON, line %d, column %d: %s", error.line, error.column, error.text);
        return;
    }
    if (!json_is_object(root)) {
        (void)wrong(job, "the request is no JSON object");
    } else if (parse_id(job, root) && parse_outputs(job, root)) {
        (void)parse_inputs(job, root);
    }
    json_decref(root);
}

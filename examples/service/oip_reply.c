/*
 * Logits, or classes, as JSON or as binary tensor data behind it.
 */
#include "oip_reply.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *model_name = "model";

void oip_set_name(const char *name) {
    model_name = name;
}

/* A tensor: its elements as JSON and as bytes, of which one is wanted. */
struct tensor {
    const char *datatype;
    size_t dims[2];
    struct text json, bytes;
};

static bool write_logits(struct job *job, struct tensor *tensor) {
    size_t count = job->n * engine_classes(job->engine);
    tensor->datatype = "FP32";
    tensor->dims[1] = engine_classes(job->engine);
    if (job->binary_output) {
        text_add(&tensor->bytes, job->logits, count * sizeof(float));
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(job->logits[i])) {
            reply_error(&job->reply, 400,
                        "the result has a value that JSON has no number for; ask for binary_data");
            return false;
        }
        text_puts(&tensor->json, i ? "," : "");
        text_float(&tensor->json, job->logits[i]);
    }
    return true;
}

/* "logit:index" or "logit:index:label", as Triton's classification extension has it. */
static void write_class(const struct fovea_result *result, bool binary, struct tensor *tensor) {
    struct text line = {0};
    text_float(&line, result->logit);
    text_printf(&line, ":%d", result->class_index);
    if (result->label) {
        text_puts(&line, ":");
        text_puts(&line, result->label);
    }
    tensor->json.failed |= line.failed;
    if (binary) {
        unsigned char size[4] = {line.size & 0xff, line.size >> 8 & 0xff, line.size >> 16 & 0xff,
                                 line.size >> 24 & 0xff};
        text_add(&tensor->bytes, size, sizeof(size));
        text_add(&tensor->bytes, line.data, line.size);
    } else {
        text_puts(&tensor->json, tensor->json.size ? "," : "");
        text_json(&tensor->json, line.data ? line.data : "", line.size);
    }
    text_finish(&line);
}

static bool write_classes(struct job *job, struct tensor *tensor) {
    size_t k = job->classification, classes = engine_classes(job->engine), n = 0;
    struct fovea_result *results = calloc(k, sizeof(*results));
    struct fovea_error err;
    bool good = results != NULL;
    tensor->datatype = "BYTES";
    tensor->dims[1] = k;
    for (size_t image = 0; good && image < job->n; image++) {
        good = engine_top(job->engine, job->logits + image * classes, k, results, &n, &err) == 0;
        for (size_t i = 0; good && i < n; i++) {
            write_class(&results[i], job->binary_output, tensor);
        }
    }
    free(results);
    if (!good) {
        reply_error(&job->reply, 500, "the model's result is not finite");
    }
    return good;
}

static void write_head(const struct job *job, struct text *body) {
    const char *output = engine_output_name(job->engine);
    text_puts(body, "{\"model_name\":");
    text_json(body, model_name, strlen(model_name));
    text_puts(body, ",\"model_version\":\"1\"");
    if (job->id) {
        text_puts(body, ",\"id\":");
        text_json(body, job->id, job->id_size);
    }
    text_puts(body, ",\"outputs\":[{\"name\":");
    text_json(body, output, strlen(output));
}

void oip_answer(struct job *job) {
    struct tensor tensor = {.dims = {job->n, 0}};
    struct text *body = &job->reply.body;
    bool good = job->classification ? write_classes(job, &tensor) : write_logits(job, &tensor);
    if (!good) {
        goto done;
    }
    write_head(job, body);
    text_printf(body, ",\"datatype\":\"%s\",\"shape\":[%zu,%zu],", tensor.datatype, tensor.dims[0],
                tensor.dims[1]);
    job->reply.status = 200;
    if (job->binary_output) {
        text_printf(body, "\"parameters\":{\"binary_data_size\":%zu}}]}", tensor.bytes.size);
        job->reply.type = "application/octet-stream";
        job->reply.json_size = body->size;
        text_add(body, tensor.bytes.data, tensor.bytes.size);
    } else {
        text_puts(body, "\"data\":[");
        text_add(body, tensor.json.data, tensor.json.size);
        text_puts(body, "]}]}\n");
    }
    body->failed |= tensor.json.failed || tensor.bytes.failed;
done:
    text_finish(&tensor.json);
    text_finish(&tensor.bytes);
}

/* Small models for tests of the loader: see onnx_parts.h. */
#include "tests/onnx_parts.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <string.h>

void onnx_parts_init(struct onnx_parts *parts) {
    const int64_t dims[] = {2, 3};
    memset(parts, 0, sizeof(*parts));
    pb_int(&parts->head, 1, 8);
    onnx_opset(&parts->opsets, "", 17);
    onnx_node(&parts->nodes, "Identity", "copy", "x", "y");
    onnx_value(&parts->inputs, 11, "x", ONNX_FLOAT, 2, dims);
    onnx_value(&parts->outputs, 12, "y", ONNX_FLOAT, 2, dims);
}

void onnx_parts_finish(struct onnx_parts *parts) {
    pb_finish(&parts->head);
    pb_finish(&parts->opsets);
    pb_finish(&parts->nodes);
    pb_finish(&parts->initializers);
    pb_finish(&parts->inputs);
    pb_finish(&parts->outputs);
    pb_finish(&parts->in_graph);
    pb_finish(&parts->tail);
}

static void append(struct pb *to, const struct pb *from) {
    pb_raw(to, from->bytes, from->size);
}

void onnx_parts_encode(const struct onnx_parts *parts, struct pb *out) {
    append(out, &parts->head);
    if (!parts->no_graph) {
        size_t graph = pb_begin(out, 7);
        append(out, &parts->nodes);
        append(out, &parts->initializers);
        append(out, &parts->inputs);
        append(out, &parts->outputs);
        append(out, &parts->in_graph);
        pb_end(out, graph);
    }
    append(out, &parts->opsets);
    append(out, &parts->tail);
}

struct pb *onnx_anew(struct pb *part) {
    pb_finish(part);
    return part;
}

void onnx_opset(struct pb *pb, const char *domain, int64_t version) {
    size_t begin = pb_begin(pb, 8);
    pb_text(pb, 1, domain);
    pb_int(pb, 2, version);
    pb_end(pb, begin);
}

static void names(struct pb *pb, uint32_t field, const char *list) {
    while (*list) {
        size_t length = strcspn(list, ",");
        pb_bytes(pb, field, list, length);
        list += length;
        list += *list == ',';
    }
}

size_t onnx_node_begin(struct pb *pb, const char *type, const char *name, const char *inputs,
                       const char *outputs) {
    size_t begin = pb_begin(pb, 1);
    names(pb, 1, inputs);
    names(pb, 2, outputs);
    pb_text(pb, 3, name);
    pb_text(pb, 4, type);
    return begin;
}

void onnx_node(struct pb *pb, const char *type, const char *name, const char *inputs,
               const char *outputs) {
    pb_end(pb, onnx_node_begin(pb, type, name, inputs, outputs));
}

static void dimension(struct pb *pb, int64_t dim) {
    size_t begin = pb_begin(pb, 1);
    if (dim == -1) {
        pb_text(pb, 2, "N");
    } else {
        pb_int(pb, 1, dim);
    }
    pb_end(pb, begin);
}

void onnx_value(struct pb *pb, uint32_t field, const char *name, int type, int rank,
                const int64_t *dims) {
    size_t value = pb_begin(pb, field);
    pb_text(pb, 1, name);
    size_t type_at = pb_begin(pb, 2);
    size_t tensor = pb_begin(pb, 1);
    pb_int(pb, 1, type);
    size_t shape = pb_begin(pb, 2);
    for (int i = 0; i < rank; i++) {
        dimension(pb, dims[i]);
    }
    pb_end(pb, shape);
    pb_end(pb, tensor);
    pb_end(pb, type_at);
    pb_end(pb, value);
}

size_t onnx_tensor_begin(struct pb *pb, const char *name, int type, int rank, const int64_t *dims) {
    size_t begin = pb_begin(pb, 5);
    for (int i = 0; i < rank; i++) {
        pb_int(pb, 1, dims[i]);
    }
    pb_int(pb, 2, type);
    pb_text(pb, 8, name);
    return begin;
}

enum fovea_status onnx_parts_load(const struct onnx_parts *parts, struct fovea_model **out,
                                  struct fovea_error *err) {
    struct pb pb = {0};
    onnx_parts_encode(parts, &pb);
    const char *path = temp_write("model.onnx", pb.bytes, pb.size);
    pb_finish(&pb);
    return fovea_model_load(path, NULL, out, err);
}

void onnx_expect_bytes(const char *file, int line, const void *bytes, size_t size,
                       enum fovea_status status, const char *words) {
    struct fovea_error err = {0};
    struct fovea_model *model = NULL;
    const char *path = temp_write("model.onnx", bytes, size);
    enum fovea_status got = fovea_model_load(path, NULL, &model, &err);
    if (got == FOVEA_OK) {
        check_failed(file, line, words, "the model was loaded");
        fovea_model_destroy(model);
        return;
    }
    char detail[sizeof(err.message) + 64];
    snprintf(detail, sizeof(detail), "%s: %s", fovea_status_name(got), err.message);
    bool named = strncmp(err.message, path, strlen(path)) == 0;
    if (got != status || got != err.status || !named || !strstr(err.message, words)) {
        check_failed(file, line, words, detail);
    }
}

void onnx_expect(const char *file, int line, struct onnx_parts *parts, enum fovea_status status,
                 const char *words) {
    struct pb pb = {0};
    onnx_parts_encode(parts, &pb);
    onnx_expect_bytes(file, line, pb.bytes, pb.size, status, words);
    pb_finish(&pb);
    onnx_parts_finish(parts);
}

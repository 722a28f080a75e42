/*
 * Loading a model from an .onnx file: map, scan, splice, unpack, convert.
 * Nothing of protobuf remains afterwards but the buffers of some tensors.
 */
#include "loaders/onnx.h"
#include "loaders/mapped_file.h"
#include "loaders/onnx_convert.h"
#include "loaders/onnx_scan.h"
#include "ops/registry.h"
#include "runtime/limits.h"
#include "runtime/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* IR versions 12 and 13 added element types and annotations, nothing that is read here. */
enum { IR_MIN = 3, IR_MAX = 13 };

/* ---- is it ONNX at all? ------------------------------------------------- */

/* A model begins with a field of ModelProto, by any writer the IR version. */
static bool looks_like_onnx(const unsigned char *bytes, size_t length) {
    unsigned number = bytes[0] >> 3, wire = bytes[0] & 7;
    bool varint = number == 1 || number == 5;
    bool bytes_like = (number >= 2 && number <= 4) || (number >= 6 && number <= 8) || number == 14;
    return length > 1 && ((varint && wire == 0) || (bytes_like && wire == 2));
}

static enum fovea_status sniff(const struct fovea_mapping *file, struct fovea_error *err) {
    enum { SHOWN = 8 };
    static const char lfs[] = "version https://git-lfs";
    char text[3 * SHOWN + 1] = "";
    const unsigned char *bytes = file->bytes;
    if (file->length == 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "not an ONNX model (the file is empty)");
    }
    if (looks_like_onnx(bytes, file->length)) {
        return FOVEA_OK;
    }
    if (file->length >= sizeof(lfs) && memcmp(bytes, lfs, sizeof(lfs) - 1) == 0) {
        return fovea_fail(
            err, FOVEA_ERR_FORMAT,
            "not an ONNX model but a Git LFS pointer to one (git lfs pull fetches it)");
    }
    for (size_t i = 0; i < SHOWN && i < file->length; i++) {
        snprintf(text + 3 * i, 4, " %02x", bytes[i]);
    }
    return fovea_fail(err, FOVEA_ERR_FORMAT, "not an ONNX model (first bytes%s)", text);
}

/* ---- versions ----------------------------------------------------------- */

static bool same_domain(const char *a, const char *b) {
    a = strcmp(a, "ai.onnx") == 0 ? "" : a;
    b = strcmp(b, "ai.onnx") == 0 ? "" : b;
    return strcmp(a, b) == 0;
}

static enum fovea_status check_duplicates(const FoveaOnnx__ModelProto *proto,
                                          struct fovea_error *err) {
    enum { MOST = 256 };
    if (proto->n_opset_import > MOST) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu opset imports; the limit is %d",
                          proto->n_opset_import, MOST);
    }
    for (size_t i = 0; i < proto->n_opset_import; i++) {
        const char *domain = fovea_onnx_text(proto->opset_import[i]->domain);
        for (size_t j = 0; j < i; j++) {
            if (same_domain(domain, fovea_onnx_text(proto->opset_import[j]->domain))) {
                return fovea_fail(err, FOVEA_ERR_INVALID, "domain '%s' is imported twice",
                                  fovea_quote(domain).text);
            }
        }
    }
    return FOVEA_OK;
}

/* Imports of other domains are harmless: nodes that use them are named as unsupported. */
static enum fovea_status find_opset(const FoveaOnnx__ModelProto *proto, int *out,
                                    struct fovea_error *err) {
    enum fovea_status st = check_duplicates(proto, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < proto->n_opset_import; i++) {
        const FoveaOnnx__OperatorSetIdProto *import = proto->opset_import[i];
        if (!same_domain(fovea_onnx_text(import->domain), "")) {
            continue;
        }
        if (import->version < FOVEA_OPSET_MIN || import->version > FOVEA_OPSET_MAX) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "opset %lld is outside %d to %d",
                              (long long)import->version, FOVEA_OPSET_MIN, FOVEA_OPSET_MAX);
        }
        *out = (int)import->version;
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "no opset of the domain ai.onnx is imported; %d to %d are supported",
                      FOVEA_OPSET_MIN, FOVEA_OPSET_MAX);
}

static enum fovea_status check_model(const FoveaOnnx__ModelProto *proto, struct fovea_error *err) {
    if (!proto->has_ir_version && !proto->graph) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "not an ONNX model (no IR version, no graph)");
    }
    if (!proto->has_ir_version) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "no IR version is given; %d to %d are supported",
                          IR_MIN, IR_MAX);
    }
    if (proto->ir_version < IR_MIN || proto->ir_version > IR_MAX) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "IR version %lld is outside %d to %d",
                          (long long)proto->ir_version, IR_MIN, IR_MAX);
    }
    if (!proto->graph) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the model has no graph");
    }
    if (proto->n_functions > 0) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "model-local functions are not supported; the first is '%s'",
                          fovea_quote(fovea_onnx_text(proto->functions[0]->name)).text);
    }
    return FOVEA_OK;
}

/* ---- what a model says about itself ------------------------------------- */

static char *copy_text(struct fovea_arena *arena, const char *text) {
    text = fovea_onnx_text(text);
    return fovea_arena_copy_text(arena, text, strlen(text));
}

static bool copy_producer(struct fovea_model *model, const FoveaOnnx__ModelProto *proto) {
    const char *name = fovea_onnx_text(proto->producer_name);
    const char *version = fovea_onnx_text(proto->producer_version);
    size_t length = strlen(name) + strlen(version) + 1;
    char *text = fovea_arena_alloc(&model->graph.arena, length + 1, 1);
    if (text) {
        snprintf(text, length + 1, "%s%s%s", name, name[0] && version[0] ? " " : "", version);
    }
    model->producer = text;
    return text;
}

static bool copy_metadata(struct fovea_model *model, const FoveaOnnx__ModelProto *proto) {
    struct fovea_arena *arena = &model->graph.arena;
    model->metadata = fovea_arena_alloc(arena, proto->n_metadata_props, sizeof(*model->metadata));
    if (!model->metadata) {
        return false;
    }
    for (size_t i = 0; i < proto->n_metadata_props; i++) {
        struct fovea_metadata *entry = &model->metadata[i];
        entry->key = copy_text(arena, proto->metadata_props[i]->key);
        entry->value = copy_text(arena, proto->metadata_props[i]->value);
        if (!entry->key || !entry->value) {
            return false;
        }
        model->n_metadata++;
    }
    return true;
}

/* ---- loading ------------------------------------------------------------ */

static enum fovea_status convert(struct fovea_onnx_loader *loader, FoveaOnnx__ModelProto *proto,
                                 struct fovea_error *err) {
    struct fovea_model *model = loader->model;
    enum fovea_status st = check_model(proto, err);
    if (!st) {
        st = find_opset(proto, &loader->opset, err);
    }
    if (st) {
        return st;
    }
    fovea_graph_init(&model->graph, fovea_op_find, loader->opset);
    model->ir_version = proto->ir_version;
    if (!copy_producer(model, proto) || !copy_metadata(model, proto)) {
        return fovea_fail_memory(err, sizeof(*model->metadata), "metadata");
    }
    return fovea_onnx_graph(loader, proto->graph, err);
}

/* `splice` is filled in, or stays zero if everything is unpacked. */
static enum fovea_status unpack(const struct fovea_mapping *file, size_t max_memory,
                                struct fovea_onnx_splice *splice, FoveaOnnx__ModelProto **out,
                                struct fovea_error *err) {
    struct fovea_onnx_scan scan;
    enum fovea_status st = sniff(file, err);
    if (!st) {
        st = fovea_onnx_scan(file->bytes, file->length, &fovea_onnx__model_proto__descriptor,
                             max_memory, &scan, err);
    }
    if (!st && scan.mapped > 0) {
        st = fovea_onnx_splice(file->bytes, file->length, &scan, splice, err);
    }
    if (st) {
        return st;
    }
    bool spliced = scan.mapped > 0;
    *out = fovea_onnx__model_proto__unpack(&fovea_onnx_allocator,
                                           spliced ? splice->size : file->length,
                                           spliced ? splice->bytes : file->bytes);
    /* The scan has checked the bytes; memory is all that can be lacking. */
    return *out ? FOVEA_OK : fovea_fail_memory(err, scan.unpack_bytes, "unpacking the model");
}

static void finish_loader(struct fovea_onnx_loader *loader) {
    free(loader->files);
    if (loader->folder >= 0) {
        close(loader->folder);
    }
}

static enum fovea_status load(struct fovea_model *model, struct fovea_mapping *file,
                              const struct fovea_load_options *options, struct fovea_error *err) {
    struct fovea_onnx_loader loader = {
        .model = model,
        .allow_external_links = options->allow_external_links,
        .max_memory = options->max_memory ? options->max_memory : fovea_default_memory_limit(),
        .file = *file,
        .folder = -1,
        .progress = {options->progress, options->progress_context},
    };
    struct fovea_onnx_splice splice = {0};
    FoveaOnnx__ModelProto *proto = NULL;
    enum fovea_status st = fovea_model_add_source(model, "", &loader.file.id, err);
    if (!st) {
        st = fovea_progress_tell(&loader.progress, FOVEA_PHASE_READ, 0, err);
    }
    if (!st) {
        st = unpack(&loader.file, loader.max_memory, &splice, &proto, err);
    }
    if (!st && splice.n_contents > 0) {
        loader.contents = &splice;
        st = fovea_model_take_mapping(model, &loader.file, err);
    }
    if (st || !loader.contents) {
        fovea_mapping_finish(&loader.file);
    }
    if (!st) {
        st = convert(&loader, proto, err);
    }
    fovea_onnx__model_proto__free_unpacked(proto, &fovea_onnx_allocator);
    fovea_onnx_splice_finish(&splice);
    finish_loader(&loader);
    *file = (struct fovea_mapping){0};
    return st;
}

static enum fovea_status make(const char *name, struct fovea_mapping *file, bool placeless,
                              const struct fovea_load_options *options, struct fovea_model **out,
                              struct fovea_error *err) {
    struct fovea_model *model;
    enum fovea_status st = fovea_model_create(name, &model, err);
    if (st) {
        fovea_mapping_finish(file);
        return st;
    }
    model->placeless = placeless;
    st = load(model, file, options, err);
    if (st) {
        fovea_model_destroy(model);
        return st;
    }
    *out = model;
    return FOVEA_OK;
}

enum fovea_status fovea_onnx_load(const char *path, const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err) {
    struct fovea_mapping file;
    enum fovea_status st = fovea_file_map(path, FOVEA_LIMIT_PROTOBUF_BYTES, &file, err);
    if (!st) {
        st = make(path, &file, false, options, out, err);
    }
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}

enum fovea_status fovea_onnx_read(const char *name, struct fovea_mapping *file,
                                  const struct fovea_load_options *options,
                                  struct fovea_model **out, struct fovea_error *err) {
    enum fovea_status st;
    if (file->length > FOVEA_LIMIT_PROTOBUF_BYTES) {
        st = fovea_fail(err, FOVEA_ERR_LIMIT, "the model has %zu bytes; the limit is %llu",
                        file->length, (unsigned long long)FOVEA_LIMIT_PROTOBUF_BYTES);
        fovea_mapping_finish(file);
    } else {
        st = make(name, file, true, options, out, err);
    }
    if (st) {
        fovea_error_prefix(err, "%s", name);
    }
    return st;
}

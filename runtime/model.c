/* Models: lifetime and getters. See model.h and fovea.h. */
#include "runtime/model.h"

#include "runtime/bind.h"
#include "runtime/compiled.h"
#include "runtime/store.h"
#include "runtime/subgraph.h"

#include <stdlib.h>
#include <string.h>

enum fovea_status fovea_model_create(const char *path, struct fovea_model **out,
                                     struct fovea_error *err) {
    struct fovea_model *model = calloc(1, sizeof(*model));
    if (!model) {
        return fovea_fail_memory(err, sizeof(*model), "a model");
    }
    model->path = strdup(path);
    if (!model->path) {
        free(model);
        return fovea_fail_memory(err, strlen(path) + 1, "a model's path");
    }
    enum fovea_status st = fovea_store_create(&model->store, err);
    if (st) {
        fovea_model_destroy(model);
        return st;
    }
    *out = model;
    return FOVEA_OK;
}

void fovea_model_set_allocator(struct fovea_model *model, const struct fovea_allocator *allocator) {
    if (allocator) {
        model->allocator = *allocator;
        fovea_store_set_allocator(model->store, allocator);
    }
}

enum fovea_status fovea_model_take_buffer(struct fovea_model *model, void *buffer,
                                          struct fovea_error *err) {
    /* Room doubles: it is used up when the count is a power of two. */
    if ((model->n_buffers & (model->n_buffers - 1)) == 0) {
        size_t bytes = (model->n_buffers ? model->n_buffers * 2 : 1) * sizeof(*model->buffers);
        void **buffers = realloc(model->buffers, bytes);
        if (!buffers) {
            return fovea_fail_memory(err, bytes, "a model's buffers");
        }
        model->buffers = buffers;
    }
    model->buffers[model->n_buffers++] = buffer;
    return FOVEA_OK;
}

enum fovea_status fovea_model_take_mapping(struct fovea_model *model,
                                           const struct fovea_mapping *mapping,
                                           struct fovea_error *err) {
    size_t bytes = (model->n_mappings + 1) * sizeof(*model->mappings);
    struct fovea_mapping *mappings = realloc(model->mappings, bytes);
    if (!mappings) {
        return fovea_fail_memory(err, bytes, "a mapping");
    }
    model->mappings = mappings;
    mappings[model->n_mappings++] = *mapping;
    return FOVEA_OK;
}

void fovea_model_forget_files(const struct fovea_model *model) {
    for (size_t i = 0; i < model->n_mappings; i++) {
        const struct fovea_mapping *mapping = &model->mappings[i];
        fovea_mapping_forget(mapping, mapping->bytes, mapping->length);
    }
}

enum fovea_status fovea_model_add_source(struct fovea_model *model, const char *location,
                                         const struct fovea_file_id *id, struct fovea_error *err) {
    size_t bytes = (model->n_sources + 1) * sizeof(*model->sources);
    struct fovea_source *sources = realloc(model->sources, bytes);
    char *copy = strdup(location);
    if (sources) {
        model->sources = sources;
    }
    if (!sources || !copy) {
        free(copy);
        return fovea_fail_memory(err, bytes, "a model's files");
    }
    sources[model->n_sources++] = (struct fovea_source){copy, *id};
    return FOVEA_OK;
}

static void free_sources(struct fovea_model *model) {
    for (size_t i = 0; i < model->n_sources; i++) {
        free((char *)model->sources[i].location);
    }
    free(model->sources);
}

void fovea_model_destroy(struct fovea_model *model) {
    if (!model) {
        return;
    }
    fovea_store_destroy(model->store);
    fovea_graph_finish(&model->graph);
    fovea_subgraphs_destroy(model->subgraphs);
    for (size_t i = 0; i < model->n_mappings; i++) {
        fovea_mapping_finish(&model->mappings[i]);
    }
    free(model->mappings);
    for (size_t i = 0; i < model->n_buffers; i++) {
        free(model->buffers[i]);
    }
    free(model->buffers);
    free_sources(model);
    fovea_compiled_destroy(model->compiled);
    free(model->note);
    free((char *)model->path);
    free(model);
}

size_t fovea_model_n_inputs(const struct fovea_model *model) {
    return model->graph.n_inputs;
}

size_t fovea_model_n_outputs(const struct fovea_model *model) {
    return model->graph.n_outputs;
}

const struct fovea_io *fovea_model_get_input(const struct fovea_model *model, size_t index) {
    return index < model->graph.n_inputs ? &model->inputs[index] : NULL;
}

const struct fovea_io *fovea_model_get_output(const struct fovea_model *model, size_t index) {
    return index < model->graph.n_outputs ? &model->outputs[index] : NULL;
}

const char *fovea_model_get_metadata(const struct fovea_model *model, const char *key) {
    for (size_t i = 0; i < model->n_metadata; i++) {
        if (strcmp(model->metadata[i].key, key) == 0) {
            return model->metadata[i].value;
        }
    }
    return NULL;
}

bool fovea_model_input_decides_shapes(const struct fovea_model *model, size_t index) {
    const struct fovea_node *node;
    bool decides;
    /* Without memory to find out it may decide; a session then says that there is none. */
    return index < model->graph.n_inputs &&
           (fovea_bind_find_decision(model, index, &decides, &node, NULL) || decides);
}

const struct fovea_tensor *fovea_model_get_planned_input(const struct fovea_model *model,
                                                         size_t index) {
    return model->planned_inputs && index < model->graph.n_inputs ? &model->planned_inputs[index]
                                                                  : NULL;
}

int64_t fovea_model_planned_dim(const struct fovea_model *model, size_t index, int d) {
    const struct fovea_tensor *planned = fovea_model_get_planned_input(model, index);
    return planned && d < planned->rank ? planned->dims[d] : 0;
}

const char *fovea_model_get_note(const struct fovea_model *model) {
    return model->note;
}

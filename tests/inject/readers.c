/* See readers.h: loaders of models, checkpoints, datasets, labels, recipes, results. */
#include "tests/inject/readers.h"

#include "evaluation/predictions.h"
#include "loaders/arch_config.h"
#include "loaders/checkpoint.h"
#include "loaders/dataset.h"
#include "loaders/file.h"
#include "loaders/json_label_lists.h"
#include "loaders/label_map.h"
#include "loaders/labels.h"
#include "loaders/mapped_file.h"
#include "loaders/npy.h"
#include "loaders/preprocess.h"
#include "loaders/recipe_file.h"
#include "loaders/tensor_pb.h"
#include "runtime/checksum.h"
#include "runtime/model.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 16 << 20, SIDE = 12, CLASSES = 10, MOST_IMAGES = 4, MOST_BYTES = 1 << 20 };

static void add(uint64_t *sum, const void *bytes, size_t size) {
    *sum = *sum * 31 + fovea_checksum(bytes, size);
}

static void add_text(uint64_t *sum, const char *text) {
    add(sum, text ? text : "", text ? strlen(text) : 0);
}

static void add_tensor(uint64_t *sum, const struct fovea_tensor *t) {
    add_text(sum, fovea_shape_text(t).text);
    add(sum, t->data, fovea_tensor_bytes(t));
}

static void add_checkpoint(uint64_t *sum, const struct fovea_checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->dict.count; i++) {
        add_text(sum, checkpoint->dict.entries[i].name);
        add_tensor(sum, &checkpoint->dict.entries[i].t);
    }
}

static enum fovea_status read_checkpoint(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_checkpoint checkpoint;
    enum fovea_status st = fovea_checkpoint_load(path, MEMORY, false, &checkpoint, err);
    if (!st) {
        add_checkpoint(sum, &checkpoint);
        fovea_checkpoint_finish(&checkpoint);
    }
    return st;
}

/* Away from where it lies, as what a caller has in memory. */
static enum fovea_status read_alone(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_checkpoint checkpoint;
    struct fovea_mapping file;
    enum fovea_status st = fovea_file_map(path, MEMORY, &file, err);
    st = st ? st : fovea_checkpoint_read("memory", &file, MEMORY, &checkpoint, err);
    if (!st) {
        add_checkpoint(sum, &checkpoint);
        fovea_checkpoint_finish(&checkpoint);
    }
    return st;
}

static enum fovea_status read_npy(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_tensor t;
    enum fovea_status st = fovea_tensor_load_npy(path, &t, err);
    if (!st) {
        add_tensor(sum, &t);
        free(t.data);
    }
    return st;
}

/* And writes it again, where it may be read back. */
static enum fovea_status read_tensor(const char *path, uint64_t *sum, struct fovea_error *err) {
    char again[512], *name;
    struct fovea_tensor t;
    enum fovea_status st = fovea_tensor_load_pb(path, &t, &name, err);
    if (st) {
        return st;
    }
    snprintf(again, sizeof(again), "%s.again", path);
    st = fovea_tensor_save_pb(again, &t, name, err);
    add_tensor(sum, &t);
    add_text(sum, name);
    free(t.data);
    free(name);
    return st;
}

static enum fovea_status read_model(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_model *model;
    enum fovea_status st = fovea_model_load(path, NULL, &model, err);
    if (st) {
        return st;
    }
    for (const struct fovea_node *node = model->graph.first; node; node = node->next) {
        add_text(sum, node->name);
        for (int i = 0; i < node->n_in; i++) {
            /* Of a compiled file, packed weights have no contents beside them. */
            if (node->in[i] && node->in[i]->constant && node->in[i]->t.data) {
                add_tensor(sum, &node->in[i]->t);
            }
        }
    }
    fovea_model_destroy(model);
    return FOVEA_OK;
}

static enum fovea_status add_dataset(uint64_t *sum, const struct fovea_dataset *set,
                                     struct fovea_error *err) {
    for (size_t i = 0; i < set->n_images; i++) {
        add_text(sum, set->images[i].path);
        add(sum, set->labels + set->images[i].first_label,
            set->images[i].n_labels * sizeof(*set->labels));
    }
    for (size_t i = 0; i < set->n_classes; i++) {
        add_text(sum, set->classes[i].name);
    }
    add_text(sum, set->ignored);
    add_text(sum, set->repeated);
    for (size_t i = 0; i < set->n_images && i < MOST_IMAGES; i++) {
        uint8_t *bytes;
        size_t size;
        enum fovea_image_fault fault;
        enum fovea_status st = fovea_dataset_read(set, i, &bytes, &size, &fault, err);
        if (st == FOVEA_ERR_MEMORY || (st && fault == FOVEA_IMAGE_UNREADABLE)) {
            return st;
        }
        if (!st) {
            add(sum, bytes, size);
            free(bytes);
        }
    }
    return FOVEA_OK;
}

enum fovea_status readers_read_set(const char *path, const struct fovea_dataset_options *options,
                                   uint64_t *sum, struct fovea_error *err) {
    struct fovea_dataset set;
    enum fovea_status st = fovea_dataset_load(path, options, &set, err);
    if (!st) {
        st = add_dataset(sum, &set, err);
        fovea_dataset_finish(&set);
    }
    return st;
}

static enum fovea_status read_dataset(const char *path, uint64_t *sum, struct fovea_error *err) {
    return readers_read_set(path, NULL, sum, err);
}

const char *readers_folder;

static enum fovea_status read_truth(const char *path, uint64_t *sum, struct fovea_error *err) {
    const struct fovea_dataset_options options = {.truth = path};
    return readers_read_set(readers_folder, &options, sum, err);
}

static enum fovea_status read_map(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_label_map map;
    enum fovea_status st = fovea_label_map_load(path, &map, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < map.count; i++) {
        add_text(sum, map.pairs[i].from);
        add_text(sum, map.pairs[i].to);
    }
    fovea_label_map_finish(&map);
    return FOVEA_OK;
}

static enum fovea_status read_lists(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_label_lists lists;
    enum fovea_status st = fovea_label_lists_load(path, CLASSES, &lists, err);
    if (!st) {
        add(sum, lists.first, (lists.n_lists + 1) * sizeof(*lists.first));
        add(sum, lists.labels, lists.first[lists.n_lists] * sizeof(*lists.labels));
        fovea_label_lists_finish(&lists);
    }
    return st;
}

static enum fovea_status read_names(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_labels labels;
    enum fovea_status st = fovea_labels_load(NULL, path, &labels, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < labels.count; i++) {
        add_text(sum, fovea_labels_get(&labels, (int64_t)i));
    }
    fovea_labels_finish(&labels);
    return FOVEA_OK;
}

static enum fovea_status read_recipe(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_recipe recipe;
    enum fovea_status st = fovea_recipe_load(path, FOVEA_FROM_FILE, &recipe, err);
    if (!st) {
        add_text(sum, fovea_recipe_digest(&recipe).text);
    }
    return st;
}

static enum fovea_status read_config(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_recipe recipe;
    uint8_t *bytes;
    size_t size;
    enum fovea_status st = fovea_file_read(path, MOST_BYTES, &bytes, &size, NULL, err);
    if (st) {
        return st;
    }
    st = fovea_recipe_parse_config((char *)bytes, size, FOVEA_FROM_CONFIG, &recipe, err);
    if (!st) {
        add_text(sum, fovea_recipe_digest(&recipe).text);
    }
    free(bytes);
    return st;
}

static enum fovea_status read_hints(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_arch_hints hints = {0};
    uint8_t *bytes;
    size_t size;
    enum fovea_status st = fovea_file_read(path, MOST_BYTES, &bytes, &size, NULL, err);
    if (st) {
        return st;
    }
    st = fovea_arch_config_parse((char *)bytes, size, &hints, err);
    if (!st) {
        add(sum, &hints.heads, sizeof(hints.heads));
        add(sum, &hints.norm_eps, sizeof(hints.norm_eps));
    }
    free(bytes);
    return st;
}

static enum fovea_status read_predictions(const char *path, uint64_t *sum,
                                          struct fovea_error *err) {
    struct eval_predictions predictions;
    enum fovea_status st = eval_predictions_load(path, &predictions, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < predictions.n; i++) {
        add_text(sum, predictions.rows[i].path);
        add(sum, &predictions.rows[i].pred, sizeof(predictions.rows[i].pred));
    }
    eval_predictions_finish(&predictions);
    return FOVEA_OK;
}

static enum fovea_status read_jpeg(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct fovea_recipe recipe;
    float pixels[3 * SIDE * SIDE];
    uint8_t *bytes;
    size_t size;
    enum fovea_status st = fovea_file_read(path, MOST_BYTES, &bytes, &size, NULL, err);
    if (st) {
        return st;
    }
    st = fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &recipe, err);
    recipe.width = recipe.height = SIDE;
    st = st ? st : fovea_preprocess_jpeg(&recipe, NULL, bytes, size, pixels, NULL, err);
    if (!st) {
        add(sum, pixels, sizeof(pixels));
    }
    free(bytes);
    return st;
}

/* As tests/fuzz has them. */
static const struct reader labels[4] = {
    {"map", read_map, NULL, false},
    {"lists", read_lists, NULL, false},
    {"truth", read_truth, NULL, false},
    {"names", read_names, NULL, false},
};
static const struct reader configs[4] = {
    {"recipe", read_recipe, NULL, false},
    {"config", read_config, NULL, false},
    {"hints", read_hints, NULL, false},
    {"recipe", read_recipe, NULL, false},
};

const struct reader readers[] = {
    {"alone", read_alone, NULL, false},
    {"checkpoint", read_checkpoint, NULL, false},
    {"checkpoints", read_checkpoint, NULL, true},
    {"dataset", read_dataset, NULL, false},
    {"jpeg", read_jpeg, NULL, false},
    {"labels", NULL, labels, false},
    {"model", read_model, NULL, true},
    {"npy", read_npy, NULL, false},
    {"predictions", read_predictions, NULL, false},
    {"recipe", NULL, configs, false},
    {"tensor", read_tensor, NULL, false},
    {NULL, NULL, NULL, false},
};

/* The position embeddings of a ViT as a constant of its graph, for the grid it is to have. */
#include "loaders/arch.h"

#include "runtime/session.h"
#include "runtime/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct fovea_value *fail(struct fovea_arch_builder *b, enum fovea_status status) {
    b->status = status;
    return NULL;
}

/*
 * A table of `rows` positions as b->positions, without memory so far. Not of more bytes than the
 * limit: a small file, or an option, can ask for a large one.
 */
static enum fovea_status add_table(struct fovea_arch_builder *b, const struct fovea_vit_config *c,
                                   int64_t rows) {
    const int64_t dims[] = {1, rows, c->width};
    struct fovea_tensor table = {0};
    fovea_tensor_set_shape(&table, FOVEA_F32, 3, dims);
    size_t limit = b->max_memory ? b->max_memory : fovea_default_memory_limit();
    enum fovea_status status = fovea_tensor_check_shape(&table, b->err);
    if (!status && fovea_tensor_bytes(&table) > limit) {
        status = fovea_fail(b->err, FOVEA_ERR_LIMIT,
                            "position embeddings for %lldx%lld patches take %zu bytes; the memory "
                            "limit is %zu",
                            (long long)c->grid_h, (long long)c->grid_w, fovea_tensor_bytes(&table),
                            limit);
    }
    if (status) {
        return status;
    }
    b->positions = fovea_graph_add_value(&b->model->graph, NULL);
    if (!b->positions) {
        return fovea_fail_memory(b->err, sizeof(*b->positions), "position embeddings");
    }
    b->positions->t = table;
    fovea_value_set_constant(b->positions, NULL, false);
    return FOVEA_OK;
}

/* `before` rows as they are, then those of the new grid. */
static enum fovea_status fill(const struct fovea_vit_config *c, const float *table, int64_t before,
                              float *out, struct fovea_error *err) {
    int64_t skip = before * c->width;
    memcpy(out, table, (size_t)skip * sizeof(*out));
    return fovea_positions_resample(c->resampling, table + skip, c->table_side, c->table_side,
                                    c->grid_h, c->grid_w, c->width, out + skip, err);
}

/* From the table of the checkpoint, which is not the one of the network. */
static enum fovea_status resample(const struct fovea_vit_config *c, const struct fovea_value *table,
                                  int64_t before, float *out, struct fovea_error *err) {
    size_t count = (size_t)fovea_tensor_count(&table->t);
    float *numbers = malloc(count * sizeof(*numbers) + 1);
    if (!numbers) {
        return fovea_fail_memory(err, count * sizeof(*numbers), "position embeddings");
    }
    fovea_convert(table->t.dtype, table->t.data, FOVEA_F32, numbers, (int64_t)count);
    enum fovea_status status = fill(c, numbers, before, out, err);
    free(numbers);
    return status;
}

/*
 * "sincos2d" of big_vision, after Chen, Xie, He 2021 (MoCo v3): sines and
 * cosines of the column, then of the row, times 10000^-(k / (D/4 - 1)).
 */
static void compute(const struct fovea_vit_config *c, float *row) {
    const int64_t quarter = c->width / 4;
    for (int64_t i = 0; i < c->positions; i++, row += c->width) {
        int64_t column = i % c->grid_w, line = i / c->grid_w;
        double x = (double)column, y = (double)line;
        for (int64_t k = 0; k < quarter; k++) {
            double omega = pow(10000, -(double)k / (double)(quarter - 1));
            row[k] = (float)sin(x * omega);
            row[quarter + k] = (float)cos(x * omega);
            row[2 * quarter + k] = (float)sin(y * omega);
            row[3 * quarter + k] = (float)cos(y * omega);
        }
    }
}

/* Rows of the table in the checkpoint that are not for the image's tokens. */
static int64_t rows_before(const struct fovea_vit_config *c) {
    int64_t side = c->table_side;
    return c->sincos ? 0 : c->positions - (side ? side * side : c->grid_h * c->grid_w);
}

struct fovea_value *fovea_arch_positions(struct fovea_arch_builder *b,
                                         const struct fovea_vit_config *config, int64_t *before) {
    const int64_t dims[] = {1, config->positions, config->width};
    *before = rows_before(config);
    if (!config->sincos) {
        b->table = fovea_arch_tensor(b, "pos_embed", 3, dims);
        if (!config->table_side || !b->table || !b->table->t.data) {
            return b->table;
        }
    }
    enum fovea_status status =
        b->status ? b->status : add_table(b, config, *before + config->grid_h * config->grid_w);
    return status ? fail(b, status) : b->positions;
}

enum fovea_status fovea_arch_positions_fill(struct fovea_arch_builder *b,
                                            const struct fovea_vit_config *config) {
    if (!b->positions) {
        return FOVEA_OK;
    }
    size_t bytes = fovea_tensor_bytes(&b->positions->t);
    float *rows = fovea_aligned_alloc(bytes);
    if (!rows) {
        return fovea_fail_memory(b->err, bytes, "position embeddings");
    }
    fovea_value_set_constant(b->positions, rows, true);
    if (config->sincos) {
        compute(config, rows);
        return FOVEA_OK;
    }
    return resample(config, b->table, rows_before(config), rows, b->err);
}

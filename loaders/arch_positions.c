/* The position embeddings of a ViT as a constant of its graph, for the grid it is to have. */
#include "loaders/arch.h"

#include "runtime/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct fovea_value *fail(struct fovea_arch_builder *b, enum fovea_status status) {
    b->status = status;
    return NULL;
}

/* `before` rows as they are, then those of the new grid. */
static enum fovea_status fill(const struct fovea_vit_config *c, const float *table, int64_t before,
                              float *out, struct fovea_error *err) {
    int64_t skip = before * c->width;
    memcpy(out, table, (size_t)skip * sizeof(*out));
    return fovea_positions_resample(c->resampling, table + skip, c->table_side, c->table_side,
                                    c->grid_h, c->grid_w, c->width, out + skip, err);
}

static struct fovea_value *resample(struct fovea_arch_builder *b, const struct fovea_vit_config *c,
                                    const struct fovea_value *table, int64_t before) {
    const int64_t dims[] = {1, before + c->grid_h * c->grid_w, c->width};
    struct fovea_value *out = NULL;
    size_t count = (size_t)fovea_tensor_count(&table->t);
    float *numbers = malloc(count * sizeof(*numbers) + 1);
    if (!numbers) {
        return fail(b, fovea_fail_memory(b->err, count * sizeof(*numbers), "position embeddings"));
    }
    fovea_convert(table->t.dtype, table->t.data, FOVEA_F32, numbers, (int64_t)count);
    enum fovea_status status =
        fovea_graph_add_constant(&b->model->graph, FOVEA_F32, 3, dims, &out, b->err);
    if (!status) {
        status = fill(c, numbers, before, out->t.data, b->err);
    }
    free(numbers);
    return status ? fail(b, status) : out;
}

/*
 * "sincos2d" of big_vision, after Chen, Xie, He 2021 (MoCo v3): sines and
 * cosines of the column, then of the row, times 10000^-(k / (D/4 - 1)).
 */
static struct fovea_value *compute(struct fovea_arch_builder *b, const struct fovea_vit_config *c) {
    const int64_t dims[] = {1, c->positions, c->width}, quarter = c->width / 4;
    struct fovea_value *out = NULL;
    enum fovea_status status =
        fovea_graph_add_constant(&b->model->graph, FOVEA_F32, 3, dims, &out, b->err);
    if (status) {
        return fail(b, status);
    }
    float *row = out->t.data;
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
    return out;
}

struct fovea_value *fovea_arch_positions(struct fovea_arch_builder *b,
                                         const struct fovea_vit_config *config, int64_t *before) {
    const int64_t dims[] = {1, config->positions, config->width};
    int64_t side = config->table_side;
    if (config->sincos) {
        *before = 0;
        return b->status ? NULL : compute(b, config);
    }
    struct fovea_value *table = fovea_arch_tensor(b, "pos_embed", 3, dims);
    *before = config->positions - (side ? side * side : config->grid_h * config->grid_w);
    return side && table && table->t.data ? resample(b, config, table, *before) : table;
}

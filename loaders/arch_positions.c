/* The position embeddings of a ViT as a constant of its graph, for the grid it is to have. */
#include "loaders/arch.h"

#include "runtime/tensor.h"

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

struct fovea_value *fovea_arch_positions(struct fovea_arch_builder *b,
                                         const struct fovea_vit_config *config, int64_t *before) {
    const int64_t dims[] = {1, config->positions, config->width};
    int64_t side = config->table_side;
    struct fovea_value *table = fovea_arch_tensor(b, "pos_embed", 3, dims);
    *before = config->positions - (side ? side * side : config->grid_h * config->grid_w);
    return side && table && table->t.data ? resample(b, config, table, *before) : table;
}

/*
 * See resize_tf.h. Sources: TensorFlow's resize_bicubic_op.cc,
 * resize_bilinear_op.cc, resize_area_op.cc and image_resizer_state.h (2.x);
 * the algorithms, not their code. All of it relies on floats being neither
 * widened nor contracted, as meson.build asks of the compiler.
 *
 * One output row at a time, from rows of 3 * width floats:
 *
 *     bicubic   4 input rows --down--> one row --across--> output row
 *     bilinear  2 input rows --across--> 2 rows --down--> output row
 *     area      n input rows --across, summed down--> output row
 */
#include "loaders/resize_tf.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE = 1024 }; /* steps of the bicubic table between two samples */

/* What one output sample is made of. */
struct sample {
    int first;        /* bicubic, bilinear: the input samples index[]; area: first .. first + n - 1,
                         which may reach over the end, where the last sample counts again */
    int n;            /* area only */
    int index[4];     /* bicubic: 4; bilinear: 2 */
    float weight[4];  /* bicubic */
    float lerp;       /* bilinear: of index[1] against index[0] */
    float head, tail; /* area: weights of the first and the last; those between have 1 */
};

struct axis {
    float scale; /* input samples an output sample */
    int in_size;
    struct sample *samples; /* [of the window] */
};

static int bound(int64_t index, int size) {
    return index < 0 ? 0 : index > size - 1 ? size - 1 : (int)index;
}

/* ---- bicubic -------------------------------------------------------------- */

/*
 * Keys' cubic with a = -0.5 at `step` / TABLE: the sample at that distance if
 * `near`, else the one a whole sample further. Doubles rounded once, to f32.
 */
static float cubic(int step, bool near) {
    const double a = -0.5;
    float x = (float)(step * 1.0 / TABLE);
    if (near) {
        return (float)(((a + 2) * x - (a + 3)) * x * x + 1);
    }
    x += 1.0F;
    return (float)(((a * x - 5 * a) * x + 8 * a) * x - 4 * a);
}

/* The place of output sample `i` among the input samples. */
static float place(int i, float scale) {
    return ((float)i + 0.5F) * scale - 0.5F;
}

/* Samples outside the image weigh nothing, and the others make up for it. */
static void weigh_bicubic(const struct axis *axis, int i, struct sample *s) {
    float at = place(i, axis->scale);
    int64_t floor_at = (int64_t)floorf(at);
    int step = (int)lrintf((at - (float)floor_at) * TABLE);
    const float weights[4] = {cubic(step, false), cubic(step, true), cubic(TABLE - step, true),
                              cubic(TABLE - step, false)};
    float sum = 0;
    for (int t = 0; t < 4; t++) {
        int64_t index = floor_at - 1 + t;
        s->index[t] = bound(index, axis->in_size);
        s->weight[t] = s->index[t] == index ? weights[t] : 0.0F;
        sum += s->weight[t];
    }
    if (fabsf(sum) >= 1000.0F * FLT_MIN) {
        float inverse = 1.0F / sum;
        for (int t = 0; t < 4; t++) {
            s->weight[t] *= inverse;
        }
    }
}

static void bicubic_row(const struct fovea_image *in, const struct sample *down,
                        const struct sample *across, int width, float *scratch, float *out) {
    size_t n = (size_t)in->width * 3;
    const uint8_t *rows[4];
    for (int t = 0; t < 4; t++) {
        rows[t] = in->rgb + (size_t)down->index[t] * n;
    }
    for (size_t i = 0; i < n; i++) {
        scratch[i] = (float)rows[0][i] * down->weight[0] + (float)rows[1][i] * down->weight[1] +
                     (float)rows[2][i] * down->weight[2] + (float)rows[3][i] * down->weight[3];
    }
    for (int x = 0; x < width; x++) {
        const struct sample *s = &across[x];
        for (int c = 0; c < 3; c++) {
            out[3 * x + c] = scratch[3 * (size_t)s->index[0] + (size_t)c] * s->weight[0] +
                             scratch[3 * (size_t)s->index[1] + (size_t)c] * s->weight[1] +
                             scratch[3 * (size_t)s->index[2] + (size_t)c] * s->weight[2] +
                             scratch[3 * (size_t)s->index[3] + (size_t)c] * s->weight[3];
        }
    }
}

/* ---- bilinear --------------------------------------------------------------- */

/* Below the first and beyond the last sample both are the same, whatever the lerp. */
static void weigh_bilinear(const struct axis *axis, int i, struct sample *s) {
    float at = place(i, axis->scale);
    float floor_at = floorf(at);
    s->index[0] = bound((int64_t)floor_at, axis->in_size);
    s->index[1] = bound((int64_t)ceilf(at), axis->in_size);
    s->lerp = at - floor_at;
}

static float lerp_at(const uint8_t *row, const struct sample *s, int c) {
    float left = row[3 * (size_t)s->index[0] + (size_t)c];
    float right = row[3 * (size_t)s->index[1] + (size_t)c];
    return left + (right - left) * s->lerp;
}

static void bilinear_row(const struct fovea_image *in, const struct sample *down,
                         const struct sample *across, int width, float *scratch, float *out) {
    (void)scratch;
    size_t n = (size_t)in->width * 3;
    const uint8_t *top = in->rgb + (size_t)down->index[0] * n;
    const uint8_t *bottom = in->rgb + (size_t)down->index[1] * n;
    for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
            float above = lerp_at(top, &across[x], c), below = lerp_at(bottom, &across[x], c);
            out[3 * x + c] = above + (below - above) * down->lerp;
        }
    }
}

/* ---- area ------------------------------------------------------------------- */

/* How much of input sample `v` lies between `from` and `to`, as the kernel has it. */
static float share(int64_t v, float from, float to, float scale) {
    float begin = (float)v, end = (float)(v + 1);
    if (begin < from) {
        return end > to ? scale : end - from;
    }
    return end > to ? to - begin : 1.0F;
}

static void weigh_area(const struct axis *axis, int i, struct sample *s) {
    float from = (float)i * axis->scale, to = (float)(i + 1) * axis->scale;
    int64_t first = (int64_t)floorf(from), end = (int64_t)ceilf(to);
    s->first = (int)first;
    s->n = (int)(end - first);
    s->head = share(first, from, to, axis->scale);
    s->tail = share(end - 1, from, to, axis->scale);
}

static float area_weight(const struct sample *s, int t) {
    return t == 0 ? s->head : t == s->n - 1 ? s->tail : 1.0F;
}

/* One channel of one output pixel from one input row. */
static float area_across(const uint8_t *row, const struct sample *s, int width, int c) {
    float sum = (float)row[3 * (size_t)bound(s->first, width) + (size_t)c] * s->head;
    for (int t = 1; t < s->n - 1; t++) {
        sum += (float)row[3 * (size_t)bound((int64_t)s->first + t, width) + (size_t)c];
    }
    if (s->n > 1) {
        int last = bound((int64_t)s->first + s->n - 1, width);
        sum += (float)row[3 * (size_t)last + (size_t)c] * s->tail;
    }
    return sum;
}

static void area_row(const struct fovea_image *in, const struct sample *down,
                     const struct sample *across, int width, float scale, float *out) {
    memset(out, 0, (size_t)width * 3 * sizeof(*out));
    for (int t = 0; t < down->n; t++) {
        int y = bound((int64_t)down->first + t, in->height);
        const uint8_t *row = in->rgb + (size_t)y * (size_t)in->width * 3;
        float weight = area_weight(down, t);
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < 3; c++) {
                out[3 * x + c] += area_across(row, &across[x], in->width, c) * weight;
            }
        }
    }
    for (int i = 0; i < 3 * width; i++) {
        out[i] *= scale;
    }
}

/* ---- all three --------------------------------------------------------------- */

static enum fovea_status axis_init(struct axis *axis, enum fovea_filter filter, int in_size,
                                   int out_size, int start, int n, struct fovea_error *err) {
    axis->scale = (float)in_size / (float)out_size;
    axis->in_size = in_size;
    axis->samples = calloc((size_t)n, sizeof(*axis->samples));
    if (!axis->samples) {
        return fovea_fail_memory(err, (size_t)n * sizeof(*axis->samples), "resize weights");
    }
    for (int i = 0; i < n; i++) {
        if (filter == FOVEA_FILTER_AREA) {
            weigh_area(axis, start + i, &axis->samples[i]);
        } else if (filter == FOVEA_FILTER_BICUBIC) {
            weigh_bicubic(axis, start + i, &axis->samples[i]);
        } else {
            weigh_bilinear(axis, start + i, &axis->samples[i]);
        }
    }
    return FOVEA_OK;
}

/* tf.clip_by_value, then tf.cast to uint8, which drops the fraction. */
static void cut_to_bytes(const float *values, size_t n, uint8_t *out) {
    for (size_t i = 0; i < n; i++) {
        float value = values[i] < 0.0F ? 0.0F : values[i];
        out[i] = (uint8_t)(value > 255.0F ? 255.0F : value);
    }
}

static void resize_rows(const struct fovea_image *in, const struct fovea_resize *how,
                        const struct axis *across, const struct axis *down, float *scratch,
                        struct fovea_image *out) {
    size_t n = (size_t)out->width * 3;
    float *made = scratch + (size_t)in->width * 3;
    float scale = (float)(1.0 / (double)(down->scale * across->scale));
    for (int y = 0; y < out->height; y++) {
        const struct sample *s = &down->samples[y];
        float *row = out->floats ? out->floats + (size_t)y * n : made;
        if (how->filter == FOVEA_FILTER_AREA) {
            area_row(in, s, across->samples, out->width, scale, row);
        } else if (how->filter == FOVEA_FILTER_BICUBIC) {
            bicubic_row(in, s, across->samples, out->width, scratch, row);
        } else {
            bilinear_row(in, s, across->samples, out->width, scratch, row);
        }
        if (out->rgb) {
            cut_to_bytes(row, n, out->rgb + (size_t)y * n);
        }
    }
}

static enum fovea_status resize(const struct fovea_image *in, const struct fovea_resize *how,
                                struct fovea_image *out, struct fovea_error *err) {
    const struct fovea_window *w = &how->window;
    struct axis across = {0}, down = {0};
    size_t n_bytes = ((size_t)in->width + (size_t)w->width) * 3 * sizeof(float);
    float *scratch = malloc(n_bytes);
    enum fovea_status status =
        scratch ? FOVEA_OK : fovea_fail_memory(err, n_bytes, "rows of a resize");
    if (!status) {
        status = axis_init(&across, how->filter, in->width, how->width, w->x, w->width, err);
    }
    if (!status) {
        status = axis_init(&down, how->filter, in->height, how->height, w->y, w->height, err);
    }
    if (!status) {
        resize_rows(in, how, &across, &down, scratch, out);
    }
    free(across.samples);
    free(down.samples);
    free(scratch);
    return status;
}

enum fovea_status fovea_resize_tf(const struct fovea_image *in, const struct fovea_resize *how,
                                  bool floats, struct fovea_image *out, struct fovea_error *err) {
    struct fovea_resize settled;
    enum fovea_status status = fovea_resize_settle(how, &settled, err);
    if (status) {
        return status;
    }
    if (how->filter != FOVEA_FILTER_AREA && how->filter != FOVEA_FILTER_BICUBIC &&
        how->filter != FOVEA_FILTER_BILINEAR) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "TensorFlow's resize has no filter %s",
                          fovea_filter_name(how->filter));
    }
    struct fovea_image made = {0};
    const struct fovea_window *w = &settled.window;
    status = floats ? fovea_image_init_floats(&made, w->width, w->height, err)
                    : fovea_image_init(&made, w->width, w->height, err);
    if (!status) {
        status = resize(in, &settled, &made, err);
    }
    if (status) {
        fovea_image_finish(&made);
        return status;
    }
    *out = made;
    return FOVEA_OK;
}

/* See tiny_model.h. */
#include "tests/inject/tiny_model.h"

#include "loaders/onnx_save.h"
#include "tests/graph_build.h"

#include <stdio.h>
#include <string.h>

typedef struct fovea_value V;

enum { SIDE = 12, WIDTH = 16, TOKENS = 36, CLASSES = 10, MEMORY = 1 << 28 };

/* Standardised weights, as an NFNet has them: computed when they are packed. */
static V *standardised(struct graph_build *b, const int64_t *dims) {
    V *w = build_random(b, 4, dims);
    V *mean = build_set_ints(b, OP(b, "ReduceMean", w), "axes", DIMS(1, 2, 3), 3);
    V *centred = OP(b, "Sub", w, mean);
    V *square = OP(b, "Mul", centred, centred);
    V *var = build_set_ints(b, OP(b, "ReduceMean", square), "axes", DIMS(1, 2, 3), 3);
    return OP(b, "Div", centred, OP(b, "Sqrt", OP(b, "Add", var, build_scalar(b, 1e-3f))));
}

static V *stem(struct graph_build *b, V *x) {
    V *y = OP(b, "Conv", x, standardised(b, DIMS(WIDTH, 3, 3, 3)), build_random(b, 1, DIMS(WIDTH)));
    y = build_set_ints(b, y, "pads", DIMS(1, 1, 1, 1), 4);
    y = OP(b, "Relu", build_set_ints(b, y, "strides", DIMS(2, 2), 2));
    V *z = OP(b, "Conv", y, build_random(b, 4, DIMS(WIDTH, WIDTH / 2, 3, 3)));
    z = build_set_int(b, build_set_ints(b, z, "pads", DIMS(1, 1, 1, 1), 4), "group", 2);
    return OP(b, "Add", OP(b, "Sigmoid", z), y);
}

/* One head of attention over the pixels: [1, TOKENS, WIDTH]. */
static V *attention(struct graph_build *b, V *x) {
    V *q = OP(b, "MatMul", x, build_random(b, 2, DIMS(WIDTH, WIDTH)));
    V *k = OP(b, "MatMul", x, build_random(b, 2, DIMS(WIDTH, WIDTH)));
    V *v = OP(b, "MatMul", x, build_random(b, 2, DIMS(WIDTH, WIDTH)));
    V *scores = OP(b, "MatMul", q, build_transpose(b, k, 3, DIMS(0, 2, 1)));
    V *shares = OP(b, "Softmax", OP(b, "Mul", scores, build_scalar(b, 0.25f)));
    return OP(b, "Add", OP(b, "MatMul", build_set_int(b, shares, "axis", -1), v), x);
}

static const struct fovea_model *build(struct graph_build *b) {
    build_init(b, 17);
    V *y = stem(b, build_input(b, FOVEA_F32, 4, DIMS(1, 3, SIDE, SIDE)));
    y = build_transpose(b, build_reshape(b, y, 3, DIMS(1, WIDTH, TOKENS)), 3, DIMS(0, 2, 1));
    y = OP(b, "LayerNormalization", y, build_random(b, 1, DIMS(WIDTH)),
           build_random(b, 1, DIMS(WIDTH)));
    y = build_set_ints(b, OP(b, "ReduceMean", attention(b, y)), "axes", DIMS(1), 1);
    y = build_set_int(b, y, "keepdims", 0);
    y = OP(b, "Gemm", y, build_random(b, 2, DIMS(WIDTH, CLASSES)),
           build_random(b, 1, DIMS(CLASSES)));
    build_output(b, y);
    return build_model(b);
}

static bool write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    bool ok = file && fputs(text, file) >= 0;
    return file && fclose(file) == 0 && ok;
}

/* Each says something that the other does not, and that is not the default. */
static bool write_beside(const char *path) {
    char beside[512];
    const char *slash = strrchr(path, '/');
    snprintf(beside, sizeof(beside), "%.*s/config.json", (int)(slash - path), path);
    bool ok =
        write_text(beside, "{\"pretrained_cfg\": {\"mean\": [0.1, 0.2, 0.3], \"label_names\": "
                           "[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", "
                           "\"j\"]}}\n");
    snprintf(beside, sizeof(beside), "%.*s.recipe.json", (int)(strlen(path) - strlen(".onnx")),
             path);
    return ok && write_text(beside, "{\"resize\": \"short\", \"crop_pct\": 0.8}\n");
}

bool tiny_model_write(const char *path) {
    struct graph_build b;
    const struct fovea_onnx_save_options options = {
        .inline_most = FOVEA_ONNX_INLINE_MOST,
        .max_memory = MEMORY,
    };
    struct fovea_error err = {0};
    uint64_t bytes;
    bool ok = write_beside(path) && !fovea_onnx_save(build(&b), path, &options, &bytes, &err);
    if (!ok) {
        fprintf(stderr, "%s: %s\n", path, err.message);
    }
    build_finish(&b);
    return ok;
}

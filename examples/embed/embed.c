/*
 * embed MODEL TENSOR.npy: a client of libfovea in one page. Classifies an image
 * that "fovea preprocess --write npy" made ready, and prints class and logit.
 *
 *     cc embed.c $(pkg-config --cflags --libs fovea) -o embed
 */
#include <fovea.h>

#include <stdio.h>
#include <stdlib.h>

/* A dense f32 .npy file ends with its elements, so the last `count` floats are the tensor. */
static float *read_floats(const char *path, size_t count) {
    FILE *file = fopen(path, "rb");
    float *data = malloc(count * sizeof(*data));
    size_t n = 0;
    if (file && data && fseek(file, -(long)(count * sizeof(*data)), SEEK_END) == 0) {
        n = fread(data, sizeof(*data), count, file);
    }
    if (file) {
        fclose(file);
    }
    if (n != count) {
        free(data);
        return NULL;
    }
    return data;
}

static size_t count_of(const struct fovea_tensor *t) {
    size_t count = 1;
    for (int i = 0; i < t->rank; i++) {
        count *= (size_t)t->dims[i];
    }
    return count;
}

/* The model's first input, one image of it where the model leaves the number open. */
static struct fovea_tensor input_of(const struct fovea_model *model) {
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    struct fovea_tensor t = {.dtype = io->dtype, .rank = io->rank};
    for (int i = 0; i < io->rank; i++) {
        t.dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    return t;
}

static void print_best(const float *logits, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        best = logits[i] > logits[best] ? i : best;
    }
    printf("class %zu, logit %.4f\n", best, logits[best]);
}

int main(int argc, char **argv) {
    struct fovea_model *model = NULL;
    struct fovea_session *session = NULL;
    struct fovea_tensor input = {0}, output = {0};
    struct fovea_error err = {0};
    int code = EXIT_FAILURE;
    if (argc != 3) {
        fprintf(stderr, "usage: embed MODEL TENSOR.npy\n");
        return 2;
    }
    if (fovea_model_load(argv[1], NULL, &model, &err)) {
        goto done;
    }
    input = input_of(model);
    if (fovea_session_create(model, &input, NULL, &session, &err)) {
        goto done;
    }
    fovea_session_output_shape(session, 0, &output);
    if (input.dtype != FOVEA_F32 || output.dtype != FOVEA_F32 || count_of(&output) == 0) {
        snprintf(err.message, sizeof(err.message), "the model is not f32 in, logits out");
        goto done;
    }
    input.data = read_floats(argv[2], count_of(&input));
    output.data = malloc(count_of(&output) * sizeof(float));
    if (!input.data || !output.data) {
        snprintf(err.message, sizeof(err.message), "cannot read %s", argv[2]);
        goto done;
    }
    if (fovea_session_run(session, &input, &output, &err)) {
        goto done;
    }
    print_best(output.data, count_of(&output));
    code = EXIT_SUCCESS;
done:
    if (code != EXIT_SUCCESS) {
        fprintf(stderr, "embed: %s\n", err.message);
    }
    free(input.data);
    free(output.data);
    fovea_session_destroy(session);
    fovea_model_destroy(model);
    return code;
}

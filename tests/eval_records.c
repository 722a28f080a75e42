/* See eval_records.h. */
#include "tests/eval_records.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory) {
    if (!memory) {
        abort();
    }
    return memory;
}

void eval_made_init(struct eval_made *made, int32_t classes) {
    memset(made, 0, sizeof(*made));
    made->description = (struct eval_description){
        .model = must(strdup("model.onnx")),
        .model_sha256 = must(strdup("00")),
        .dataset = must(strdup("val")),
        .dataset_words = must(strdup("class folders in the order of their names")),
        .list_sha256 = must(strdup("11")),
        .recipe = must(strdup("{\"resize\": \"squash\", \"size\": [48, 48]}")),
        .recipe_sha256 = must(strdup("22")),
        .precision = must(strdup("f32")),
        .library = must(strdup("0.1.0")),
        .backend = must(strdup("oneDNN 2.6.3, avx512_core")),
        .classes = classes,
        .parameters = 1000,
        .macs = 2000,
    };
}

static struct eval_record *add(struct eval_made *made, int32_t label) {
    char path[64];
    snprintf(path, sizeof(path), "%d/%06zu.jpg", (int)label, made->n);
    if (made->n == made->room) {
        /* Not one at a time: under ASan, realloc moves the whole array whenever it grows. */
        made->room = 2 * made->room + 64;
        made->records = must(realloc(made->records, made->room * sizeof(*made->records)));
    }
    struct eval_record *r = &made->records[made->n++];
    *r = (struct eval_record){.path = must(strdup(path)), .label_logit = NAN};
    if (label >= 0) {
        r->labels = must(malloc(sizeof(*r->labels)));
        r->labels[0] = label;
        r->n_labels = 1;
    }
    return r;
}

struct eval_record *eval_made_add(struct eval_made *made, int32_t label, int32_t pred,
                                  double confidence) {
    struct eval_record *r = add(made, label);
    int32_t classes = made->description.classes;
    r->state = EVAL_OK;
    r->n_top = classes < EVAL_TOP ? (size_t)classes : EVAL_TOP;
    for (size_t k = 0; k < r->n_top; k++) {
        r->top[k].class_index = (pred + (int32_t)k) % classes;
        r->top[k].logit = 5 - (float)k;
    }
    /* the best class has logit 5 */
    r->log_sum_exp = 5 - log(confidence);
    if (label >= 0) {
        double own = label == pred ? confidence : (1 - confidence) / 2;
        r->label_logit = (float)(log(own) + r->log_sum_exp);
    }
    return r;
}

struct eval_record *eval_made_fail(struct eval_made *made, int32_t label, const char *message) {
    struct eval_record *r = add(made, label);
    r->state = EVAL_FAILED;
    r->message = must(strdup(message));
    return r;
}

void eval_made_finish(struct eval_made *made) {
    for (size_t i = 0; i < made->n; i++) {
        eval_record_finish(&made->records[i]);
    }
    free(made->records);
    eval_description_finish(&made->description);
    memset(made, 0, sizeof(*made));
}

uint32_t eval_made_random(uint64_t *state, uint32_t bound) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % bound);
}

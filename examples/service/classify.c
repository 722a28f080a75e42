/*
 * POST /classify: a JPEG in, labels and probabilities out.
 */
#include "classify.h"

#include <stdlib.h>
#include <string.h>

/* The library words what is wrong with an image for whoever sent it; other failures are ours. */
static int status_of(enum fovea_status status) {
    switch (status) {
    case FOVEA_ERR_FORMAT:
    case FOVEA_ERR_INVALID:
        return 400;
    case FOVEA_ERR_UNSUPPORTED:
        return 415;
    case FOVEA_ERR_LIMIT:
        return 413;
    default:
        return 500;
    }
}

void classify_prepare(struct job *job) {
    struct fovea_error err = {0};
    if (job->body_size == 0) {
        reply_error(&job->reply, 400, "the body is empty; a JPEG is expected");
        return;
    }
    if (!job_make_room(job, 1)) {
        return;
    }
    enum fovea_status status =
        engine_prepare(job->engine, job->body, job->body_size, job->images, &err);
    if (status) {
        int code = status_of(status);
        reply_error(&job->reply, code, "%s",
                    code == 500 ? "cannot prepare the image" : err.message);
    }
}

static void write_result(struct text *text, const struct fovea_result *result) {
    text_printf(text, "{\"index\":%d,\"label\":", result->class_index);
    if (result->label) {
        text_json(text, result->label, strlen(result->label));
    } else {
        text_puts(text, "null");
    }
    text_printf(text, ",\"probability\":%.6g,\"logit\":", result->probability);
    text_float(text, result->logit);
    text_puts(text, "}");
}

void classify_answer(struct job *job) {
    size_t classes = engine_classes(job->engine), n = 0;
    size_t k = job->k < classes ? job->k : classes;
    struct fovea_result *results = calloc(k, sizeof(*results));
    struct fovea_error err = {0};
    struct text *body = &job->reply.body;
    if (!results || engine_top(job->engine, job->logits, k, results, &n, &err)) {
        free(results);
        reply_error(&job->reply, 500, "the model's result is not finite");
        return;
    }
    text_puts(body, "{\"labels\":[");
    for (size_t i = 0; i < n; i++) {
        text_puts(body, i ? "," : "");
        write_result(body, &results[i]);
    }
    text_puts(body, "]}\n");
    job->reply.status = 200;
    free(results);
}

/* What passes did and nearly did, by node: see pass.h. */
#include "runtime/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more note, or NULL: then it is only counted. */
static struct fovea_pass_note *next_note(struct fovea_pass_log *log) {
    if (log->n_notes == log->cap_notes && log->cap_notes < FOVEA_MAX_PASS_NOTES) {
        size_t cap = log->cap_notes ? log->cap_notes * 2 : 64;
        struct fovea_pass_note *notes = realloc(log->notes, cap * sizeof(*notes));
        if (notes) {
            log->notes = notes;
            log->cap_notes = cap;
        }
    }
    if (log->n_notes == log->cap_notes) {
        log->n_dropped++;
        return NULL;
    }
    return &log->notes[log->n_notes++];
}

static void note(struct fovea_pass_context *context, bool fired, const struct fovea_node *node,
                 const char *what) {
    struct fovea_pass_note *made = next_note(context->log);
    if (made) {
        made->pass = context->result->name;
        made->fired = fired;
        snprintf(made->text, sizeof(made->text), "'%s' (%s): %s", fovea_quote(node->name).text,
                 fovea_quote(node->type).text, what);
    }
}

void fovea_pass_hit(struct fovea_pass_context *context, const struct fovea_node *node,
                    const char *what) {
    context->result->count++;
    note(context, true, node, what);
}

void fovea_pass_miss(struct fovea_pass_context *context, const struct fovea_node *node,
                     const char *why) {
    context->result->misses++;
    note(context, false, node, why);
}

void fovea_pass_log_finish(struct fovea_pass_log *log) {
    free(log->notes);
    log->notes = NULL;
    log->n_notes = log->cap_notes = 0;
}

enum fovea_status fovea_pass_log_copy(const struct fovea_pass_log *log, struct fovea_pass_log *out,
                                      struct fovea_error *err) {
    size_t bytes = (log->n_notes + 1) * sizeof(*log->notes);
    struct fovea_pass_note *notes = malloc(bytes);
    if (!notes) {
        return fovea_fail_memory(err, bytes, "notes of passes");
    }
    if (log->n_notes > 0) {
        memcpy(notes, log->notes, log->n_notes * sizeof(*notes));
    }
    *out = *log;
    out->notes = notes;
    out->cap_notes = log->n_notes;
    return FOVEA_OK;
}

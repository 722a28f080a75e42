/* See diff_lockstep.h. */
#include "tools/diff_lockstep.h"

#include "runtime/tensor.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void diff_measure(const float *a, const float *b, int64_t count, struct diff_error *out) {
    double error = 0, aa = 0, bb = 0, ab = 0, most = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = (double)a[i], y = (double)b[i];
        double d = x == y || (isnan(x) && isnan(y)) ? 0 : fabs(x - y);
        d = isnan(d) ? INFINITY : d;
        most = d > most ? d : most;
        error += d * d;
        if (isfinite(x) && isfinite(y)) {
            aa += x * x;
            bb += y * y;
            ab += x * y;
        }
    }
    *out = (struct diff_error){
        .max_abs = most,
        .rel_l2 = error == 0 ? 0 : sqrt(error / aa),
        .cosine = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : aa == bb,
        .scale = aa > 0 ? ab / aa : 1,
    };
}

/*
 * One tensor at a time goes from b's thread to a's. Both meet the tensors of
 * the pairs in the same order, so that neither waits for what never comes.
 */
struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const float *offered; /* b's tensor, until a has looked at it; else NULL */
    bool ended;           /* one of the runs is over */
    const struct diff_pair *pairs;
    size_t n_pairs;
    struct diff_error *errors;
};

/* One of the runs, as it goes. */
struct runner {
    struct meeting *meeting;
    const struct diff_side *side;
    size_t value, pair; /* next */
    bool is_b;
    enum fovea_status status;
    struct fovea_error err;
};

/* b: lend a tensor, and wait until it was looked at. */
static void offer(struct meeting *m, const float *floats) {
    pthread_mutex_lock(&m->lock);
    m->offered = floats;
    pthread_cond_broadcast(&m->changed);
    while (m->offered && !m->ended) {
        pthread_cond_wait(&m->changed, &m->lock);
    }
    m->offered = NULL;
    pthread_mutex_unlock(&m->lock);
}

/* a: wait for b's tensor and compare. False if it never comes. */
static bool look(struct meeting *m, const float *floats, int64_t count, struct diff_error *out) {
    pthread_mutex_lock(&m->lock);
    while (!m->offered && !m->ended) {
        pthread_cond_wait(&m->changed, &m->lock);
    }
    bool there = m->offered != NULL;
    if (there) {
        diff_measure(floats, m->offered, count, out);
        m->offered = NULL;
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
    return there;
}

static enum fovea_status meet(struct runner *r, const struct fovea_value *value,
                              struct fovea_error *err) {
    struct meeting *m = r->meeting;
    float *floats = diff_floats(value);
    if (!floats) {
        return fovea_fail_memory(err, fovea_tensor_bytes(&value->t), "a tensor");
    }
    bool there = true;
    if (r->is_b) {
        offer(m, floats);
    } else {
        there = look(m, floats, fovea_tensor_count(&value->t), &m->errors[r->pair]);
    }
    free(floats);
    r->pair++;
    return there ? FOVEA_OK : fovea_fail(err, FOVEA_ERR_INVALID, "the other run ended early");
}

static enum fovea_status step(void *context, const struct fovea_node *node,
                              struct fovea_error *err) {
    struct runner *r = context;
    enum fovea_status status = FOVEA_OK;
    for (int i = 0; !status && i < node->n_out; i++) {
        if (!diff_is_traced(node->out[i])) {
            continue;
        }
        const struct diff_pair *pair = &r->meeting->pairs[r->pair];
        bool wanted = r->pair < r->meeting->n_pairs && r->value == (r->is_b ? pair->b : pair->a);
        r->value++;
        if (wanted) {
            status = meet(r, node->out[i], err);
        }
    }
    return status;
}

static void *run(void *context) {
    struct runner *r = context;
    fovea_session_watch(r->side->session, step, r);
    r->status =
        fovea_session_run(r->side->session, r->side->inputs, r->side->outputs, NULL, &r->err);
    fovea_session_watch(r->side->session, NULL, NULL);
    /* b may be done while a still has to look, but not the other way round. */
    pthread_mutex_lock(&r->meeting->lock);
    r->meeting->ended = r->meeting->ended || r->status || !r->is_b;
    pthread_cond_broadcast(&r->meeting->changed);
    pthread_mutex_unlock(&r->meeting->lock);
    return NULL;
}

enum fovea_status diff_lockstep(const struct diff_side *a, const struct diff_side *b,
                                const struct diff_pair *pairs, size_t n_pairs,
                                struct diff_error *errors, struct fovea_error *err) {
    pthread_t thread;
    struct meeting m = {.pairs = pairs, .n_pairs = n_pairs, .errors = errors};
    struct runner left = {.meeting = &m, .side = a}, right = {.meeting = &m, .side = b};
    right.is_b = true;
    pthread_mutex_init(&m.lock, NULL);
    pthread_cond_init(&m.changed, NULL);
    int code = pthread_create(&thread, NULL, run, &right);
    if (code) {
        pthread_cond_destroy(&m.changed);
        pthread_mutex_destroy(&m.lock);
        return fovea_fail(err, FOVEA_ERR_MEMORY, "cannot start a thread: %s", strerror(code));
    }
    run(&left);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&m.changed);
    pthread_mutex_destroy(&m.lock);
    /* A run that was left alone fails as well; the other one says why. */
    const struct runner *failed = right.status ? &right : left.status ? &left : NULL;
    if (failed && err) {
        *err = failed->err;
    }
    return failed ? failed->status : FOVEA_OK;
}

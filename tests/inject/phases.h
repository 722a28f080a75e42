/* What is tried while calls fail: see inject.c. */
#ifndef FOVEA_TESTS_INJECT_PHASES_H
#define FOVEA_TESTS_INJECT_PHASES_H

#include "runtime/fovea.h"

/* What the phases work on; paths are given, the rest belongs to whoever runs a phase. */
struct phase_work {
    const char *model_path;
    const char *jpeg_path; /* or NULL: nothing is classified */
    const char *folder;    /* for files that are written; empty */
    const char *compiled;  /* a compiled file of the model, in `folder` */
    bool files_beside;     /* recipe and labels are beside the model, in files */
    enum fovea_precision precision;
    int threads;

    /* Of a run that nothing disturbed, by phase_work_measure. */
    struct phase_wanted *wanted;

    struct fovea_model *model;
    struct fovea_session *session;
    struct fovea_tensor input, output;
    float *other; /* zeros: what sessions are made with, and is never run on */
};

enum { PHASE_MOST_WANTED = 4096 };

/* In memory that processes share. */
struct phase_wanted {
    struct fovea_tensor shape;
    float values[PHASE_MOST_WANTED];
};

/*
 * `prepare` and `finish` are undisturbed; calls fail during `call` only. After a call that
 * succeeded, `right` tells whether all is as it should be, after one that failed, `clean` whether
 * all is as it was; then `undo` takes back what the call made.
 */
struct phase {
    const char *name;
    bool (*applies)(const struct phase_work *work);
    enum fovea_status (*prepare)(struct phase_work *work, struct fovea_error *err);
    enum fovea_status (*call)(struct phase_work *work, struct fovea_error *err);
    bool (*right)(struct phase_work *work);
    bool (*clean)(struct phase_work *work);
    void (*undo)(struct phase_work *work);
    void (*finish)(struct phase_work *work);
};

extern const struct phase phases[];
extern const int n_phases;

/* Run once, keep the result in work->wanted, and write the model's compiled file. */
bool phase_work_measure(struct phase_work *work);

/* Load the model, fill the input, make room for the output. */
enum fovea_status phase_work_begin(struct phase_work *work, struct fovea_error *err);
void phase_work_end(struct phase_work *work);

#endif

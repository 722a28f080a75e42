/*
 * What a session is made of, for the files that make, run and describe one
 * (session.c, session_run.c, session_get.c); for all others there is session.h.
 */
#ifndef FOVEA_RUNTIME_SESSION_PARTS_H
#define FOVEA_RUNTIME_SESSION_PARTS_H

#include "runtime/compiled.h"
#include "runtime/engine.h"
#include "runtime/pack.h"
#include "runtime/session.h"

struct fovea_session {
    const struct fovea_model *model;
    struct fovea_graph graph;
    struct fovea_engine engine;
    struct fovea_pass_log pass_log;
    struct fovea_plan plan;
    struct fovea_packed packed;
    unsigned char *arena;
    void *scratch;
    struct fovea_step_time *times; /* n_steps, or NULL */
    fovea_step_fn step;            /* after each step, or NULL */
    void *step_context;
    int64_t macs;              /* of the graph before passes */
    struct fovea_model *owned; /* destroyed with the session, or NULL */
    char options[FOVEA_OPTIONS_TEXT];
    char note[512]; /* why a compiled model was not used; "" if it was, or there is none */
};

#endif

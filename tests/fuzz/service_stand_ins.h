/*
 * What the requests of examples/service meet in place of libmicrohttpd, of the server's loop and of
 * a model, when they are fuzzed: see fuzz_service.c.
 */
#ifndef FOVEA_TESTS_FUZZ_SERVICE_STAND_INS_H
#define FOVEA_TESTS_FUZZ_SERVICE_STAND_INS_H

#include "examples/service/server.h"

#include <microhttpd.h>

/* Of a body of JSON, [batch, 3, 2, 3] at most. */
enum { STAND_IN_CLASSES = 4, STAND_IN_BATCH = 3 };

enum { REQUEST_MOST_FIELDS = 128 };

/* A request as libmicrohttpd hands it on. */
struct MHD_Connection {
    struct client *client;
    const char *method, *target, *argument_k; /* the last is NULL where there is none */
    const char *keys[REQUEST_MOST_FIELDS], *values[REQUEST_MOST_FIELDS];
    size_t n_fields;
    int suspended, watched;
    int status; /* of the answer; 0: none yet */
    bool declares_json;
    char *answer;
    size_t answer_size, json_size; /* the JSON at its begin */
};

/* What was submitted and is not done, or NULL. */
struct job *stand_in_take_job(void);

struct engine *stand_in_engine(void);

#endif

/* See service_stand_ins.h. */
#include "tests/fuzz/service_stand_ins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- libmicrohttpd --------------------------------------------------------------- */

struct MHD_Response {
    void *body;
    size_t size, json_size;
    bool json;
};

static struct MHD_Connection *current;

int MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                              MHD_KeyValueIterator iterator, void *context) {
    for (size_t i = 0; i < connection->n_fields; i++) {
        if (iterator(context, kind, connection->keys[i], connection->values[i]) != MHD_YES) {
            break;
        }
    }
    return (int)connection->n_fields;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                        const char *key) {
    (void)kind;
    (void)key; /* "k" alone is asked for */
    return connection->argument_k;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...) {
    static union MHD_ConnectionInfo info;
    current = connection;
    if (type == MHD_CONNECTION_INFO_CONNECTION_FD) {
        info.connect_fd = -1;
    } else {
        info.socket_context = connection->client;
    }
    return &info;
}

struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *buffer,
                                                     enum MHD_ResponseMemoryMode mode) {
    struct MHD_Response *response = calloc(1, sizeof(*response));
    if (!response || mode != MHD_RESPMEM_MUST_FREE) {
        abort();
    }
    *response = (struct MHD_Response){buffer, size, 0, false};
    return response;
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *key,
                                        const char *value) {
    if (strpbrk(value, "\r\n")) {
        abort(); /* a client could add headers to its answer */
    }
    if (strcasecmp(key, "Content-Type") == 0) {
        response->json = strcmp(value, "application/json") == 0;
    } else if (strcasecmp(key, "Inference-Header-Content-Length") == 0) {
        response->json_size = strtoul(value, NULL, 10);
    }
    return MHD_YES;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *response) {
    if (connection->status || connection->suspended) {
        abort(); /* answered twice, or while it waits */
    }
    connection->status = (int)status;
    connection->answer = response->body;
    connection->answer_size = response->size;
    connection->declares_json = response->json || response->json_size > 0;
    connection->json_size = response->json_size ? response->json_size : response->size;
    response->body = NULL;
    return MHD_YES;
}

void MHD_destroy_response(struct MHD_Response *response) {
    free(response->body);
    free(response);
}

void MHD_suspend_connection(struct MHD_Connection *connection) {
    connection->suspended++;
}

void MHD_resume_connection(struct MHD_Connection *connection) {
    connection->suspended--;
}

/* ---- the server ------------------------------------------------------------------ */

static struct job *submitted;

void server_submit(struct server *server, struct job *job) {
    if (submitted) {
        abort();
    }
    server->in_flight++;
    submitted = job;
}

struct job *stand_in_take_job(void) {
    struct job *job = submitted;
    submitted = NULL;
    return job;
}

void server_watch(struct server *server, int fd, void *owner) {
    (void)server;
    (void)fd;
    (void)owner;
    current->watched++;
}

void server_unwatch(struct server *server, int fd) {
    (void)server;
    (void)fd;
    current->watched--;
}

bool server_is_ready(const struct server *server) {
    return !server->draining;
}

void pipeline_cancel(struct pipeline *pipeline, struct job *job) {
    (void)pipeline;
    atomic_store(&job->cancelled, true);
}

size_t pipeline_length(struct pipeline *pipeline) {
    (void)pipeline;
    return submitted != NULL;
}

/* ---- the model: [n, 3, 2, 3] to [n, 4] ------------------------------------------- */

enum { HEIGHT = 2, WIDTH = 3, FLOATS = 3 * HEIGHT * WIDTH };

struct engine {
    int references;
};

static struct engine engine;

struct engine *stand_in_engine(void) {
    return &engine;
}

struct engine *engine_ref(struct engine *e) {
    e->references++;
    return e;
}

void engine_unref(struct engine *e) {
    e->references--;
}

const char *engine_input_name(const struct engine *e) {
    (void)e;
    return "x";
}

const char *engine_output_name(const struct engine *e) {
    (void)e;
    return "y\"\\\n"; /* names come from models: quotes and all */
}

int engine_height(const struct engine *e) {
    (void)e;
    return HEIGHT;
}

int engine_width(const struct engine *e) {
    (void)e;
    return WIDTH;
}

size_t engine_image_floats(const struct engine *e) {
    (void)e;
    return FLOATS;
}

size_t engine_classes(const struct engine *e) {
    (void)e;
    return STAND_IN_CLASSES;
}

size_t engine_max_batch(const struct engine *e) {
    (void)e;
    return STAND_IN_BATCH;
}

bool engine_fixed_batch(const struct engine *e) {
    (void)e;
    return false;
}

enum fovea_status engine_prepare(const struct engine *e, const void *jpeg, size_t size, float *out,
                                 struct fovea_error *err) {
    const unsigned char *bytes = jpeg;
    unsigned sum = 0;
    (void)e;
    for (size_t i = 0; i < size; i++) {
        sum += bytes[i];
    }
    if (sum % 2) {
        err->status = FOVEA_ERR_FORMAT;
        memcpy(err->message, "no JPEG", 8);
        return err->status;
    }
    for (size_t i = 0; i < FLOATS; i++) {
        out[i] = (float)sum;
    }
    return FOVEA_OK;
}

enum fovea_status engine_run(struct engine *e, int stream, const float *images, size_t n,
                             float *logits, const struct fovea_cancel *cancel,
                             struct fovea_error *err) {
    (void)e;
    (void)stream;
    (void)cancel;
    (void)err;
    memset(logits, 0, n * STAND_IN_CLASSES * sizeof(*logits));
    for (size_t i = 0; i < n * FLOATS; i++) {
        logits[i / FLOATS * STAND_IN_CLASSES + i % STAND_IN_CLASSES] += images[i];
    }
    return FOVEA_OK;
}

/* The first k, and no result for what is not finite, as the library has it. */
enum fovea_status engine_top(const struct engine *e, const float *logits, size_t k,
                             struct fovea_result *results, size_t *n, struct fovea_error *err) {
    (void)e;
    for (size_t i = 0; i < STAND_IN_CLASSES; i++) {
        if (!(logits[i] - logits[i] == 0)) {
            err->status = FOVEA_ERR_INVALID;
            return err->status;
        }
    }
    for (size_t i = 0; i < k; i++) {
        results[i] = (struct fovea_result){
            .class_index = (int)i,
            .probability = 0.25f,
            .logit = logits[i],
            .label = i % 2 ? "\xff\"</script>" : NULL,
        };
    }
    *n = k;
    return FOVEA_OK;
}

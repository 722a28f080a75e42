/*
 * Fuzzing the requests of examples/service: any bytes as a request line, header fields and a body,
 * handed to what libmicrohttpd would call, in its order. Sockets, threads and the model are stood
 * in for (service_stand_ins.h); the rest is the service's own code, from the request line to the
 * answer.
 *
 * The first byte says how the body is cut into pieces and whether the client goes away; then lines
 * as on the wire, "POST /classify?k=3", "Content-Length: 12", an empty one, and the body.
 *
 * Every request is answered once, with a status that a client's fault or success has, or its
 * connection is closed; what is said to be JSON is; nothing of a request is left.
 */
#include "evaluation/json_values.h"
#include "examples/service/exchange.h"
#include "examples/service/oip_reply.h"
#include "examples/service/options.h"
#include "tests/fuzz/service_stand_ins.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST_LINE = 2048 };

struct request {
    struct MHD_Connection connection;
    char *lines; /* the head, cut into strings */
    const char *body;
    size_t body_size, piece;
    bool leaves; /* the client does, while its request is in work */
};

/* Cut off the first line of *text, of which NUL, or a line too long, is an end, too. */
static char *next_line(char **text, const char *end) {
    char *line = *text, *stop = memchr(line, '\n', (size_t)(end - line));
    stop = stop ? stop : (char *)end;
    *text = stop < end ? stop + 1 : stop;
    if (stop > line && stop[-1] == '\r') {
        stop--;
    }
    *stop = '\0';
    if (stop - line > LONGEST_LINE) {
        line[LONGEST_LINE] = '\0';
    }
    return line;
}

static void read_request_line(struct MHD_Connection *c, char *line) {
    char *space = strchr(line, ' ');
    c->method = line;
    c->target = "/";
    if (space) {
        *space = '\0';
        c->target = space + 1;
    }
    const char *k = strstr(c->target, "?k=");
    c->argument_k = k ? k + 3 : NULL;
}

static void read_field(struct MHD_Connection *c, char *line) {
    char *colon = strchr(line, ':');
    c->keys[c->n_fields] = line;
    c->values[c->n_fields] = NULL;
    if (colon) {
        *colon = '\0';
        c->values[c->n_fields] = colon + 1 + strspn(colon + 1, " \t");
    }
    c->n_fields++;
}

static void read_request(struct request *r, const uint8_t *data, size_t size) {
    r->leaves = data[0] & 1;
    r->piece = (size_t)(data[0] >> 1) * 5;
    r->piece = r->piece ? r->piece : SIZE_MAX;
    r->lines = malloc(size);
    if (!r->lines) {
        abort();
    }
    memcpy(r->lines, data + 1, size - 1);
    r->lines[size - 1] = '\0';
    char *at = r->lines, *end = r->lines + size - 1;
    read_request_line(&r->connection, next_line(&at, end));
    while (at < end && r->connection.n_fields < REQUEST_MOST_FIELDS) {
        char *line = next_line(&at, end);
        if (!*line) {
            break;
        }
        read_field(&r->connection, line);
    }
    r->body = at;
    r->body_size = (size_t)(end - at);
}

/* What the pipeline does with a job, and the server when it is back. */
static void work(struct server *server, struct request *r, struct job *job, void *exchange) {
    struct fovea_error err;
    if (job->owner != exchange) {
        abort();
    }
    if (r->leaves) {
        exchange_gone(exchange);
    }
    job_prepare(job);
    if (!job->reply.status &&
        (job->n < 1 || job->n > STAND_IN_BATCH ||
         engine_run(job->engine, 0, job->images, job->n, job->logits, NULL, &err))) {
        abort();
    }
    server->in_flight--;
    exchange_done(exchange);
}

/* Whether the connection is to go on. */
static bool hand_on(struct server *server, struct request *r, void **state, const char *data,
                    size_t size) {
    size_t left = size;
    enum MHD_Result result =
        exchange_on_request(server, &r->connection, r->connection.target, r->connection.method,
                            "HTTP/1.1", data, &left, state);
    if (left) {
        abort();
    }
    return result == MHD_YES;
}

static void serve(struct server *server, struct request *r, void **state) {
    struct MHD_Connection *c = &r->connection;
    bool open = hand_on(server, r, state, NULL, 0);
    for (size_t at = 0; open && !c->status && at < r->body_size;) {
        size_t n = r->body_size - at < r->piece ? r->body_size - at : r->piece;
        open = hand_on(server, r, state, r->body + at, n);
        at += n;
    }
    if (open && !c->status) {
        open = hand_on(server, r, state, NULL, 0);
    }
    struct job *job = stand_in_take_job();
    if (job) {
        work(server, r, job, *state);
        open = hand_on(server, r, state, NULL, 0);
    }
    if (open && !c->status) {
        abort(); /* it would wait for ever */
    }
}

static bool is_expected(int status) {
    static const int expected[] = {200, 400, 404, 405, 411, 413, 414, 415, 431, 501, 503};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (status == expected[i]) {
            return true;
        }
    }
    return false;
}

/* A result that is not finite is said to be the model's fault. */
static bool is_not_finite(const json_t *json) {
    const char *error = json_string_value(json_object_get(json, "error"));
    return error && strcmp(error, "the model's result is not finite") == 0;
}

static void check_answer(const struct MHD_Connection *c) {
    json_t *json =
        c->json_size <= c->answer_size && c->declares_json
            ? json_loadb(c->answer, c->json_size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL)
            : NULL;
    if (c->declares_json != json_is_object(json) || (c->status != 200 && !json) ||
        (!is_expected(c->status) && !(c->status == 500 && is_not_finite(json)))) {
        abort();
    }
    if (c->status != 200 && c->status != 503 && !json_is_string(json_object_get(json, "error"))) {
        abort();
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct service_options options = {.name = "model",
                                                   .streams = 1,
                                                   .max_batch = STAND_IN_BATCH,
                                                   .queue = 4,
                                                   .max_body = 3000,
                                                   .max_bodies = 40000};
    struct server server = {.options = &options, .engine = stand_in_engine(), .wake = -1};
    struct request r = {.body = NULL};
    void *client = NULL;
    if (size < 1) {
        return 0;
    }
    server.clients.options = &options;
    read_request(&r, data, size);
    exchange_on_connection(&server, &r.connection, &client, MHD_CONNECTION_NOTIFY_STARTED);
    r.connection.client = client;
    void *state = exchange_on_target(&server, r.connection.target, &r.connection);
    serve(&server, &r, &state);
    exchange_on_completed(&server, &r.connection, &state, MHD_REQUEST_TERMINATED_COMPLETED_OK);
    exchange_on_connection(&server, &r.connection, &client, MHD_CONNECTION_NOTIFY_CLOSED);
    if (r.connection.status) {
        check_answer(&r.connection);
    }
    if (server.body_bytes || server.in_flight || server.clients.length || r.connection.suspended ||
        r.connection.watched) {
        abort();
    }
    free(r.connection.answer);
    free(r.lines);
    return 0;
}

/*
 * One request and its answer. libmicrohttpd calls for the request line, for
 * the header, for each piece of the body, for its end, and, after a job was
 * done meanwhile and the connection resumed, for the end again.
 */
#include "exchange.h"

#include "answers.h"
#include "clock.h"
#include "http_head.h"
#include "page.h"
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks that a body may come in; a normal one has as many as 64 MiB have pieces of 1 KiB. */
enum { MAX_CHUNKS = 65536, LONGEST_TARGET = 1024, MAX_K = 1000 };

struct exchange {
    struct server *server;
    struct client *client;
    struct MHD_Connection *connection;
    struct route route;
    struct http_head head;
    bool target_too_long, begun, watched;
    bool malformed; /* where this request ends is doubtful: its connection ends with it */
    double began;
    char *body;
    size_t body_size, body_room, chunks;
    uint64_t k;
    struct job *job; /* while it is in work */
    struct reply reply;
};

void exchange_on_connection(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_ConnectionNotificationCode code) {
    struct server *server = context;
    server->callbacks++;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *state = info ? client_add(&server->clients, info->connect_fd) : NULL;
        metrics_add(COUNT_CONNECTIONS);
    } else if (*state) {
        client_remove(&server->clients, *state);
        *state = NULL;
    }
}

void *exchange_on_target(void *context, const char *target, struct MHD_Connection *connection) {
    struct server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    server->callbacks++;
    if (!exchange || !info || !info->socket_context) {
        free(exchange);
        return NULL;
    }
    exchange->server = server;
    exchange->client = info->socket_context;
    exchange->connection = connection;
    exchange->began = clock_now();
    exchange->target_too_long = !target || strlen(target) > LONGEST_TARGET;
    exchange->route =
        route_find(target && !exchange->target_too_long ? target : "", server->options->name);
    client_enter(&server->clients, exchange->client, CLIENT_HEAD);
    return exchange;
}

void exchange_on_completed(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code) {
    struct exchange *exchange = *state;
    struct server *server = context;
    (void)connection;
    (void)code;
    server->callbacks++;
    if (!exchange) {
        return;
    }
    server->body_bytes -= exchange->body_room;
    reply_finish(&exchange->reply);
    free(exchange->body);
    client_enter(&server->clients, exchange->client, CLIENT_WAITING);
    free(exchange);
    *state = NULL;
}

/* ---- the answer ---------------------------------------------------------- */

static void add_headers(struct MHD_Response *response, const struct exchange *exchange) {
    const struct reply *reply = &exchange->reply;
    char number[32];
    MHD_add_response_header(response, "Content-Type",
                            reply->type ? reply->type : "application/json");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (exchange->route.action == ACTION_PAGE) {
        MHD_add_response_header(response, "Content-Security-Policy", page_policy);
    }
    if (reply->retry_after) {
        snprintf(number, sizeof(number), "%d", reply->retry_after);
        MHD_add_response_header(response, "Retry-After", number);
    }
    if (reply->json_size) {
        snprintf(number, sizeof(number), "%zu", reply->json_size);
        MHD_add_response_header(response, "Inference-Header-Content-Length", number);
    }
    if (reply->allow) {
        MHD_add_response_header(response, "Allow", reply->allow);
    }
    if (exchange->server->draining || exchange->malformed) {
        MHD_add_response_header(response, "Connection", "close");
    }
}

static enum MHD_Result send_reply(struct exchange *exchange) {
    struct reply *reply = &exchange->reply;
    struct server *server = exchange->server;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.size, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        return MHD_NO;
    }
    reply->body = (struct text){0};
    add_headers(response, exchange);
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    client_enter(&server->clients, exchange->client, CLIENT_WRITE);
    metrics_request(exchange->route.group, reply->status, clock_now() - exchange->began);
    return result;
}

/* Come back once the queue is half as long. */
static int seconds_until_room(const struct server *server) {
    double seconds =
        metrics_seconds_per_image() * (double)server->in_flight / (2 * server->options->streams);
    return seconds < 1 ? 1 : seconds > 60 ? 60 : (int)(seconds + 0.5);
}

static void refuse_overload(struct exchange *exchange, const char *what) {
    reply_error(&exchange->reply, 503, "%s", what);
    exchange->reply.retry_after = seconds_until_room(exchange->server);
    metrics_add(COUNT_REFUSED);
}

/* ---- the header ---------------------------------------------------------- */

static void check_k(struct exchange *exchange) {
    const char *k = MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, "k");
    exchange->k = 5;
    if (k && (!http_parse_digits(k, &exchange->k) || exchange->k < 1 || exchange->k > MAX_K)) {
        reply_error(&exchange->reply, 400, "k is not a number from 1 to %d", MAX_K);
    }
}

static void check_body(struct exchange *exchange) {
    const struct service_options *options = exchange->server->options;
    const struct http_head *head = &exchange->head;
    if (!head->has_length && !head->chunked) {
        reply_error(&exchange->reply, 411, "a body is expected, with its length or in chunks");
    } else if (head->length > options->max_body) {
        reply_error(&exchange->reply, 413, "the body is longer than %zu bytes", options->max_body);
    } else if (head->has_split && !head->chunked && head->split > head->length) {
        reply_error(&exchange->reply, 400, "Inference-Header-Content-Length is beyond the body");
    } else if (exchange->server->body_bytes >= options->max_bodies) {
        refuse_overload(exchange, "too many bytes of requests are held");
    }
}

static void check_head(struct exchange *exchange, const char *method) {
    const struct route *route = &exchange->route;
    bool is_post = strcmp(method, "POST") == 0;
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (!http_head_read(&exchange->head, exchange->connection, &exchange->reply)) {
        exchange->malformed = true;
        return;
    }
    if (exchange->target_too_long) {
        reply_error(&exchange->reply, 414, "the request target is too long");
    } else if (route->action == ACTION_NONE) {
        reply_error(&exchange->reply, 404, "there is nothing here");
    } else if (route->wants_body ? !is_post : !is_get) {
        reply_error(&exchange->reply, 405, "use %s", route->allow);
        exchange->reply.allow = route->allow;
    } else if (route->wants_body) {
        check_body(exchange);
    }
    if (!exchange->reply.status && route->action == ACTION_CLASSIFY) {
        check_k(exchange);
    }
}

/* ---- the body ------------------------------------------------------------ */

/* Room grows with what came, not with what was announced. */
static bool reserve(struct exchange *exchange, size_t size) {
    struct server *server = exchange->server;
    size_t room = exchange->body_room ? exchange->body_room : 16384;
    while (room < size) {
        room *= 2;
    }
    size_t more = room - exchange->body_room;
    char *body = server->body_bytes + more <= server->options->max_bodies ||
                         more <= 16384 /* what is small can always be answered */
                     ? realloc(exchange->body, room)
                     : NULL;
    if (!body) {
        return false;
    }
    exchange->body = body;
    exchange->body_room = room;
    server->body_bytes += more;
    return true;
}

/* libmicrohttpd cannot answer within a body, so refusals here go around it. */
static enum MHD_Result refuse_body(struct exchange *exchange, int status, const char *text) {
    client_refuse(exchange->client, status, text);
    metrics_request(exchange->route.group, status, clock_now() - exchange->began);
    return MHD_NO;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *data, size_t size) {
    client_received(exchange->client, size);
    if (!exchange->route.wants_body) {
        return MHD_YES; /* GET with a body: what it says has no meaning */
    }
    if (size > exchange->server->options->max_body - exchange->body_size) {
        return refuse_body(exchange, 413, "the body is too long");
    }
    if (exchange->head.chunked && ++exchange->chunks > MAX_CHUNKS) {
        return refuse_body(exchange, 413, "the body has too many chunks");
    }
    if (exchange->body_size + size > exchange->body_room &&
        !reserve(exchange, exchange->body_size + size)) {
        metrics_add(COUNT_REFUSED);
        return refuse_body(exchange, 503, "too many bytes of requests are held");
    }
    memcpy(exchange->body + exchange->body_size, data, size);
    exchange->body_size += size;
    return MHD_YES;
}

/* ---- the work ------------------------------------------------------------ */

static struct job *make_job(struct exchange *exchange) {
    struct job *job =
        job_create(exchange->route.action == ACTION_CLASSIFY ? JOB_CLASSIFY : JOB_INFER,
                   exchange->server->engine);
    if (!job) {
        return NULL;
    }
    job->owner = exchange;
    job->body = exchange->body;
    job->body_size = exchange->body_size;
    job->k = (size_t)exchange->k;
    job->has_split = exchange->head.has_split;
    job->json_size = (size_t)exchange->head.split;
    exchange->body = NULL;
    return job;
}

/* The request is whole. Afterwards it has an answer, or its job is in work. */
static void begin_work(struct exchange *exchange) {
    struct server *server = exchange->server;
    if (!exchange->route.wants_body) {
        answer_at_once(server, exchange->route.action, &exchange->reply);
        return;
    }
    if (exchange->head.has_split && exchange->head.split > exchange->body_size) {
        reply_error(&exchange->reply, 400, "Inference-Header-Content-Length is beyond the body");
        return;
    }
    if (server->in_flight >= (size_t)server->options->queue) {
        refuse_overload(exchange, "too many requests wait");
        return;
    }
    exchange->job = make_job(exchange);
    if (!exchange->job) {
        reply_error(&exchange->reply, 500, "out of memory");
        return;
    }
    client_enter(&server->clients, exchange->client, CLIENT_WORK);
    MHD_suspend_connection(exchange->connection);
    server_watch(server, exchange->client->fd, exchange);
    exchange->watched = true;
    exchange->client->work = exchange;
    server_submit(server, exchange->job);
}

static void unwatch(struct exchange *exchange) {
    if (exchange->watched) {
        server_unwatch(exchange->server, exchange->client->fd);
        exchange->watched = false;
    }
}

void exchange_done(struct exchange *exchange) {
    struct job *job = exchange->job;
    unwatch(exchange);
    exchange->client->work = NULL;
    if (!job->reply.status) {
        job_answer(job);
    }
    exchange->reply = job->reply;
    job->reply = (struct reply){0};
    job_destroy(job);
    exchange->job = NULL;
    MHD_resume_connection(exchange->connection);
}

void exchange_gone(struct exchange *exchange) {
    unwatch(exchange);
    metrics_add(COUNT_CANCELLED);
    pipeline_cancel(exchange->server->pipeline, exchange->job);
}

void exchange_cancel_all(struct server *server) {
    for (struct client *client = server->clients.first; client; client = client->next) {
        if (client->work) {
            exchange_gone(client->work);
        }
    }
}

enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *data, size_t *size, void **state) {
    struct exchange *exchange = *state;
    struct server *server = context;
    server->callbacks++;
    (void)connection;
    (void)url;
    (void)version;
    if (!exchange) {
        return MHD_NO;
    }
    if (!exchange->begun) {
        exchange->begun = true;
        check_head(exchange, method);
        client_enter(&exchange->server->clients, exchange->client, CLIENT_BODY);
        /* A refusal goes out before the body comes. Where none comes, it waits for the end of the
         * request, so that the connection can be kept. */
        bool coming = exchange->malformed || exchange->head.length > 0 || exchange->head.chunked;
        return exchange->reply.status && coming ? send_reply(exchange) : MHD_YES;
    }
    if (*size) {
        size_t taken = *size;
        *size = 0;
        return take_body(exchange, data, taken);
    }
    if (!exchange->reply.status && !exchange->job) {
        begin_work(exchange);
    }
    return exchange->reply.status ? send_reply(exchange) : MHD_YES;
}

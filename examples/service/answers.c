/*
 * The page, metrics, metadata and health.
 */
#include "answers.h"

#include "oip_meta.h"
#include "page.h"

static void answer_page(struct reply *reply) {
    text_add(&reply->body, page_html, page_size);
    reply->type = "text/html; charset=utf-8";
    reply->status = 200;
}

static void answer_metrics(const struct server *server, struct reply *reply) {
    struct metrics_gauges gauges = {
        .queue = pipeline_length(server->pipeline),
        .in_flight = server->in_flight,
        .connections = server->clients.length,
        .body_bytes = server->body_bytes,
        .ready = server_is_ready(server),
    };
    metrics_write(&reply->body, &gauges);
    reply->type = "text/plain; version=0.0.4";
    reply->status = 200;
}

void answer_at_once(const struct server *server, enum route_action action, struct reply *reply) {
    const char *name = server->options->name;
    switch (action) {
    case ACTION_PAGE:
        answer_page(reply);
        break;
    case ACTION_METRICS:
        answer_metrics(server, reply);
        break;
    case ACTION_SERVER:
        oip_meta_server(reply);
        break;
    case ACTION_LIVE:
        oip_meta_live(reply);
        break;
    case ACTION_READY:
        oip_meta_ready(reply, server_is_ready(server));
        break;
    case ACTION_MODEL:
        oip_meta_model(reply, server->engine, name);
        break;
    default:
        oip_meta_model_ready(reply, name, server_is_ready(server));
        break;
    }
    if (reply->body.failed) {
        reply_error(reply, 500, "out of memory");
    }
}

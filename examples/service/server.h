/*
 * The service: one thread that speaks HTTP and looks after everything.
 */
#ifndef SERVICE_SERVER_H
#define SERVICE_SERVER_H

#include "client.h"
#include "engine.h"
#include "pipeline.h"
#include "reload.h"

#include <pthread.h>

struct MHD_Daemon;

struct server {
    const struct service_options *options;
    struct engine *engine; /* what new requests are answered by */
    struct pipeline *pipeline;
    struct MHD_Daemon *daemon;
    int listener, epoll, signals, wake; /* descriptors; -1: none */
    struct client_list clients;
    size_t in_flight, body_bytes;
    size_t callbacks; /* of libmicrohttpd, so far: it goes on with something */
    size_t callbacks_seen;
    unsigned in_vain; /* times in a row that it wanted to be called, and went on with nothing */
    struct reload reload;

    pthread_mutex_t mutex; /* of done */
    struct job *done;      /* the last one first */

    bool draining;
    double drain_began;
};

/* Takes the reference to `engine` and the descriptor, also when it fails (false). */
bool server_init(struct server *server, const struct service_options *options,
                 struct engine *engine, int listener);
void server_finish(struct server *server);

/* Until it is drained. The exit status of the process. */
int server_run(struct server *server);

bool server_is_ready(const struct server *server);

/* Give the job to the pipeline; exchange_done is called with its owner when it is back. */
void server_submit(struct server *server, struct job *job);

/* See (and stop seeing) whether the client goes away while `owner`'s request is in work. */
void server_watch(struct server *server, int fd, void *owner);
void server_unwatch(struct server *server, int fd);

#endif

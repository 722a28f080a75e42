/*
 * fovea-service: an image classifier behind HTTP. See --help and docs/service.md.
 */
#include "engine.h"
#include "listener.h"
#include "log.h"
#include "oip_reply.h"
#include "options.h"
#include "route.h"
#include "server.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file's name without folder and extension, where that can be part of a path. */
static const char *default_name(const char *path, char *room, size_t size) {
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    snprintf(room, size, "%s", base);
    char *dot = strrchr(room, '.');
    if (dot && dot != room) {
        *dot = '\0';
    }
    return route_is_name(room) ? room : "model";
}

/* Signals are read from a descriptor by the thread that serves, and reach no other. */
static void set_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Bodies and images are large and short-lived: they go back to the system at once. */
static void set_malloc(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    mallopt(M_ARENA_MAX, 4);
#endif
}

static int serve(const struct service_options *options) {
    struct server server;
    struct engine *engine = NULL;
    struct fovea_error err = {0};
    int port = options->port;
    if (engine_load(options, &engine, &err)) {
        log_line("%s", err.message);
        return 1;
    }
    if (engine_note(engine)) {
        log_line("%s", engine_note(engine));
    }
    int listener = listener_open(options->host, &port);
    if (listener < 0) {
        log_line("cannot listen at %s, port %d: %s", options->host, options->port, strerror(errno));
        engine_unref(engine);
        return 1;
    }
    if (!server_init(&server, options, engine, listener)) {
        log_line("cannot start");
        return 1;
    }
    log_line("%s, %zu classes, listens at http://%s:%d", options->name, engine_classes(engine),
             options->host, port);
    int status = server_run(&server);
    server_finish(&server);
    log_line(status ? "ended late" : "drained");
    return status;
}

int main(int argc, char **argv) {
    struct service_options options;
    char name[80];
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_HELP:
        return 0;
    case OPTIONS_WRONG:
        return 2;
    default:
        break;
    }
    if (!options.name) {
        options.name = default_name(options.model, name, sizeof(name));
    } else if (!route_is_name(options.name)) {
        log_line("a name has 1 to 64 letters, digits, '.', '_' and '-'");
        return 2;
    }
    engine_share_threads(&options);
    oip_set_name(options.name);
    set_signals();
    set_malloc();
    return serve(&options);
}

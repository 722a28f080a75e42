/*
 * One thread waits for everything: libmicrohttpd's own epoll set, signals,
 * jobs that are done, and clients that go away while they wait.
 */
#include "server.h"

#include "clock.h"
#include "exchange.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Milliseconds between looks at deadlines; seconds a silent connection is given when draining. */
enum { TICK_MS = 100 };
static const double settle_seconds = 0.5;

bool server_is_ready(const struct server *server) {
    return !server->draining;
}

/* ---- jobs ---------------------------------------------------------------- */

static void on_done(void *context, struct job *job) {
    struct server *server = context;
    uint64_t one = 1;
    pthread_mutex_lock(&server->mutex);
    job->next = server->done;
    server->done = job;
    pthread_mutex_unlock(&server->mutex);
    (void)!write(server->wake, &one, sizeof(one));
}

void server_submit(struct server *server, struct job *job) {
    server->in_flight++;
    job->submitted = clock_now();
    pipeline_submit(server->pipeline, job);
}

static void take_done(struct server *server) {
    struct job *job, *in_order = NULL;
    pthread_mutex_lock(&server->mutex);
    job = server->done;
    server->done = NULL;
    pthread_mutex_unlock(&server->mutex);
    while (job) {
        struct job *next = job->next;
        job->next = in_order;
        in_order = job;
        job = next;
    }
    while (in_order) {
        struct job *next = in_order->next;
        server->in_flight--;
        exchange_done(in_order->owner);
        in_order = next;
    }
}

void server_watch(struct server *server, int fd, void *owner) {
    struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = owner};
    /* If this fails, the work is done for nothing should the client go: no more. */
    (void)!epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

void server_unwatch(struct server *server, int fd) {
    (void)!epoll_ctl(server->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- the life of the server ---------------------------------------------- */

static bool add_to_epoll(struct server *server, int fd, void *tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    return fd >= 0 && epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static struct MHD_Daemon *start_daemon(struct server *server) {
    const struct service_options *options = server->options;
    size_t limit = listener_raise_limit();
    /* Some descriptors are kept for the model's files and ours, so that accept does not run out. */
    size_t most = limit > 128 ? limit - 64 : limit / 2;
    unsigned connections =
        (size_t)options->connections < most ? (unsigned)options->connections : (unsigned)most;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, exchange_on_request, server,
        MHD_OPTION_LISTEN_SOCKET, server->listener, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)options->per_ip,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_on_target, server, MHD_OPTION_NOTIFY_COMPLETED,
        exchange_on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, exchange_on_connection, server,
        MHD_OPTION_END);
}

static bool start(struct server *server) {
    const union MHD_DaemonInfo *info;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->signals = open_signals();
    if (server->epoll < 0 || !add_to_epoll(server, server->wake, &server->wake) ||
        !add_to_epoll(server, server->signals, &server->signals)) {
        return false;
    }
    server->reload = (struct reload){.options = server->options, .wake = server->wake};
    server->pipeline = pipeline_create(server->options, on_done, server);
    server->daemon = server->pipeline ? start_daemon(server) : NULL;
    if (!server->daemon) {
        return false;
    }
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info && add_to_epoll(server, info->epoll_fd, &server->daemon);
}

bool server_init(struct server *server, const struct service_options *options,
                 struct engine *engine, int listener) {
    *server = (struct server){
        .options = options,
        .engine = engine,
        .listener = listener,
        .epoll = -1,
        .signals = -1,
        .wake = -1,
        .clients = {.options = options},
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    if (start(server)) {
        return true;
    }
    server_finish(server);
    return false;
}

void server_finish(struct server *server) {
    const int fds[] = {server->listener, server->signals, server->wake, server->epoll};
    reload_finish(&server->reload);
    pipeline_destroy(server->pipeline);
    if (server->daemon) {
        if (server->listener >= 0) {
            MHD_quiesce_daemon(server->daemon); /* the listener is ours to close */
        }
        MHD_stop_daemon(server->daemon);
    }
    engine_unref(server->engine);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

/* ---- signals ------------------------------------------------------------- */

static void begin_drain(struct server *server) {
    server->draining = true;
    server->drain_began = clock_now();
    listener_ebb(server->listener);
    log_line("draining: %zu requests in work, %zu connections", server->in_flight,
             server->clients.length);
}

static void take_signals(struct server *server) {
    struct signalfd_siginfo info;
    while (read(server->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            reload_begin(&server->reload);
        } else if (server->draining) {
            log_line("ended at once");
            _exit(1);
        } else {
            begin_drain(server);
        }
    }
}

static void take_reload(struct server *server) {
    struct engine *engine = NULL;
    struct fovea_error err;
    while (reload_take(&server->reload, &engine, &err)) {
        metrics_add(engine ? COUNT_RELOADED : COUNT_RELOAD_FAILED);
        if (!engine) {
            log_line("reload failed, the old model stays: %s", err.message);
            continue;
        }
        engine_unref(server->engine);
        server->engine = engine;
        log_line("reloaded");
    }
}

/* ---- draining ------------------------------------------------------------ */

/* Connections that the kernel queued are ours, too: accept until there are none for a while. */
static void close_listener(struct server *server, double elapsed) {
    if (server->listener >= 0 && elapsed > settle_seconds && listener_is_empty(server->listener)) {
        MHD_quiesce_daemon(server->daemon);
        close(server->listener);
        server->listener = -1;
    }
}

/* Whether everything accepted was answered. */
static bool is_drained(const struct server *server) {
    return server->listener < 0 && server->in_flight == 0 &&
           client_all_idle(&server->clients, settle_seconds);
}

static void cancel_rest(struct server *server) {
    log_line("%zu requests were not finished in time", server->in_flight);
    exchange_cancel_all(server);
}

/* ---- the loop ------------------------------------------------------------ */

static void take_event(struct server *server, const struct epoll_event *event) {
    uint64_t count;
    if (event->data.ptr == &server->signals) {
        take_signals(server);
    } else if (event->data.ptr == &server->wake) {
        (void)!read(server->wake, &count, sizeof(count));
    } else if (event->data.ptr != &server->daemon) {
        exchange_gone(event->data.ptr);
    }
}

/*
 * How many milliseconds libmicrohttpd need not be called for. 0.9.75 wants to be called at once as
 * long as there are bytes that it can make nothing of, such as a chunk's size that fills its
 * buffer, which is until we end that client: a processor would be busy with one request. So it is
 * called as long as it goes on with something, and else now and then; what arrives wakes us in any
 * case.
 */
static int patience(struct server *server) {
    enum { TRIES = 16, PAUSE_MS = 10 };
    MHD_UNSIGNED_LONG_LONG soon;
    if (MHD_get_timeout(server->daemon, &soon) != MHD_YES) {
        soon = TICK_MS;
    }
    if (soon > 0) {
        server->in_vain = 0;
        return soon < TICK_MS ? (int)soon : TICK_MS;
    }
    if (server->callbacks != server->callbacks_seen) {
        server->callbacks_seen = server->callbacks;
        server->in_vain = 0;
        return 0;
    }
    server->in_vain += server->in_vain < TRIES;
    return server->in_vain < TRIES ? 0 : PAUSE_MS;
}

static void wait_for_events(struct server *server) {
    struct epoll_event events[64];
    int n = epoll_wait(server->epoll, events, sizeof(events) / sizeof(events[0]), patience(server));
    for (int i = 0; i < n; i++) {
        take_event(server, &events[i]);
    }
}

int server_run(struct server *server) {
    double looked = 0;
    bool late = false;
    for (;;) {
        wait_for_events(server);
        take_done(server);
        take_reload(server);
        MHD_run(server->daemon);
        double now = clock_now();
        if (now - looked < TICK_MS / 1000.) {
            continue;
        }
        looked = now;
        client_end_slow(&server->clients);
        if (!server->draining) {
            continue;
        }
        double elapsed = now - server->drain_began;
        close_listener(server, elapsed);
        if (is_drained(server) || (late && server->in_flight == 0)) {
            return late;
        }
        if (!late && elapsed > server->options->drain_seconds) {
            late = true;
            cancel_rest(server);
        }
    }
}

/*
 * What /metrics tells. One mutex guards it all: it is held for nanoseconds.
 */
#include "metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double latency_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                        0.25,  0.5,    1,     2.5,  5,     10,   30};
static const double batch_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128};

enum { MOST_BOUNDS = 14 };

struct histogram {
    size_t buckets[MOST_BOUNDS + 1]; /* the last: above all bounds */
    double sum;
};

static const char *const route_names[N_ROUTES] = {
    [ROUTE_CLASSIFY] = "classify", [ROUTE_INFER] = "infer",     [ROUTE_HEALTH] = "health",
    [ROUTE_MODEL] = "model",       [ROUTE_METRICS] = "metrics", [ROUTE_PAGE] = "page",
    [ROUTE_OTHER] = "other",
};

static const int codes[] = {200, 400, 404, 405, 408, 411, 413, 414, 415, 431, 499, 500, 501, 503};

enum { N_CODES = sizeof(codes) / sizeof(codes[0]) };

static const struct {
    const char *name, *labels, *help;
} counts_info[N_COUNTS] = {
    [COUNT_CANCELLED] = {"fovea_cancelled_total", "", "Requests whose client went away."},
    [COUNT_REFUSED] = {"fovea_refused_total", "", "Requests refused because of overload."},
    [COUNT_EXPIRED] = {"fovea_expired_total", "", "Requests that waited too long."},
    [COUNT_TIMEOUT_HEADER] = {"fovea_timeouts_total", "{phase=\"header\"}",
                              "Connections ended for being slow."},
    [COUNT_TIMEOUT_BODY] = {"fovea_timeouts_total", "{phase=\"body\"}", NULL},
    [COUNT_TIMEOUT_WRITE] = {"fovea_timeouts_total", "{phase=\"write\"}", NULL},
    [COUNT_TIMEOUT_IDLE] = {"fovea_timeouts_total", "{phase=\"idle\"}", NULL},
    [COUNT_RELOADED] = {"fovea_reloads_total", "{result=\"ok\"}", "Reloads of the model."},
    [COUNT_RELOAD_FAILED] = {"fovea_reloads_total", "{result=\"failed\"}", NULL},
    [COUNT_CONNECTIONS] = {"fovea_connections_accepted_total", "", "Connections accepted."},
};

static struct {
    pthread_mutex_t mutex;
    size_t counts[N_COUNTS];
    size_t requests[N_ROUTES][N_CODES + 1]; /* the last: any other code */
    struct histogram latency[N_ROUTES], batch, run;
    size_t images;
    double per_image;
} metrics = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void observe(struct histogram *histogram, const double *bounds, size_t n, double value) {
    size_t i = 0;
    while (i < n && value > bounds[i]) {
        i++;
    }
    histogram->buckets[i]++;
    histogram->sum += value;
}

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

void metrics_add(enum metrics_count count) {
    pthread_mutex_lock(&metrics.mutex);
    metrics.counts[count]++;
    pthread_mutex_unlock(&metrics.mutex);
}

void metrics_request(enum metrics_route route, int status, double seconds) {
    size_t code = 0;
    while (code < N_CODES && codes[code] != status) {
        code++;
    }
    pthread_mutex_lock(&metrics.mutex);
    metrics.requests[route][code]++;
    observe(&metrics.latency[route], latency_bounds, N_OF(latency_bounds), seconds);
    pthread_mutex_unlock(&metrics.mutex);
}

void metrics_run(size_t images, double seconds) {
    double each = seconds / (double)images;
    pthread_mutex_lock(&metrics.mutex);
    metrics.images += images;
    metrics.per_image = metrics.per_image == 0 ? each : 0.9 * metrics.per_image + 0.1 * each;
    observe(&metrics.batch, batch_bounds, N_OF(batch_bounds), (double)images);
    observe(&metrics.run, latency_bounds, N_OF(latency_bounds), seconds);
    pthread_mutex_unlock(&metrics.mutex);
}

double metrics_seconds_per_image(void) {
    pthread_mutex_lock(&metrics.mutex);
    double seconds = metrics.per_image;
    pthread_mutex_unlock(&metrics.mutex);
    return seconds;
}

static size_t resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    char line[128], *resident = NULL;
    if (!file) {
        return 0;
    }
    if (fgets(line, sizeof(line), file)) {
        resident = strchr(line, ' '); /* behind the size of the address space; in pages, too */
    }
    fclose(file);
    return resident ? strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static size_t open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;
    if (!folder) {
        return 0;
    }
    while (readdir(folder)) {
        n++;
    }
    closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the folder's own */
}

static void write_histogram(struct text *text, const char *name, const char *labels,
                            const struct histogram *histogram, const double *bounds, size_t n) {
    size_t below = 0;
    const char *comma = *labels ? "," : "";
    for (size_t i = 0; i < n; i++) {
        below += histogram->buckets[i];
        text_printf(text, "%s_bucket{%s%sle=\"%g\"} %zu\n", name, labels, comma, bounds[i], below);
    }
    below += histogram->buckets[n];
    text_printf(text, "%s_bucket{%s%sle=\"+Inf\"} %zu\n", name, labels, comma, below);
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    text_printf(text, "%s_sum%s%s%s %.6f\n", name, open, labels, close, histogram->sum);
    text_printf(text, "%s_count%s%s%s %zu\n", name, open, labels, close, below);
}

static void head(struct text *text, const char *name, const char *type, const char *help) {
    text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct text *text, const char *name, const char *help, double value) {
    head(text, name, "gauge", help);
    text_printf(text, "%s %.17g\n", name, value);
}

static void write_requests(struct text *text) {
    char labels[64];
    head(text, "fovea_requests_total", "counter", "Requests answered, by route and status.");
    for (size_t r = 0; r < N_ROUTES; r++) {
        for (size_t c = 0; c <= N_CODES; c++) {
            if (metrics.requests[r][c]) {
                text_printf(text, "fovea_requests_total{route=\"%s\",code=\"%d\"} %zu\n",
                            route_names[r], c < N_CODES ? codes[c] : 0, metrics.requests[r][c]);
            }
        }
    }
    head(text, "fovea_request_seconds", "histogram", "From a request's header to its answer.");
    for (size_t r = 0; r < N_ROUTES; r++) {
        snprintf(labels, sizeof(labels), "route=\"%s\"", route_names[r]);
        write_histogram(text, "fovea_request_seconds", labels, &metrics.latency[r], latency_bounds,
                        N_OF(latency_bounds));
    }
}

static void write_counts(struct text *text) {
    for (size_t i = 0; i < N_COUNTS; i++) {
        if (counts_info[i].help) {
            head(text, counts_info[i].name, "counter", counts_info[i].help);
        }
        text_printf(text, "%s%s %zu\n", counts_info[i].name, counts_info[i].labels,
                    metrics.counts[i]);
    }
    head(text, "fovea_images_total", "counter", "Images run.");
    text_printf(text, "fovea_images_total %zu\n", metrics.images);
}

void metrics_write(struct text *text, const struct metrics_gauges *gauges) {
    pthread_mutex_lock(&metrics.mutex);
    write_requests(text);
    write_counts(text);
    head(text, "fovea_batch_size", "histogram", "Images of a run.");
    write_histogram(text, "fovea_batch_size", "", &metrics.batch, batch_bounds, N_OF(batch_bounds));
    head(text, "fovea_run_seconds", "histogram", "Time of a run.");
    write_histogram(text, "fovea_run_seconds", "", &metrics.run, latency_bounds,
                    N_OF(latency_bounds));
    pthread_mutex_unlock(&metrics.mutex);
    gauge(text, "fovea_queue_length", "Requests that wait for a run.", (double)gauges->queue);
    gauge(text, "fovea_in_flight", "Requests accepted and not answered.",
          (double)gauges->in_flight);
    gauge(text, "fovea_connections", "Connections open.", (double)gauges->connections);
    gauge(text, "fovea_body_bytes", "Bytes of requests' bodies held.", (double)gauges->body_bytes);
    gauge(text, "fovea_ready", "1 unless draining.", gauges->ready);
    gauge(text, "process_resident_memory_bytes", "Resident memory.", (double)resident_bytes());
    gauge(text, "process_open_fds", "Open descriptors.", (double)open_descriptors());
}

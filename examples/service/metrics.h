/*
 * What /metrics tells: counters, gauges and histograms, in Prometheus' text format.
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include "text.h"

enum metrics_route {
    ROUTE_CLASSIFY,
    ROUTE_INFER,
    ROUTE_HEALTH,
    ROUTE_MODEL,
    ROUTE_METRICS,
    ROUTE_PAGE,
    ROUTE_OTHER,
    N_ROUTES,
};

enum metrics_count {
    COUNT_CANCELLED,      /* the client was gone before its answer */
    COUNT_REFUSED,        /* 503: queue or memory for bodies full */
    COUNT_EXPIRED,        /* 503: waited too long */
    COUNT_TIMEOUT_HEADER, /* connections ended for being slow */
    COUNT_TIMEOUT_BODY,
    COUNT_TIMEOUT_WRITE,
    COUNT_TIMEOUT_IDLE,
    COUNT_RELOADED,
    COUNT_RELOAD_FAILED,
    COUNT_CONNECTIONS, /* accepted */
    N_COUNTS,
};

/* What changes from moment to moment, asked when /metrics is. */
struct metrics_gauges {
    size_t queue, in_flight, connections, body_bytes;
    bool ready;
};

/* From any thread. */
void metrics_add(enum metrics_count count);
void metrics_request(enum metrics_route route, int status, double seconds);
void metrics_run(size_t images, double seconds);

/* Seconds a run takes an image, of late; for Retry-After. */
double metrics_seconds_per_image(void);

void metrics_write(struct text *text, const struct metrics_gauges *gauges);

#endif

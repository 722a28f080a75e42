/*
 * Which of the things the service does a request line asks for.
 */
#ifndef SERVICE_ROUTE_H
#define SERVICE_ROUTE_H

#include "metrics.h"

#include <stdbool.h>

enum route_action {
    ACTION_NONE, /* 404 */
    ACTION_PAGE,
    ACTION_METRICS,
    ACTION_CLASSIFY,
    ACTION_SERVER,
    ACTION_LIVE,
    ACTION_READY,
    ACTION_MODEL,
    ACTION_MODEL_READY,
    ACTION_INFER,
};

struct route {
    enum route_action action;
    enum metrics_route group;
    const char *allow; /* methods */
    bool wants_body;   /* POST */
};

/*
 * The route of a request target as it was sent, query and all. Nothing is
 * unescaped: no path here needs it, and what is not unescaped cannot be
 * smuggled. ACTION_NONE for other paths, models and versions.
 */
struct route route_find(const char *target, const char *model);

/* Whether a name can be part of a path as it is: letters, digits, '.', '_' and '-', at most 64. */
bool route_is_name(const char *name);

#endif

/*
 * Paths to actions.
 */
#include "route.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *path;
    struct route route;
} paths[] = {
    {"/", {ACTION_PAGE, ROUTE_PAGE, "GET, HEAD", false}},
    {"/classify", {ACTION_CLASSIFY, ROUTE_CLASSIFY, "POST", true}},
    {"/metrics", {ACTION_METRICS, ROUTE_METRICS, "GET, HEAD", false}},
    {"/v2", {ACTION_SERVER, ROUTE_MODEL, "GET, HEAD", false}},
    {"/v2/health/live", {ACTION_LIVE, ROUTE_HEALTH, "GET, HEAD", false}},
    {"/v2/health/ready", {ACTION_READY, ROUTE_HEALTH, "GET, HEAD", false}},
};

/* Behind /v2/models/NAME and perhaps /versions/1. */
static const struct {
    const char *path;
    struct route route;
} model_paths[] = {
    {"", {ACTION_MODEL, ROUTE_MODEL, "GET, HEAD", false}},
    {"/ready", {ACTION_MODEL_READY, ROUTE_HEALTH, "GET, HEAD", false}},
    {"/infer", {ACTION_INFER, ROUTE_INFER, "POST", true}},
};

static const struct route none = {ACTION_NONE, ROUTE_OTHER, "", false};

/* What follows `prefix` in `path`, or NULL. */
static const char *after(const char *path, const char *end, const char *prefix) {
    size_t size = strlen(prefix);
    bool has = (size_t)(end - path) >= size && memcmp(path, prefix, size) == 0;
    return has ? path + size : NULL;
}

static struct route find_model(const char *path, const char *end, const char *model) {
    const char *rest = after(path, end, model);
    if (!rest) {
        return none;
    }
    const char *versioned = after(rest, end, "/versions/1");
    rest = versioned ? versioned : rest;
    for (size_t i = 0; i < sizeof(model_paths) / sizeof(model_paths[0]); i++) {
        if (after(rest, end, model_paths[i].path) == end) {
            return model_paths[i].route;
        }
    }
    return none;
}

struct route route_find(const char *target, const char *model) {
    const char *end = target + strcspn(target, "?");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (after(target, end, paths[i].path) == end) {
            return paths[i].route;
        }
    }
    const char *rest = after(target, end, "/v2/models/");
    return rest ? find_model(rest, end, model) : none;
}

bool route_is_name(const char *name) {
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!isalnum(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return size > 0 && size <= 64;
}

/* Limits of a group and those around it: see cgroup.h. */
#include "runtime/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool fovea_cgroup_line(const char *dir, const char *name, char *line, int size) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = length > 0 && length < (int)sizeof(path) ? fopen(path, "re") : NULL;
    if (!file) {
        return false;
    }
    bool got = fgets(line, size, file) != NULL;
    fclose(file);
    if (got) {
        line[strcspn(line, "\n")] = 0;
    }
    return got;
}

int64_t fovea_cgroup_stricter(int64_t a, int64_t b) {
    return a == 0 || (b > 0 && b < a) ? b : a;
}

/*
 * The strictest of the groups from `path` up to the root of the hierarchy. In a
 * container, `path` may be the host's name for what is mounted as the root;
 * folders that are not there say nothing.
 */
static int64_t strictest(const char *hierarchy, const char *path, fovea_cgroup_limit *limit) {
    char dir[PATH_MAX];
    size_t root = strlen(hierarchy);
    const char *outside = strstr(path, "/.."); /* above what this namespace shows */
    size_t length = outside ? (size_t)(outside - path) : strlen(path);
    if (root + length >= sizeof(dir)) {
        return 0;
    }
    memcpy(dir, hierarchy, root);
    memcpy(dir + root, path, length);
    length += root;
    int64_t least = 0;
    while (length > root) {
        dir[length] = 0;
        least = fovea_cgroup_stricter(least, limit(dir));
        do {
            length--;
        } while (length > root && dir[length] != '/');
    }
    dir[root] = 0;
    return fovea_cgroup_stricter(least, limit(dir));
}

static bool has_controller(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) {
            return true;
        }
    }
    return false;
}

/* A hierarchy of version 1 is mounted under the list of its controllers, or one of their names. */
static int64_t strictest_v1(const char *mount, const char *name, const char *path,
                            fovea_cgroup_limit *limit) {
    char hierarchy[PATH_MAX];
    int length = snprintf(hierarchy, sizeof(hierarchy), "%s/%s", mount, name);
    return length > 0 && length < (int)sizeof(hierarchy) ? strictest(hierarchy, path, limit) : 0;
}

/* A line of /proc/self/cgroup, "ID:CONTROLLERS:PATH"; version 2 is "0::PATH". */
static int64_t limit_of_line(char *line, const char *mount, const struct fovea_cgroup_rule *rules,
                             size_t n_rules) {
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    int64_t least = 0;
    if (!path) {
        return 0;
    }
    *controllers++ = 0;
    *path++ = 0;
    for (size_t i = 0; i < n_rules; i++) {
        const char *name = rules[i].controller;
        if (!name && !*controllers) {
            least = fovea_cgroup_stricter(least, strictest(mount, path, rules[i].limit));
        } else if (name && has_controller(controllers, name)) {
            fovea_cgroup_limit *limit = rules[i].limit;
            least = fovea_cgroup_stricter(least, strictest_v1(mount, controllers, path, limit));
            least = fovea_cgroup_stricter(least, strictest_v1(mount, name, path, limit));
        }
    }
    return least;
}

int64_t fovea_cgroup_strictest(const char *membership, const char *mount,
                               const struct fovea_cgroup_rule *rules, size_t n_rules) {
    char line[PATH_MAX];
    int64_t least = 0;
    FILE *file = fopen(membership, "re");
    if (!file) {
        return 0;
    }
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = 0;
        least = fovea_cgroup_stricter(least, limit_of_line(line, mount, rules, n_rules));
    }
    fclose(file);
    return least;
}

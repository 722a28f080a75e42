/* CPUs that affinity and cgroups allow: see cpu_budget.h and parallel.h. */
#include "runtime/cpu_budget.h"

#include "runtime/parallel.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CPUS = 1 << 16 };

/* ---- files ------------------------------------------------------------------ */

/* The first line of DIR/NAME without its end; false if there is none. */
static bool read_line(const char *dir, const char *name, char *line, int size) {
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

/* The smaller of two numbers of which 0 stands for no limit. */
static int stricter(int a, int b) {
    return a == 0 || (b > 0 && b < a) ? b : a;
}

static int cpus_of_quota(long long quota, long long period) {
    if (quota <= 0 || period <= 0) {
        return 0;
    }
    long long cpus = quota / period + (quota % period > 0);
    return cpus > MOST_CPUS ? 0 : (int)cpus;
}

int fovea_cpu_list_count(const char *list) {
    int count = 0;
    while (*list) {
        char *end;
        long first = strtol(list, &end, 10), last = first;
        if (end == list || first < 0) {
            return 0;
        }
        if (*end == '-') {
            list = end + 1;
            last = strtol(list, &end, 10);
        }
        if (end == list || last < first || last - first >= MOST_CPUS - count) {
            return 0;
        }
        count += (int)(last - first) + 1;
        if (*end && *end != ',') {
            return 0;
        }
        list = end + (*end == ',');
    }
    return count;
}

/* ---- one group ---------------------------------------------------------------- */

static int list_file(const char *dir, const char *name) {
    char line[4096];
    return read_line(dir, name, line, sizeof(line)) ? fovea_cpu_list_count(line) : 0;
}

/* Version 2: "QUOTA PERIOD" or "max PERIOD", in microseconds. */
static int group_v2(const char *dir) {
    char line[64];
    int cpus = 0;
    if (read_line(dir, "cpu.max", line, sizeof(line))) {
        char *end; /* the line itself behind "max" */
        long long quota = strtoll(line, &end, 10);
        cpus = cpus_of_quota(quota, strtoll(end, NULL, 10));
    }
    return stricter(cpus, list_file(dir, "cpuset.cpus.effective"));
}

/* Version 1, controller cpu: a quota of -1 is none. */
static int group_v1_cpu(const char *dir) {
    char quota[32], period[32];
    if (!read_line(dir, "cpu.cfs_quota_us", quota, sizeof(quota)) ||
        !read_line(dir, "cpu.cfs_period_us", period, sizeof(period))) {
        return 0;
    }
    return cpus_of_quota(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

static int group_v1_cpuset(const char *dir) {
    int effective = list_file(dir, "cpuset.effective_cpus");
    return effective > 0 ? effective : list_file(dir, "cpuset.cpus");
}

/* ---- a group and those around it ----------------------------------------------- */

/*
 * The strictest of the groups from `path` up to the root of the hierarchy. In a
 * container, `path` may be the host's name for what is mounted as the root;
 * folders that are not there say nothing.
 */
static int strictest(const char *hierarchy, const char *path, int (*group)(const char *dir)) {
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
    int cpus = 0;
    while (length > root) {
        dir[length] = 0;
        cpus = stricter(cpus, group(dir));
        do {
            length--;
        } while (length > root && dir[length] != '/');
    }
    dir[root] = 0;
    return stricter(cpus, group(dir));
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
static int strictest_v1(const char *mount, const char *name, const char *path,
                        int (*group)(const char *dir)) {
    char hierarchy[PATH_MAX];
    int length = snprintf(hierarchy, sizeof(hierarchy), "%s/%s", mount, name);
    return length > 0 && length < (int)sizeof(hierarchy) ? strictest(hierarchy, path, group) : 0;
}

/* A line of /proc/self/cgroup, "ID:CONTROLLERS:PATH"; version 2 is "0::PATH". */
static int cpus_of_line(char *line, const char *mount) {
    static const struct {
        const char *controller;
        int (*group)(const char *dir);
    } rows[] = {{"cpu", group_v1_cpu}, {"cpuset", group_v1_cpuset}};
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    int cpus = 0;
    if (!path) {
        return 0;
    }
    *controllers++ = 0;
    *path++ = 0;
    if (!*controllers) {
        return strictest(mount, path, group_v2);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (has_controller(controllers, rows[i].controller)) {
            cpus = stricter(cpus, strictest_v1(mount, controllers, path, rows[i].group));
            cpus = stricter(cpus, strictest_v1(mount, rows[i].controller, path, rows[i].group));
        }
    }
    return cpus;
}

int fovea_cgroup_cpus(const char *membership, const char *mount) {
    char line[PATH_MAX];
    int cpus = 0;
    FILE *file = fopen(membership, "re");
    if (!file) {
        return 0;
    }
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = 0;
        cpus = stricter(cpus, cpus_of_line(line, mount));
    }
    fclose(file);
    return cpus;
}

/* ---- the process ---------------------------------------------------------------- */

/* The mask may be larger than cpu_set_t on machines of more than 1024 CPUs. */
static int affinity_cpus(void) {
    int cpus = 0;
    for (int room = 1024; cpus == 0 && room <= MOST_CPUS; room *= 4) {
        cpu_set_t *set = CPU_ALLOC((size_t)room);
        size_t bytes = CPU_ALLOC_SIZE((size_t)room);
        if (!set) {
            return 0;
        }
        if (sched_getaffinity(0, bytes, set) == 0) {
            cpus = CPU_COUNT_S(bytes, set);
        }
        CPU_FREE(set);
    }
    return cpus;
}

int fovea_cpu_budget(void) {
    int cpus = stricter(affinity_cpus(), fovea_cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup"));
    return cpus > 0 ? cpus : 1;
}

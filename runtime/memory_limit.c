/* How much memory this process has, and may take: the system's, and its cgroup's. */
#include "runtime/memory_limit.h"

#include "runtime/cgroup.h"
#include "runtime/session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/*
 * The number behind `label` on the first line of a file that begins with it; 0
 * where there is none: no file, no such line, a word ("max").
 */
static unsigned long long read_number(const char *path, const char *label) {
    FILE *file = fopen(path, "re");
    char line[128];
    unsigned long long number = 0;
    size_t length = strlen(label);
    if (!file) {
        return 0;
    }
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, label, length) == 0) {
            number = strtoull(line + length, NULL, 10);
            break;
        }
    }
    fclose(file);
    return number;
}

static unsigned long long process_kib(const char *label) {
    return read_number("/proc/self/status", label);
}

/* Without /proc, as in a bare chroot: the most this process, or what started it, has had. */
static size_t most_by_rusage(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}

size_t fovea_resident_bytes(void) {
    unsigned long long kib = process_kib("VmRSS:");
    return kib > 0 ? (size_t)kib * 1024 : most_by_rusage();
}

size_t fovea_peak_resident_bytes(void) {
    unsigned long long kib = process_kib("VmHWM:");
    return kib > 0 ? (size_t)kib * 1024 : most_by_rusage();
}

/* ---- groups ------------------------------------------------------------------- */

static unsigned long long number_in(const char *dir, const char *name, const char *label) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", dir, name);
    return length > 0 && length < (int)sizeof(path) ? read_number(path, label) : 0;
}

/* Files of a group, and the line of its memory.stat that is about pages of files nobody uses. */
struct names {
    const char *limit, *used, *idle;
};

/*
 * What a group leaves, at least a byte; 0 if it has no limit. Pages of files that nobody uses are
 * given back as soon as others are asked for, so they are not counted as taken.
 */
static int64_t left_in(const char *dir, const struct names *names) {
    unsigned long long limit = number_in(dir, names->limit, "");
    if (limit == 0 || limit > INT64_MAX) {
        return 0;
    }
    unsigned long long used = number_in(dir, names->used, "");
    unsigned long long idle = number_in(dir, "memory.stat", names->idle);
    used -= idle < used ? idle : used;
    return used < limit ? (int64_t)(limit - used) : 1;
}

static int64_t group_v2(const char *dir) {
    static const struct names names = {"memory.max", "memory.current", "inactive_file "};
    return left_in(dir, &names);
}

static int64_t group_v1(const char *dir) {
    static const struct names names = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                                       "total_inactive_file "};
    return left_in(dir, &names);
}

int64_t fovea_cgroup_memory(const char *membership, const char *mount) {
    static const struct fovea_cgroup_rule rules[] = {{NULL, group_v2}, {"memory", group_v1}};
    return fovea_cgroup_strictest(membership, mount, rules, sizeof(rules) / sizeof(rules[0]));
}

size_t fovea_default_memory_limit(void) {
    int64_t available = (int64_t)(read_number("/proc/meminfo", "MemAvailable:") * 1024);
    available = fovea_cgroup_stricter(
        available, fovea_cgroup_memory(FOVEA_CGROUP_MEMBERSHIP, FOVEA_CGROUP_MOUNT));
    if (available == 0) {
        available = INT64_C(1) << 32; /* nothing known: what a small machine has */
    }
    return (size_t)available / 10 * 8;
}

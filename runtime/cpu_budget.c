/* CPUs that affinity and cgroups allow: see cpu_budget.h and parallel.h. */
#include "runtime/cpu_budget.h"

#include "runtime/cgroup.h"
#include "runtime/parallel.h"

#include <sched.h>
#include <stddef.h>
#include <stdlib.h>

enum { MOST_CPUS = 1 << 16 };

/* ---- numbers ---------------------------------------------------------------- */

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

static int64_t list_file(const char *dir, const char *name) {
    char line[4096];
    return fovea_cgroup_line(dir, name, line, sizeof(line)) ? fovea_cpu_list_count(line) : 0;
}

/* Version 2: "QUOTA PERIOD" or "max PERIOD", in microseconds. */
static int64_t group_v2(const char *dir) {
    char line[64];
    int cpus = 0;
    if (fovea_cgroup_line(dir, "cpu.max", line, sizeof(line))) {
        char *end; /* the line itself behind "max" */
        long long quota = strtoll(line, &end, 10);
        cpus = cpus_of_quota(quota, strtoll(end, NULL, 10));
    }
    return fovea_cgroup_stricter(cpus, list_file(dir, "cpuset.cpus.effective"));
}

/* Version 1, controller cpu: a quota of -1 is none. */
static int64_t group_v1_cpu(const char *dir) {
    char quota[32], period[32];
    if (!fovea_cgroup_line(dir, "cpu.cfs_quota_us", quota, sizeof(quota)) ||
        !fovea_cgroup_line(dir, "cpu.cfs_period_us", period, sizeof(period))) {
        return 0;
    }
    return cpus_of_quota(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

static int64_t group_v1_cpuset(const char *dir) {
    int64_t effective = list_file(dir, "cpuset.effective_cpus");
    return effective > 0 ? effective : list_file(dir, "cpuset.cpus");
}

int fovea_cgroup_cpus(const char *membership, const char *mount) {
    static const struct fovea_cgroup_rule rules[] = {
        {NULL, group_v2}, {"cpu", group_v1_cpu}, {"cpuset", group_v1_cpuset}};
    return (int)fovea_cgroup_strictest(membership, mount, rules, sizeof(rules) / sizeof(rules[0]));
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
    int64_t cpus = fovea_cgroup_stricter(
        affinity_cpus(), fovea_cgroup_cpus(FOVEA_CGROUP_MEMBERSHIP, FOVEA_CGROUP_MOUNT));
    return cpus > 0 ? (int)cpus : 1;
}

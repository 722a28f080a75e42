/*
 * How many CPUs a cgroup leaves its processes, versions 1 and 2: what a
 * container may use is seldom what the machine has.
 */
#ifndef FOVEA_RUNTIME_CPU_BUDGET_H
#define FOVEA_RUNTIME_CPU_BUDGET_H

/*
 * The fewest CPUs that quotas (cpu.max, cpu.cfs_quota_us) and sets
 * (cpuset.cpus.effective, cpuset.cpus) of the process's group and all the
 * groups around it allow; 0 if none of them says.
 *
 * `membership` is /proc/self/cgroup, `mount` where the hierarchies are mounted,
 * /sys/fs/cgroup. A quota of one and a half CPUs counts as two: a thread more
 * uses the half that would be left over.
 */
int fovea_cgroup_cpus(const char *membership, const char *mount);

/* CPUs in a list of the kernel's, "0-3,8,10-11"; 0 if it is none. */
int fovea_cpu_list_count(const char *list);

#endif

/*
 * What the cgroups of a process, versions 1 and 2, say of a resource: the group
 * it is in, and all those around it, of which the strictest counts.
 */
#ifndef FOVEA_RUNTIME_CGROUP_H
#define FOVEA_RUNTIME_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the kernel tells the groups of this process, and where hierarchies are mounted. */
#define FOVEA_CGROUP_MEMBERSHIP "/proc/self/cgroup"
#define FOVEA_CGROUP_MOUNT "/sys/fs/cgroup"

/* What a group's folder says is the most; 0 if nothing. */
typedef int64_t fovea_cgroup_limit(const char *dir);

struct fovea_cgroup_rule {
    const char *controller; /* of version 1; NULL: of version 2 */
    fovea_cgroup_limit *limit;
};

/* The least that the rules find in the groups that `membership` names; 0 if they find nothing. */
int64_t fovea_cgroup_strictest(const char *membership, const char *mount,
                               const struct fovea_cgroup_rule *rules, size_t n_rules);

/* The smaller of two numbers of which 0 stands for no limit. */
int64_t fovea_cgroup_stricter(int64_t a, int64_t b);

/* The first line of DIR/NAME without its end; false if there is none. */
bool fovea_cgroup_line(const char *dir, const char *name, char *line, int size);

#endif

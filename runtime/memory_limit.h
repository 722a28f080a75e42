/*
 * How much memory a cgroup leaves its processes, versions 1 and 2: a service
 * may have less than the machine.
 */
#ifndef FOVEA_RUNTIME_MEMORY_LIMIT_H
#define FOVEA_RUNTIME_MEMORY_LIMIT_H

#include <stdint.h>

/*
 * Bytes that the process's group and all the groups around it leave
 * (memory.max less memory.current, or memory.limit_in_bytes less
 * memory.usage_in_bytes), pages of files that nobody uses taken for free; 0 if
 * none of them has a limit. Of `membership` and `mount` see runtime/cpu_budget.h.
 */
int64_t fovea_cgroup_memory(const char *membership, const char *mount);

#endif

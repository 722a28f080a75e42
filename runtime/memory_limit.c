/* How much memory this process has, and may take: the system's, and its cgroup's. */
#include "runtime/session.h"

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

size_t fovea_default_memory_limit(void) {
    unsigned long long available = read_number("/proc/meminfo", "MemAvailable:") * 1024;
    unsigned long long limit = read_number("/sys/fs/cgroup/memory.max", "");
    unsigned long long used = read_number("/sys/fs/cgroup/memory.current", "");
    if (limit > 0) {
        unsigned long long left = limit > used ? limit - used : 0;
        if (available == 0 || left < available) {
            available = left;
        }
    }
    if (available == 0) {
        available = 1ull << 32; /* nothing known: what a small machine has */
    }
    return (size_t)(available / 10 * 8);
}

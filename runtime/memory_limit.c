/* How much memory this process may take: the system's, and its cgroup's. */
#include "runtime/session.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A number from a file of one line ("max" and failures: 0). */
static unsigned long long read_number(const char *path) {
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0;
    }
    unsigned long long number = 0;
    if (fscanf(file, "%llu", &number) != 1) {
        number = 0;
    }
    fclose(file);
    return number;
}

static unsigned long long system_available(void) {
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long long kib = 0;
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1) {
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return kib * 1024;
}

size_t fovea_resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long pages = 0;
    if (file && fscanf(file, "%*u %llu", &pages) != 1) {
        pages = 0;
    }
    if (file) {
        fclose(file);
    }
    if (pages > 0) {
        return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
    }
    /* Without /proc, as in a bare chroot: the most it has been. */
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}

size_t fovea_default_memory_limit(void) {
    unsigned long long available = system_available();
    unsigned long long limit = read_number("/sys/fs/cgroup/memory.max");
    unsigned long long used = read_number("/sys/fs/cgroup/memory.current");
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

/* Mapping regular files: see mapped_file.h. */
#include "loaders/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "of no known kind";
    }
}

enum fovea_status fovea_descriptor_map(int fd, uint64_t most, struct fovea_mapping *out,
                                       struct fovea_error *err) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot stat: %s", strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return fovea_fail(err, FOVEA_ERR_IO, "is %s, not a regular file", kind_of(status.st_mode));
    }
    if ((uint64_t)status.st_size > most) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "the file has %lld bytes; the limit is %llu",
                          (long long)status.st_size, (unsigned long long)most);
    }
    struct fovea_mapping mapping = {.length = (size_t)status.st_size};
    if (mapping.length > 0) {
        mapping.bytes = mmap(NULL, mapping.length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (mapping.bytes == MAP_FAILED) {
            return fovea_fail(err, FOVEA_ERR_IO, "cannot map %zu bytes: %s", mapping.length,
                              strerror(errno));
        }
    }
    *out = mapping;
    return FOVEA_OK;
}

enum fovea_status fovea_file_map(const char *path, uint64_t most, struct fovea_mapping *out,
                                 struct fovea_error *err) {
    /* O_NONBLOCK: opening a FIFO must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open: %s", strerror(errno));
    }
    enum fovea_status st = fovea_descriptor_map(fd, most, out, err);
    close(fd);
    return st;
}

void fovea_mapping_finish(struct fovea_mapping *mapping) {
    if (mapping->length > 0) {
        munmap(mapping->bytes, mapping->length);
    }
    *mapping = (struct fovea_mapping){0};
}

/* The number after `key` in a small text file, or UINT64_MAX. */
static uint64_t number_in(const char *path, const char *key) {
    char text[4096];
    FILE *file = fopen(path, "re");
    if (!file) {
        return UINT64_MAX;
    }
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = 0;
    unsigned long long value;
    const char *at = strstr(text, key);
    return at && sscanf(at + strlen(key), "%llu", &value) == 1 ? value : UINT64_MAX;
}

size_t fovea_default_max_memory(void) {
    uint64_t available = number_in("/proc/meminfo", "MemAvailable:");
    if (available != UINT64_MAX) {
        available *= 1024;
    }
    uint64_t most = number_in("/sys/fs/cgroup/memory.max", "");
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    if (most != UINT64_MAX && used != UINT64_MAX) {
        uint64_t left = most > used ? most - used : 0;
        available = left < available ? left : available;
    }
    return available > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)(available / 5 * 4);
}

/* Paths: see paths.h. */
#include "loaders/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fovea_path_ends_in(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

char *fovea_path_beside(const char *file, const char *relative) {
    const char *slash = strrchr(file, '/');
    int folder = slash && relative[0] != '/' ? (int)(slash - file) + 1 : 0;
    char *path;
    return asprintf(&path, "%.*s%s", folder, file, relative) < 0 ? NULL : path;
}

char *fovea_path_of_source(const char *model, const char *location) {
    return location[0] ? fovea_path_beside(model, location) : strdup(model);
}

static char *real_folder(const char *file) {
    char *folder = fovea_path_beside(file, ".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    return real;
}

/* How far two paths, both ending in a slash, name the same folders. */
static size_t shared_folders(const char *a, const char *b) {
    size_t common = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
        common = a[i] == '/' ? i + 1 : common;
    }
    return common;
}

/* From an absolute folder, which ends in a slash, to an absolute file. */
static char *between(const char *folder, const char *file) {
    size_t common = shared_folders(folder, file), ups = 0;
    for (const char *at = folder + common; *at; at++) {
        ups += *at == '/';
    }
    char *path = malloc(3 * ups + strlen(file + common) + 1), *end = path;
    for (size_t i = 0; path && i < ups; i++) {
        end = stpcpy(end, "../");
    }
    if (path) {
        strcpy(end, file + common);
    }
    return path;
}

char *fovea_path_relative(const char *from, const char *to) {
    char *folder = real_folder(from), *file = realpath(to, NULL), *slashed = NULL, *path = NULL;
    if (folder && file && asprintf(&slashed, "%s%s", folder, folder[1] ? "/" : "") >= 0) {
        path = between(slashed, file);
        free(slashed);
    }
    free(folder);
    free(file);
    return path;
}

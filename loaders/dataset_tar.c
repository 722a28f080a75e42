/* Datasets in tar archives: what there is in one, and the bytes of an image. */
#include "loaders/dataset_parts.h"

#include "loaders/file.h"
#include "loaders/mapped_file.h"
#include "loaders/tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 16 }; /* followed one after another */

struct fovea_archive {
    int fd;
    struct fovea_file_id id; /* when it was listed */
};

void dataset_archive_destroy(struct fovea_archive *archive) {
    if (archive) {
        close(archive->fd);
        free(archive);
    }
}

static enum fovea_status open_archive(const char *path, struct fovea_archive **out,
                                      struct fovea_error *err) {
    struct stat status;
    struct fovea_archive *archive = calloc(1, sizeof(*archive));
    if (!archive) {
        return fovea_fail_memory(err, sizeof(*archive), "an archive");
    }
    archive->fd = fovea_file_open(path);
    if (archive->fd < 0 || fstat(archive->fd, &status) != 0) {
        int code = errno;
        dataset_archive_destroy(archive);
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open: %s", strerror(code));
    }
    fovea_file_id_of(&status, &archive->id);
    *out = archive;
    return FOVEA_OK;
}

/* ---- names and links --------------------------------------------------------------- */

/* Without "." and empty parts, ".." taken back: in place. Above the top there is nothing. */
static void make_plain(char *path) {
    char *to = path;
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        const char *next = part + length + (part[length] ? 1 : 0);
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            while (to > path && *--to != '/') {
            }
        } else if (length > 0 && !(length == 1 && part[0] == '.')) {
            if (to > path) {
                *to++ = '/';
            }
            memmove(to, part, length);
            to += length;
        }
        part = next;
    }
    *to = 0;
}

static int by_path(const void *a, const void *b) {
    const struct fovea_tar_entry *const *x = a, *const *y = b;
    int order = strcmp((*x)->path, (*y)->path);
    return order ? order : (*x > *y) - (*x < *y);
}

/* The entries by their paths; of one path, the last in the archive is what extracting leaves. */
struct index {
    const struct fovea_tar_entry **list;
    size_t count;
};

static const struct fovea_tar_entry *find(const struct index *index, const char *path) {
    size_t low = 0, high = index->count; /* the first that is greater */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->list[middle]->path, path) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && strcmp(index->list[low - 1]->path, path) == 0 ? index->list[low - 1] : NULL;
}

/* Where a link points, as a path in the archive; NULL if out of memory. */
static char *target_of(const struct fovea_tar_entry *entry) {
    const char *slash = strrchr(entry->path, '/');
    bool beside = entry->type == FOVEA_TAR_SYMBOLIC_LINK && slash && entry->link[0] != '/';
    size_t folder = beside ? (size_t)(slash - entry->path) + 1 : 0;
    char *path = malloc(folder + strlen(entry->link) + 1);
    if (path) {
        memcpy(path, entry->path, folder);
        strcpy(path + folder, entry->link);
        make_plain(path);
    }
    return path;
}

/* What is at the end of a chain of links; NULL: nothing. */
static enum fovea_status follow(const struct index *index, const struct fovea_tar_entry **entry,
                                struct fovea_error *err) {
    const struct fovea_tar_entry *at = *entry;
    for (int hops = 0;
         at && at->link && (at->type == FOVEA_TAR_HARD_LINK || at->type == FOVEA_TAR_SYMBOLIC_LINK);
         hops++) {
        char *path = target_of(at);
        if (!path) {
            return fovea_fail_memory(err, strlen(at->link), "a link's target");
        }
        at = hops < LINKS_MAX ? find(index, path) : NULL;
        free(path);
    }
    *entry = at;
    return FOVEA_OK;
}

/* ---- listing ----------------------------------------------------------------------- */

static enum fovea_image_fault fault_of(const struct fovea_tar_entry *target) {
    if (!target) {
        return FOVEA_IMAGE_DANGLING;
    }
    if (target->type == FOVEA_TAR_FOLDER) {
        return FOVEA_IMAGE_DIRECTORY;
    }
    return target->type == FOVEA_TAR_FILE ? FOVEA_IMAGE_THERE : FOVEA_IMAGE_NO_FILE;
}

/* Entry `i` of the index, unless a later one has its path or it has no name left. */
static enum fovea_status add_entry(const struct index *index, size_t i, struct dataset_entries *out,
                                   struct fovea_error *err) {
    const struct fovea_tar_entry *target = index->list[i];
    const char *path = target->path;
    if (!*path || (i + 1 < index->count && strcmp(path, index->list[i + 1]->path) == 0)) {
        return FOVEA_OK;
    }
    enum fovea_status status = follow(index, &target, err);
    if (status) {
        return status;
    }
    struct dataset_entry entry = {
        .path = strdup(path),
        .fault = fault_of(target),
        .offset = target ? target->offset : 0,
        .size = target ? target->size : 0,
    };
    entry.folder = entry.fault == FOVEA_IMAGE_DIRECTORY;
    return dataset_entries_add(out, &entry) ? FOVEA_OK
                                            : fovea_fail_memory(err, strlen(path), "a path");
}

static enum fovea_status add_entries(const struct fovea_tar *tar, struct dataset_entries *out,
                                     struct fovea_error *err) {
    size_t bytes = (tar->count + 1) * sizeof(struct fovea_tar_entry *);
    struct index index = {.list = malloc(bytes), .count = tar->count};
    if (!index.list) {
        return fovea_fail_memory(err, bytes, "an archive's entries");
    }
    for (size_t i = 0; i < tar->count; i++) {
        make_plain(tar->entries[i].path);
        index.list[i] = &tar->entries[i];
    }
    if (index.count > 0) {
        qsort(index.list, index.count, sizeof(*index.list), by_path);
    }
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < index.count; i++) {
        status = add_entry(&index, i, out, err);
    }
    free(index.list);
    return status;
}

enum fovea_status dataset_list_tar(const char *path, struct dataset_entries *out,
                                   struct fovea_archive **archive, struct fovea_error *err) {
    struct fovea_tar tar = {0};
    struct dataset_entries entries = {0};
    struct fovea_archive *opened = NULL;
    enum fovea_status status = open_archive(path, &opened, err);
    if (!status) {
        status = fovea_tar_load(opened->fd, opened->id.size, &tar, err);
    }
    if (!status) {
        status = add_entries(&tar, &entries, err);
    }
    fovea_tar_finish(&tar);
    if (status) {
        dataset_entries_finish(&entries);
        dataset_archive_destroy(opened);
        return status;
    }
    *out = entries;
    *archive = opened;
    return FOVEA_OK;
}

/* ---- reading ------------------------------------------------------------------------ */

/* Read it all; 0, an errno, or -1 if the file ends before. */
static int read_content(int fd, uint64_t at, uint8_t *bytes, size_t size) {
    size_t got;
    int code = fovea_file_read_at(fd, at, bytes, size, &got);
    return code || got == size ? code : -1;
}

/*
 * Bytes read from an archive that was written to since are not those of the image. 0, an errno,
 * or -1 if it was.
 */
static int check_unchanged(const struct fovea_archive *archive) {
    struct stat status;
    struct fovea_file_id now;
    if (fstat(archive->fd, &status) != 0) {
        return errno;
    }
    fovea_file_id_of(&status, &now);
    now.changed_ns = archive->id.changed_ns; /* a rename or another link changes no byte */
    return fovea_file_id_same(&now, &archive->id) ? 0 : -1;
}

enum fovea_status dataset_read_archive(const struct fovea_archive *archive,
                                       const struct fovea_dataset_image *image, uint8_t **bytes,
                                       enum fovea_image_fault *fault, struct fovea_error *err) {
    size_t size = (size_t)image->size;
    uint8_t *buffer = malloc(size);
    if (!buffer) {
        *fault = FOVEA_IMAGE_TOO_LARGE;
        return fovea_fail_memory(err, size, "a file");
    }
    int code = read_content(archive->fd, image->offset, buffer, size);
    code = code ? code : check_unchanged(archive);
    if (code == 0) {
        *bytes = buffer;
        return FOVEA_OK;
    }
    free(buffer);
    *fault = code > 0 ? FOVEA_IMAGE_UNREADABLE : FOVEA_IMAGE_CHANGED;
    return code > 0 ? fovea_fail(err, FOVEA_ERR_IO, "cannot read the archive: %s", strerror(code))
                    : fovea_fail(err, FOVEA_ERR_IO, "the archive changed since it was listed");
}

/* Datasets: which kind one is, and what is known of all kinds. */
#include "loaders/dataset_parts.h"

#include "loaders/file.h"
#include "loaders/paths.h"
#include "loaders/tar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what it is ---------------------------------------------------------------------- */

/* Beginnings of what is compressed, or archived in a way that is not read. */
static const struct {
    const char *name, *how;
    const char bytes[6];
    size_t size;
} compressed[] = {
    {"gzip-compressed", "gunzip", "\x1f\x8b", 2},
    {"bzip2-compressed", "bunzip2", "BZh", 3},
    {"xz-compressed", "unxz",
     "\xfd"
     "7zXZ",
     6},
    {"zstd-compressed", "unzstd", "\x28\xb5\x2f\xfd", 4},
    {"a zip archive", "unzip", "PK\x03\x04", 4},
};

/* The first block of the file; *got is how much of it there is. */
static enum fovea_status read_start(const char *path, unsigned char *block, size_t *got,
                                    struct fovea_error *err) {
    int fd = fovea_file_open(path);
    if (fd < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open: %s", strerror(errno));
    }
    struct stat info;
    int code = fstat(fd, &info) == 0 ? 0 : errno;
    bool regular = code || S_ISREG(info.st_mode);
    if (!code && regular) {
        code = fovea_file_read_at(fd, 0, block, FOVEA_TAR_BLOCK, got);
    }
    close(fd);
    return code || !regular
               ? fovea_fail(err, FOVEA_ERR_IO, "%s",
                            code ? strerror(code) : "is neither a folder nor a regular file")
               : FOVEA_OK;
}

static bool all_zero(const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return true;
}

/* Whether a file is an archive, or else a text. */
static enum fovea_status sniff(const char *path, enum fovea_dataset_kind *out,
                               struct fovea_error *err) {
    unsigned char block[FOVEA_TAR_BLOCK];
    size_t size = 0;
    enum fovea_status status = read_start(path, block, &size, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++) {
        if (size >= compressed[i].size &&
            memcmp(block, compressed[i].bytes, compressed[i].size) == 0) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                              "is %s: images are read in place, so first %s it", compressed[i].name,
                              compressed[i].how);
        }
    }
    bool whole = size == sizeof(block);
    if (whole && (fovea_tar_is_header(block) || all_zero(block, size))) {
        *out = FOVEA_DATASET_TAR;
        return FOVEA_OK;
    }
    if (memchr(block, 0, size)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "is neither a folder, nor a tar archive, nor a list of 'path label'");
    }
    *out = FOVEA_DATASET_LIST;
    return FOVEA_OK;
}

/* ---- what the images show ------------------------------------------------------------ */

/* What a load is about. */
struct loading {
    struct fovea_dataset *set;
    const char *truth;
    enum dataset_truth truth_kind; /* if truth is not NULL */
    struct dataset_names class_map;
    const struct dataset_names *names; /* of the class map, or NULL */
};

static enum fovea_status prefix_path(enum fovea_status status, const char *path,
                                     struct fovea_error *err) {
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
    }
    return status;
}

static enum fovea_status set_words(struct fovea_dataset *set, const char *what, const char *path,
                                   struct fovea_error *err) {
    free(set->labels_from);
    int length = asprintf(&set->labels_from, "%s%s%s", what, path ? " " : "", path ? path : "");
    if (length < 0) {
        set->labels_from = NULL;
        return fovea_fail_memory(err, strlen(what), "words");
    }
    return FOVEA_OK;
}

static enum fovea_status list_images(struct loading *l, const char *path, struct fovea_error *err) {
    struct dataset_names names = {0};
    enum fovea_status status = dataset_read_list(path, l->set, &names, err);
    if (!status) {
        dataset_label_each(l->set);
        status = dataset_take_labels(l->set, &names, l->names, err);
    }
    dataset_names_finish(&names);
    return prefix_path(status, path, err);
}

/* Labels from a truth file other than a list, for the images that there are. */
static enum fovea_status apply_truth(struct loading *l, struct fovea_error *err) {
    bool real = l->truth_kind == DATASET_TRUTH_REAL;
    enum fovea_status status = real ? dataset_label_by_real(l->set, l->truth, err)
                                    : dataset_label_by_lines(l->set, l->truth, l->names, err);
    status = prefix_path(status, l->truth, err);
    return status ? status
                  : set_words(l->set, real ? "ReaL labels" : "ground truth", l->truth, err);
}

/* Images from entries, or from a list that says which of them. */
static enum fovea_status take_entries(struct loading *l, struct dataset_entries *entries,
                                      struct fovea_error *err) {
    struct fovea_dataset *set = l->set;
    if (l->truth && l->truth_kind == DATASET_TRUTH_LIST) {
        enum fovea_status status = list_images(l, l->truth, err);
        if (!status && set->kind == FOVEA_DATASET_TAR) {
            status = dataset_find_images(set, entries, err);
        }
        return status ? status : set_words(set, "list", l->truth, err);
    }
    enum fovea_status status = dataset_place_images(set, entries, !l->truth, l->names, err);
    status = prefix_path(status, set->path, err);
    if (status) {
        return status;
    }
    return l->truth ? apply_truth(l, err) : set_words(set, "class folders", NULL, err);
}

/* ---- the kinds ----------------------------------------------------------------------- */

static enum fovea_status load_folder(struct loading *l, struct fovea_error *err) {
    struct dataset_entries entries = {0};
    bool listed = l->truth && l->truth_kind == DATASET_TRUTH_LIST;
    enum fovea_status status = listed ? FOVEA_OK : dataset_list_folder(l->set->root, &entries, err);
    status = prefix_path(status, l->set->path, err);
    if (!status) {
        status = take_entries(l, &entries, err);
    }
    dataset_entries_finish(&entries);
    return status;
}

static enum fovea_status load_tar(struct loading *l, struct fovea_error *err) {
    struct dataset_entries entries = {0};
    enum fovea_status status = dataset_list_tar(l->set->root, &entries, &l->set->archive, err);
    status = prefix_path(status, l->set->path, err);
    if (!status) {
        status = take_entries(l, &entries, err);
    }
    dataset_entries_finish(&entries);
    return status;
}

static enum fovea_status load_list(struct loading *l, struct fovea_error *err) {
    struct fovea_dataset *set = l->set;
    if (l->truth && l->truth_kind == DATASET_TRUTH_LIST) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%s is a list, and so is %s: which of them says what images show?",
                          fovea_quote(set->path).text, fovea_quote(l->truth).text);
    }
    free(set->root);
    set->root = fovea_path_beside(set->path, ".");
    if (!set->root) {
        return fovea_fail_memory(err, strlen(set->path), "a path");
    }
    enum fovea_status status = list_images(l, set->path, err);
    if (!status) {
        status = set_words(set, "the list", NULL, err);
    }
    return status || !l->truth ? status : apply_truth(l, err);
}

static const struct {
    const char *name;
    enum fovea_status (*load)(struct loading *l, struct fovea_error *err);
} kinds[] = {
    [FOVEA_DATASET_FOLDER] = {"folder", load_folder},
    [FOVEA_DATASET_TAR] = {"tar", load_tar},
    [FOVEA_DATASET_LIST] = {"list", load_list},
};

static enum fovea_status kind_of(const char *path, enum fovea_dataset_kind *out,
                                 struct fovea_error *err) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot read: %s", strerror(errno));
    }
    *out = FOVEA_DATASET_FOLDER;
    return S_ISDIR(info.st_mode) ? FOVEA_OK : sniff(path, out, err);
}

static enum fovea_status load(struct loading *l, const struct fovea_dataset_options *options,
                              struct fovea_error *err) {
    /* Our caller finishes the set. NOLINTBEGIN(clang-analyzer-unix.Malloc) */
    enum fovea_status status =
        prefix_path(kind_of(l->set->path, &l->set->kind, err), l->set->path, err);
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
    if (!status && options->truth) {
        l->truth = options->truth;
        status = prefix_path(dataset_sniff_truth(l->truth, &l->truth_kind, err), l->truth, err);
    }
    if (!status && options->class_map) {
        status = prefix_path(dataset_read_class_map(options->class_map, &l->class_map, err),
                             options->class_map, err);
        l->names = &l->class_map;
    }
    return status ? status : kinds[l->set->kind].load(l, err);
}

enum fovea_status fovea_dataset_load(const char *path, const struct fovea_dataset_options *options,
                                     struct fovea_dataset *out, struct fovea_error *err) {
    static const struct fovea_dataset_options none;
    struct fovea_dataset set = {.path = strdup(path), .root = strdup(path)};
    struct loading l = {.set = &set};
    enum fovea_status status = set.path && set.root
                                   ? load(&l, options ? options : &none, err)
                                   : fovea_fail_memory(err, strlen(path) + 1, "a path");
    dataset_names_finish(&l.class_map);
    if (status) {
        fovea_dataset_finish(&set);
        return status;
    }
    *out = set;
    return FOVEA_OK;
}

void fovea_dataset_finish(struct fovea_dataset *dataset) {
    for (size_t i = 0; i < dataset->n_classes; i++) {
        free(dataset->classes[i].name);
    }
    for (size_t i = 0; i < dataset->n_images; i++) {
        free(dataset->images[i].path);
    }
    dataset_archive_destroy(dataset->archive);
    free(dataset->classes);
    free(dataset->images);
    free(dataset->labels);
    free(dataset->labels_from);
    free(dataset->repeated);
    free(dataset->ignored);
    free(dataset->root);
    free(dataset->path);
    *dataset = (struct fovea_dataset){0};
}

/* ---- in words and numbers ------------------------------------------------------------ */

/* 50000 as "50,000"; by value. */
struct grouped {
    char text[32];
};

static struct grouped grouped(size_t number) {
    char digits[24];
    struct grouped out;
    int n = snprintf(digits, sizeof(digits), "%zu", number), to = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            out.text[to++] = ',';
        }
        out.text[to++] = digits[i];
    }
    out.text[to] = 0;
    return out;
}

struct fovea_dataset_words fovea_dataset_describe(const struct fovea_dataset *set) {
    struct fovea_dataset_words words;
    char unscored[80] = "";
    if (set->n_unscored > 0) {
        snprintf(unscored, sizeof(unscored), "; %s have no label and are not scored",
                 grouped(set->n_unscored).text);
    }
    snprintf(words.text, sizeof(words.text),
             "%s image%s in %s class%s from %s %s, labels from %s%s", grouped(set->n_images).text,
             set->n_images == 1 ? "" : "s", grouped(set->n_classes).text,
             set->n_classes == 1 ? "" : "es", kinds[set->kind].name, fovea_quote(set->path).text,
             fovea_quote(set->labels_from).text, unscored);
    return words;
}

/*
 * inject_readers READER=PATH..., READER=@NAME for a file of inputs.h, made=SERIES of series.h: fail
 * the first, the second, ... call that may fail while a file is read, as inject.c does in the life
 * of a model, for each file, or each in a folder. What is read in spite of that must be what is
 * read undisturbed, else there is an error; and nothing leaks. A file that is refused anyway must
 * be so. data=PATH: what data_inputs.c makes of an archive.
 */
#include "tests/inject/data_inputs.h"
#include "tests/inject/inputs.h"
#include "tests/inject/readers.h"
#include "tests/inject/series.h"
#include "tests/inject/sweep.h"
#include "tests/temp_dir.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is read now. */
static const struct reader *reader;
static char reader_path[PATH_MAX];

static uint64_t wanted, sum;
static enum fovea_status wanted_status;

static enum fovea_status call(struct phase_work *work, struct fovea_error *err) {
    (void)work;
    sum = 0;
    enum fovea_status st = reader->read(reader_path, &sum, err);
    return st && st == wanted_status ? FOVEA_OK : st;
}

static enum fovea_status prepare(struct phase_work *work, struct fovea_error *err) {
    wanted_status = FOVEA_OK;
    wanted_status = call(work, err);
    wanted = sum;
    return FOVEA_OK;
}

static bool right(struct phase_work *work) {
    (void)work;
    return sum == wanted;
}

static bool clean(struct phase_work *work) {
    (void)work;
    return true;
}

static void nothing(struct phase_work *work) {
    (void)work;
}

static bool always(const struct phase_work *work) {
    (void)work;
    return true;
}

static bool sweep_file(const char *name, long last, bool with_files) {
    static const struct {
        const char *what;
        unsigned kinds;
        enum point_fault fault;
    } sorts[] = {
        {"memory", POINT_ALLOC, FAULT_HARD},
        {"files", POINT_FILE, FAULT_HARD},
        {"files, interrupted", POINT_FILE, FAULT_EINTR},
        {"files, short", POINT_FILE, FAULT_SHORT},
    };
    const struct phase phase = {name, always, prepare, call, right, clean, nothing, nothing};
    bool ok = true;
    for (size_t i = 0; i < (with_files ? sizeof(sorts) / sizeof(sorts[0]) : 1); i++) {
        const struct sweep sweep = {
            .phase = &phase,
            .what = sorts[i].what,
            .plan = {.owner = POINT_OURS, .kinds = sorts[i].kinds, .fault = sorts[i].fault},
            .stride = 1,
            .last = last,
        };
        ok = sweep_points(&sweep) && ok;
    }
    return ok;
}

/* The reader that the first byte chooses, and a file of the rest. */
static bool choose(const struct reader *from) {
    static unsigned char bytes[1 << 16];
    FILE *in = fopen(reader_path, "rb");
    size_t size = in ? fread(bytes, 1, sizeof(bytes), in) : 0;
    if (in) {
        fclose(in);
    }
    if (size == 0) {
        return false;
    }
    reader = &from->chosen[bytes[0] % 4];
    snprintf(reader_path, sizeof(reader_path), "%s", temp_write("rest", bytes + 1, size - 1));
    return true;
}

static void sweep_path(const struct reader *from, const char *path, int *passed, int *failed) {
    const char *slash = strrchr(path, '/');
    reader = from;
    if (!realpath(path, reader_path)) {
        perror(path);
        *failed += 1;
        return;
    }
    if (from->chosen && !choose(from)) {
        *failed += 1;
        return;
    }
    *(sweep_file(slash ? slash + 1 : path, 0, true) ? passed : failed) += 1;
}

static void sweep_all(const struct reader *from, const char *path, int *passed, int *failed) {
    struct dirent **entries;
    struct stat status;
    if (stat(path, &status) != 0) {
        printf("skipped: %s is not there\n", path);
        return;
    }
    bool listed = S_ISDIR(status.st_mode) && !from->takes_folders;
    int count = listed ? scandir(path, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        sweep_path(from, path, passed, failed);
        return;
    }
    for (int i = 0; i < count; i++) {
        char child[PATH_MAX];
        snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            sweep_path(from, child, passed, failed);
        }
        free(entries[i]);
    }
    free(entries);
}

/* All that data_inputs.c makes. */
static void sweep_data(const char *archive, int *passed, int *failed) {
    size_t n = 0;
    const struct data_input *inputs = data_inputs_make(archive, &n);
    for (size_t i = 0; i < n; i++) {
        reader = &inputs[i].reader;
        snprintf(reader_path, sizeof(reader_path), "%s", inputs[i].path);
        *(sweep_file(reader->name, 0, true) ? passed : failed) += 1;
    }
    *failed += n == 0;
}

static const struct reader *reader_named(const char *name, size_t length) {
    const struct reader *found = readers;
    while (found->name && (strlen(found->name) != length || memcmp(found->name, name, length))) {
        found++;
    }
    return found->name ? found : NULL;
}

/* Files made one after the other: series.h. */
static void sweep_series(const char *name, int *passed, int *failed) {
    const struct series *made = series;
    while (made->name && strcmp(made->name, name) != 0) {
        made++;
    }
    reader = made->name ? reader_named(made->reader, strlen(made->reader)) : NULL;
    *failed += !reader;
    for (size_t i = 0; reader && i < made->count; i++) {
        snprintf(reader_path, sizeof(reader_path), "%s", made->write(i));
        *(sweep_file(made->name, made->last, made->files) ? passed : failed) += 1;
    }
}

/* Two images, for what says what images show. */
static bool make_flat_folder(void) {
    if (mkdir(temp_path("flat"), 0700) != 0) {
        return false;
    }
    temp_write("flat/a.jpg", "", 0);
    temp_write("flat/ILSVRC2012_val_00000002.JPEG", "", 0);
    readers_folder = temp_path("flat");
    return true;
}

int main(int argc, char **argv) {
    struct phase_work work = {.threads = 1};
    int passed = 0, failed = 0;
    work.folder = temp_dir();
    work.compiled = strdup(temp_path("compiled"));
    work.model_path = strdup(temp_path("tiny.onnx"));
    if (!sweep_begin(&work, false) || !sweep_make_files(false) || !make_flat_folder() ||
        !inputs_make()) {
        fprintf(stderr, "inject_readers: cannot make what to work on\n");
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "data=", 5) == 0) {
            sweep_data(argv[i] + 5, &passed, &failed);
            continue;
        }
        const char *sign = strchr(argv[i], '=');
        if (strncmp(argv[i], "made=", 5) == 0) {
            sweep_series(argv[i] + 5, &passed, &failed);
            continue;
        }
        const struct reader *from = sign ? reader_named(argv[i], (size_t)(sign - argv[i])) : NULL;
        if (!from) {
            fprintf(stderr, "%s: not READER=PATH\n", argv[i]);
            return 2;
        }
        sweep_all(from, sign[1] == '@' ? temp_path(sign + 2) : sign + 1, &passed, &failed);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

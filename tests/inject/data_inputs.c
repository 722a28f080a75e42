/* See data_inputs.h. */
#include "tests/inject/data_inputs.h"

#include "evaluation/journal_line.h"
#include "evaluation/journal_read.h"
#include "evaluation/json_values.h"
#include "evaluation/predictions.h"
#include "loaders/dataset.h"
#include "loaders/labels.h"
#include "runtime/checksum.h"
#include "runtime/model.h"

#include "tests/eval_records.h"
#include "tests/temp_dir.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IMAGES = 70 }; /* lists of names have room for 64 at first */

static char root[PATH_MAX], flat[PATH_MAX], tar[PATH_MAX];

static void add_text(uint64_t *sum, const char *text) {
    size_t size = text ? strlen(text) : 0;
    *sum = *sum * 31 + fovea_checksum(text ? text : "", size);
}

/* ---- readers ------------------------------------------------------------------------------ */

static enum fovea_status read_folders(const char *path, uint64_t *sum, struct fovea_error *err) {
    return readers_read_set(path, NULL, sum, err);
}

/* The file says which classes there are. */
static enum fovea_status read_mapped(const char *path, uint64_t *sum, struct fovea_error *err) {
    const struct fovea_dataset_options options = {.class_map = path};
    return readers_read_set(root, &options, sum, err);
}

/* The file says what images of a flat folder, a list, or the archive show. */
static enum fovea_status read_flat(const char *path, uint64_t *sum, struct fovea_error *err) {
    const struct fovea_dataset_options options = {.truth = path};
    return readers_read_set(flat, &options, sum, err);
}

static enum fovea_status read_flat_mapped(const char *path, uint64_t *sum,
                                          struct fovea_error *err) {
    char map[PATH_MAX];
    const struct fovea_dataset_options options = {.truth = path, .class_map = map};
    snprintf(map, sizeof(map), "%s/../map.txt", flat);
    return readers_read_set(flat, &options, sum, err);
}

static enum fovea_status read_listed(const char *path, uint64_t *sum, struct fovea_error *err) {
    char list[PATH_MAX];
    const struct fovea_dataset_options options = {.truth = path};
    snprintf(list, sizeof(list), "%s/../flat.txt", flat);
    return readers_read_set(list, &options, sum, err);
}

static enum fovea_status read_archived(const char *path, uint64_t *sum, struct fovea_error *err) {
    const struct fovea_dataset_options options = {.truth = path};
    return readers_read_set(tar, &options, sum, err);
}

/* As a run that goes on does: what it is of is known, then read again. */
static enum fovea_status read_journal(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct eval_collection read = {0}, again = {0};
    struct eval_journal_state state;
    enum fovea_status st = eval_collection_read(&read, path, &state, err);
    st = st ? st : eval_collection_expect(&again, &read.description, err);
    st = st ? st : eval_collection_read(&again, path, &state, err);
    for (size_t i = 0; !st && i < again.n_records; i++) {
        add_text(sum, again.records[i].path);
        add_text(sum, again.records[i].message);
        *sum = *sum * 31 + again.records[i].n_labels;
    }
    for (int32_t i = 0; !st && again.description.names && i < again.description.classes; i++) {
        add_text(sum, again.description.names[i]);
    }
    *sum = *sum * 31 + (st ? 0 : state.damaged);
    eval_collection_finish(&read);
    eval_collection_finish(&again);
    return st;
}

static enum fovea_status find_journals(const char *path, uint64_t *sum, struct fovea_error *err) {
    char **paths;
    size_t count;
    enum fovea_status st = eval_journals_find(path, &paths, &count, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < count; i++) {
        add_text(sum, strrchr(paths[i], '/'));
    }
    eval_journals_free(paths, count);
    return FOVEA_OK;
}

static enum fovea_status read_results(const char *path, uint64_t *sum, struct fovea_error *err) {
    struct eval_predictions p;
    enum fovea_status st = eval_predictions_load(path, &p, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < p.n; i++) {
        add_text(sum, p.rows[i].path);
    }
    eval_predictions_finish(&p);
    return FOVEA_OK;
}

/* The path is the labels, as a model has them in its metadata. */
static enum fovea_status read_model_labels(const char *path, uint64_t *sum,
                                           struct fovea_error *err) {
    struct fovea_metadata metadata = {"labels", path};
    const struct fovea_model model = {.placeless = true, .metadata = &metadata, .n_metadata = 1};
    struct fovea_labels labels;
    enum fovea_status st = fovea_labels_of_model(&model, &labels, err);
    if (!st) {
        add_text(sum, fovea_labels_get(&labels, 1));
        fovea_labels_finish(&labels);
    }
    return st;
}

/* The path itself is the text: some bytes of it are no UTF-8. */
static enum fovea_status write_name(const char *path, uint64_t *sum, struct fovea_error *err) {
    json_t *object = json_object(), *text = json_text(path);
    char *written = NULL;
    if (object) {
        json_set(&object, "name", text);
    } else {
        json_decref(text);
    }
    written = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!written) {
        return fovea_fail_memory(err, strlen(path), "JSON");
    }
    add_text(sum, written);
    free(written);
    return FOVEA_OK;
}

/* ---- what they read ----------------------------------------------------------------------- */

static const char *keep(const char *path) {
    return path ? strdup(path) : NULL;
}

static const char *write_text(const char *name, const char *text) {
    return keep(temp_write(name, text, strlen(text)));
}

/* Two classes, one of them by a link, and what is no image. */
static bool make_folders(void) {
    snprintf(root, sizeof(root), "%s", temp_path("classes"));
    bool ok = mkdir(root, 0700) == 0 && mkdir(temp_path("classes/b"), 0700) == 0 &&
              symlink("b", temp_path("classes/a")) == 0 &&
              symlink("nowhere", temp_path("classes/gone")) == 0;
    temp_write("classes/README", "", 0);
    for (int i = 0; i < IMAGES / 2; i++) {
        char name[40];
        snprintf(name, sizeof(name), "classes/b/%d.jpg", i);
        temp_write(name, "image", 5);
    }
    return ok;
}

static bool make_flat(void) {
    snprintf(flat, sizeof(flat), "%s", temp_path("images"));
    bool ok = mkdir(flat, 0700) == 0 && mkdir(temp_path("images/below"), 0700) == 0;
    temp_write("images/notes", "", 0);
    temp_write("images/1.jpg", "image", 5);
    temp_write("images/2.jpg", "image", 5);
    temp_write("flat.txt", "images/1.jpg x\nimages/2.jpg y\n", 30);
    temp_write("map.txt", "2 cat\n4 dog\n", 12);
    return ok;
}

/* Of every state a record, and names of classes; in its folder are others. */
static const char *make_journal(void) {
    struct eval_made made;
    struct eval_text text = {0};
    char *names[] = {"cat", "dog", ""};
    eval_made_init(&made, 3);
    eval_made_add(&made, 1, 1, 0.5);
    eval_made_add(&made, -1, 0, 0.5);
    eval_made_fail(&made, 2, "is broken");
    made.description.listed = 4;
    made.description.names = names;
    eval_line_add_header(&text, &made.description);
    for (size_t i = 0; i < made.n; i++) {
        eval_line_add_record(&text, i, &made.records[i]);
    }
    eval_line_add_run(&text, &(struct eval_journal_run){1, 0.5, made.n});
    made.description.names = NULL;
    mkdir(temp_path("run"), 0700);
    temp_write("run/journal.1", "", 0);
    const char *path = keep(temp_write("run/journal", text.bytes, text.size));
    eval_text_finish(&text);
    eval_made_finish(&made);
    return path;
}

const struct data_input *data_inputs_make(const char *archive, size_t *n) {
    static struct data_input inputs[16];
    if (!realpath(archive, tar) || !make_folders() || !make_flat()) {
        *n = 0;
        return NULL;
    }
    const char *journal = make_journal();
    temp_write("run/predictions.csv", "path,label,pred\na,1,2\nb,2,2\n", 28);
    const struct data_input made[] = {
        {{"class folders", read_folders, NULL, false}, root},
        {{"class map", read_mapped, NULL, false}, write_text("folders.txt", "b\nc\na\n")},
        {{"ground truth", read_flat, NULL, false}, write_text("truth.txt", "0\n3\n")},
        {{"ground truth, mapped", read_flat_mapped, NULL, false}, write_text("ids.txt", "4\n2\n")},
        {{"ReaL", read_flat, NULL, false}, write_text("real.json", "[[3, 1], [2]]")},
        {{"ReaL of nothing", read_flat, NULL, false}, write_text("none.json", "[[], []]")},
        {{"list of a folder", read_flat, NULL, false},
         write_text("list.txt", "2.jpg 1\n1.jpg 0\n")},
        {{"list and truth", read_listed, NULL, false}, write_text("truth2.txt", "5\n0\n")},
        {{"list of an archive", read_archived, NULL, false},
         write_text("tar.txt", "x.jpg 1\nx.jpg 1\n")},
        {{"ReaL of an archive", read_archived, NULL, false}, write_text("wrong.json", "[[1]]")},
        {{"journal", read_journal, NULL, false}, journal},
        {{"journals", find_journals, NULL, false}, keep(temp_path("run"))},
        {{"results", read_results, NULL, false}, keep(temp_path("run"))},
        {{"labels in a model", read_model_labels, NULL, false}, "[\"cat\", \"dog\"]"},
        {{"text of JSON", write_name, NULL, false}, "caf\xe9.jpg"},
    };
    *n = sizeof(made) / sizeof(made[0]);
    memcpy(inputs, made, sizeof(made));
    return inputs;
}

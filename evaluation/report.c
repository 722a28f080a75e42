/* See report.h. */
#include "evaluation/report.h"

#include "evaluation/report_file.h"
#include "evaluation/report_json.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Write `root`, whose reference is taken also on failure. */
static enum fovea_status write_json(const char *folder, const char *name, json_t *root,
                                    struct fovea_error *err) {
    struct eval_file file;
    if (!root) {
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory for %s", name);
    }
    enum fovea_status status = eval_file_init(&file, folder, name, err);
    if (!status) {
        /* a stream that failed stays so, and is reported when it is kept */
        int failed = json_dumpf(root, file.stream, JSON_RESULTS);
        fputc('\n', file.stream);
        if (failed && !ferror(file.stream)) {
            eval_file_finish(&file);
            status = fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory for %s", name);
        } else {
            status = eval_file_keep(&file, err);
        }
    }
    json_decref(root);
    return status;
}

static enum fovea_status write_predictions(const char *folder, const struct eval_evidence *e,
                                           struct fovea_error *err) {
    struct eval_file file;
    enum fovea_status status = eval_file_init(&file, folder, "predictions.csv", err);
    if (status) {
        return status;
    }
    eval_predictions_write(file.stream, e->records, e->n_records);
    return eval_file_keep(&file, err);
}

static enum fovea_status write_page(const char *folder, const struct eval_evidence *e,
                                    const struct eval_summary *summary, struct fovea_error *err) {
    struct eval_file file;
    enum fovea_status status = eval_file_init(&file, folder, "report.html", err);
    if (status) {
        return status;
    }
    status = eval_page_write(file.stream, e, summary, err);
    if (status) {
        eval_file_finish(&file);
        return status;
    }
    return eval_file_keep(&file, err);
}

/* One that an earlier report left is not of this one. */
static enum fovea_status write_label_map(const char *folder, const struct eval_evidence *e,
                                         const struct eval_diagnosis *diagnosis,
                                         struct fovea_error *err) {
    struct eval_file file;
    enum fovea_status status = eval_file_init(&file, folder, "label-map.txt", err);
    if (status) {
        return status;
    }
    if (diagnosis->ailment == EVAL_NO_AILMENT) {
        unlink(file.path);
        eval_file_finish(&file);
        return FOVEA_OK;
    }
    status = eval_label_map_write(diagnosis, e->records, e->n_records, file.stream, err);
    if (status) {
        eval_file_finish(&file);
        return status;
    }
    return eval_file_keep(&file, err);
}

static enum fovea_status write_all(const char *folder, const struct eval_evidence *e,
                                   const struct eval_summary *summary, struct fovea_error *err) {
    enum fovea_status status = write_predictions(folder, e, err);
    if (!status) {
        status = write_json(folder, "report.json", eval_report_json(e, summary), err);
    }
    if (!status) {
        status = write_page(folder, e, summary, err);
    }
    if (!status) {
        status = write_label_map(folder, e, &summary->diagnosis, err);
    }
    if (!status && e->timings) {
        status = write_json(folder, "timings.json", eval_timings_json(e->timings), err);
    }
    return status;
}

enum fovea_status eval_report_write(const char *folder, const struct eval_evidence *evidence,
                                    struct fovea_error *err) {
    struct eval_summary summary;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot make the folder '%s': %s",
                          fovea_quote(folder).text, strerror(errno));
    }
    enum fovea_status status = eval_summary_init(&summary, evidence->description, evidence->records,
                                                 evidence->n_records, err);
    if (!status) {
        status = write_all(folder, evidence, &summary, err);
        eval_summary_finish(&summary);
    }
    return status;
}

/*
 * What an evaluation found, for people, for scripts, and image by image.
 */
#ifndef FOVEA_TOOLS_EVAL_REPORT_H
#define FOVEA_TOOLS_EVAL_REPORT_H

#include "tools/eval_run.h"
#include "tools/json_out.h"

/* What was counted, on stdout. */
void eval_print_counts(const struct eval_counts *counts);

/* That figures are of a part of the images, on stdout, if a signal stopped it. */
void eval_print_stop(const struct eval *eval, const struct eval_counts *counts);

/* What the label doctor has to say, on stdout; nothing without the memory to think about it. */
void eval_print_diagnosis(const struct eval_description *description,
                          const struct eval_record *records, size_t n_records);

/* The same of a run, and how it went. */
void eval_print(const struct eval *eval);

/* The object that scripts rely on, of this run's share of the list; NULL if out of memory. */
json_t *eval_json(const struct eval *eval);

/*
 * A CSV in the dataset's order: path,label,pred,correct,logit,prob,top5. An
 * image without an answer has its path and label, and nothing after them.
 */
enum fovea_status eval_write_predictions(const struct eval *eval, const char *path,
                                         struct fovea_error *err);

/* f32 [listed, classes] as .npy; rows of images without an answer are NaN. */
enum fovea_status eval_write_logits(const struct eval *eval, const char *path,
                                    struct fovea_error *err);

#endif

/*
 * What an evaluation found out about one image, and what the evaluation was.
 *
 * Records and the description together are all a report needs: they come from
 * a run, from a journal, or from the journals of several runs that shared one
 * list, and the report is the same bytes. So nothing here may depend on how
 * the work was divided (threads, batch, streams, ranks), nor on the clock.
 */
#ifndef FOVEA_EVALUATION_RECORD_H
#define FOVEA_EVALUATION_RECORD_H

#include "loaders/sha256.h"
#include "runtime/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVAL_TOP = 5 };

enum eval_state {
    EVAL_NOT_DONE,
    EVAL_OK,
    EVAL_FAILED,  /* read, or tried to, but there is no answer; message says why */
    EVAL_MISSING, /* there is no such file */
    EVAL_N_STATES,
};

/* One of the best classes. */
struct eval_answer {
    int32_t class_index;
    float logit;
};

struct eval_record {
    char *path;      /* as the list has it, below its root */
    int32_t *labels; /* the right classes: one, several (ReaL), or none: then it is not scored */
    size_t n_labels;
    enum eval_state state;
    char *message; /* why there is no answer, or a warning about an image that has one; or NULL */
    /* Of the file, 0 if it was not read. The digest is SHA-256. */
    uint64_t file_bytes;
    uint8_t file_sha256[FOVEA_SHA256_SIZE];
    /* What follows only if the state is EVAL_OK. */
    struct eval_answer top[EVAL_TOP]; /* best first; of equal logits the lower class first */
    size_t n_top;                     /* min(EVAL_TOP, classes that compete) */
    double log_sum_exp;               /* ln of the sum of e^logit over all classes, in f64 */
    float label_logit;                /* the largest logit among the labels; NaN if n_labels is 0 */
    uint8_t logits_sha256[FOVEA_SHA256_SIZE]; /* SHA-256 over all logits as little-endian f32 */
};

/* What was evaluated. Two journals belong together only if all of it is the same. */
struct eval_description {
    char *model;         /* its path, as given */
    char *model_sha256;  /* of the file, 64 hex digits; if weights lie in others, of the list of
                            them all, as sha256sum prints it */
    char *dataset;       /* its path, as given */
    char *dataset_words; /* what kind it is, and where the labels came from, in one line */
    char *list_sha256;   /* over paths and labels */
    size_t listed;       /* images in the list */
    char *recipe;        /* a JSON object: each field, its value and source */
    char *recipe_sha256;
    char *precision; /* "f32" or "bf16" */
    char *library;   /* Fovea's version and build */
    char *backend;   /* oneDNN's version and the instruction set it uses */
    char *options;   /* what else decides bits: passes, algorithms, how images share a run */
    int32_t classes; /* logits of the model */
    char **names;    /* [classes] of the classes, or NULL if nothing names them */
    /* The model card; 0 where not known. */
    uint64_t parameters;
    uint64_t macs; /* multiply-accumulates for one image at this size */
};

/* The probability of the best class, softmax over all of them; of an EVAL_OK record. */
double eval_record_confidence(const struct eval_record *record);

/* -ln of the probability of the likeliest label; NaN without labels. Of an EVAL_OK record. */
double eval_record_nll(const struct eval_record *record);

/* Which place (0: best) of `top` is a label, or -1 if none is. Of an EVAL_OK record. */
int eval_record_hit(const struct eval_record *record);

/*
 * Note the answer of `n` logits, none of which is NaN or infinite: all that
 * follows `state`, which becomes EVAL_OK. The labels are there already. With
 * `among` not NULL only classes whose among[class] is set compete, of which there
 * must be one and the labels must be; the digest is of all logits even so.
 */
void eval_record_answer(struct eval_record *record, const float *logits, const bool *among,
                        int64_t n);

/* SHA-256 over paths and labels of a list, as 64 hex digits. */
struct fovea_sha256_hex eval_list_digest(const struct eval_record *records, size_t n_records);

/*
 * Whether records made under the one can be counted with those made under the
 * other: all but paths, words and the model card are the same.
 * FOVEA_ERR_INVALID names what differs, `theirs` first.
 */
enum fovea_status eval_description_match(const struct eval_description *theirs,
                                         const struct eval_description *ours,
                                         struct fovea_error *err);

/* A copy, for the caller to finish. */
enum fovea_status eval_description_copy(struct eval_description *out,
                                        const struct eval_description *description,
                                        struct fovea_error *err);

/* Whether no text is missing: of one that was read or made piece by piece. */
bool eval_description_is_complete(const struct eval_description *description);

/* Frees what a record or a description owns. A zeroed one is fine. */
void eval_record_finish(struct eval_record *record);
void eval_description_finish(struct eval_description *description);

#endif

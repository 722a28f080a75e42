/*
 * Journals back to records: of one, or of several that shared a list.
 */
#ifndef FOVEA_EVALUATION_JOURNAL_READ_H
#define FOVEA_EVALUATION_JOURNAL_READ_H

#include "evaluation/record.h"

#include <stdbool.h>

/* The records of one list, from wherever. Zero it first. */
struct eval_collection {
    bool described; /* by the first journal, or by whoever expects something */
    struct eval_description description;
    struct eval_record *records; /* [description.listed]; those without a path are in no journal */
    size_t n_records;            /* description.listed, or 0 before it is described */
    bool bounded;                /* a first journal that lists more than `most` is refused */
    size_t most;
    double seconds; /* of all runs */
    size_t images;  /* done in that time */
};

/* What was found in one journal. */
struct eval_journal_state {
    bool headed; /* its header is whole; without it nothing counts */
    size_t end;  /* bytes up to the last good line */
    size_t torn; /* bytes after it, which a crash left */
    size_t
        damaged; /* lines before `end` that are not what was written; their images are not done */
    size_t damaged_line; /* number of the first of those, from 1 */
    size_t n_runs;       /* of the program, that wrote into it */
    size_t n_records;
};

/* Make room for the records, and have every journal compared to `description`, which is copied. */
enum fovea_status eval_collection_expect(struct eval_collection *collection,
                                         const struct eval_description *description,
                                         struct fovea_error *err);

/*
 * Of journals of `bytes` together: what one of them says of the list takes no
 * more memory than records they can have. To be called before the first is added.
 */
void eval_collection_bound(struct eval_collection *collection, uint64_t bytes);

/*
 * Add what is in the `size` bytes of a journal, which are changed.
 *
 * Of two records of an image an answer counts more than none, and else the later
 * one; two answers must be the same. FOVEA_ERR_FORMAT if it is no journal,
 * FOVEA_ERR_LIMIT if it lists more images than are allowed, FOVEA_ERR_INVALID if it is of another
 * evaluation or answers differ. Messages do not name the file.
 */
enum fovea_status eval_collection_add(struct eval_collection *collection, char *bytes, size_t size,
                                      struct eval_journal_state *state, struct fovea_error *err);

/*
 * The same with a file that nobody is writing to. Messages begin with its path.
 * FOVEA_ERR_LIMIT if somebody is.
 */
enum fovea_status eval_collection_read(struct eval_collection *collection, const char *path,
                                       struct eval_journal_state *state, struct fovea_error *err);

/* Images of which there is no record; *first, if not NULL, is the first of them. */
size_t eval_collection_missing(const struct eval_collection *collection, size_t *first);

/* A zeroed one is fine. */
void eval_collection_finish(struct eval_collection *collection);

/*
 * Paths of the journals in `folder`, in the order of their names, numbers in
 * them by value; none if there is no such folder. Both arrays are for the
 * caller to free with eval_journals_free.
 */
enum fovea_status eval_journals_find(const char *folder, char ***out, size_t *count,
                                     struct fovea_error *err);
void eval_journals_free(char **paths, size_t count);

#endif

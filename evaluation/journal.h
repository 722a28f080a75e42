/*
 * The journal of an evaluation: one line for each image that is done, written
 * as the evaluation goes, so that whatever ends it costs a moment's work. A
 * thread of its own writes what is appended at once, so that kill -9 loses
 * nothing but the images at hand, and makes it last on the disk once a second,
 * so that a power cut loses no more than that second.
 */
#ifndef FOVEA_EVALUATION_JOURNAL_H
#define FOVEA_EVALUATION_JOURNAL_H

#include "evaluation/journal_read.h"

/* In a folder of results: this, or this, a dot and which part. */
#define EVAL_JOURNAL_NAME "journal"

struct eval_journal;

/*
 * Open the journal at `path` for this process alone.
 *
 * If there is none, or one that got no further than its header, it is begun with
 * the description of `collection`. If there is one, its records are added to
 * `collection` (see eval_collection_add), what a crash left at its end is cut
 * off, and it goes on after that. `state` (or NULL) says what was found.
 *
 * FOVEA_ERR_LIMIT if another process writes to it; FOVEA_ERR_INVALID if there is
 * one and `resume` is false, or it is of another evaluation; FOVEA_ERR_FORMAT;
 * FOVEA_ERR_IO. Messages begin with the path.
 */
enum fovea_status eval_journal_open(const char *path, bool resume,
                                    struct eval_collection *collection,
                                    struct eval_journal_state *state, struct eval_journal **out,
                                    struct fovea_error *err);

/*
 * Add a record. Returns before it is written; what writing it came to shows in a
 * later call. Any thread may call. After a failure nothing more is written.
 */
enum fovea_status eval_journal_append(struct eval_journal *journal, size_t index,
                                      const struct eval_record *record, struct fovea_error *err);

/*
 * Have everything on the disk, and close. On failure, too, it is closed, and
 * what had been written before is there for another run to go on from.
 */
enum fovea_status eval_journal_close(struct eval_journal *journal, struct fovea_error *err);

/* Whether the file system knew how to lock it. */
bool eval_journal_is_locked(const struct eval_journal *journal);

#endif

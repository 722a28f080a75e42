/* What writing and reading a line share, for journal_line.c and journal_words.c only. */
#ifndef FOVEA_EVALUATION_JOURNAL_LINE_PARTS_H
#define FOVEA_EVALUATION_JOURNAL_LINE_PARTS_H

#include "evaluation/journal_line.h"

enum { EVAL_LINE_CHECKSUM_DIGITS = 16 };

/* The word for "none", where no word could be it. */
#define EVAL_LINE_NONE "-"

extern const char *const eval_line_state_names[EVAL_N_STATES];

#endif

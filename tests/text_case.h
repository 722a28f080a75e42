/*
 * A case of an operator as text: what test_cases.c reads. Its head comment
 * describes the format.
 */
#ifndef FOVEA_TESTS_TEXT_CASE_H
#define FOVEA_TESTS_TEXT_CASE_H

#include "tests/run_op.h"

enum { TEXT_CASE_POOL = 64 };

struct text_case {
    const char *file;
    int line;
    struct run_op r;
    struct fovea_tensor want[RUN_OP_MAX]; /* data NULL: may be anything */
    int n_want, n_out;
    double tolerance;
    const char *message; /* expected error, or NULL */
    void *pool[TEXT_CASE_POOL];
    int n_pool;
    bool bad; /* the text is not understood */
};

/* Whether the text goes on with `word` and a blank or the end; then it is passed over. */
bool text_accept(char **at, const char *word);

/* `at` is what follows "op ": set up `c`, whose file and line are known. */
void text_case_begin(struct text_case *c, char *at);

/* Any other line of the case. What is not understood is reported, and c->bad set. */
void text_case_add(struct text_case *c, char *at);

void text_case_finish(struct text_case *c);

#endif

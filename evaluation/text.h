/* Words and numbers in the forms that files of results have. */
#ifndef FOVEA_EVALUATION_TEXT_H
#define FOVEA_EVALUATION_TEXT_H

#include <stdio.h>

/* A field as RFC 4180 has it: quoted where it would read as more than one. */
void eval_csv_field(FILE *out, const char *text);

#endif

/*
 * POST /classify: a JPEG in, labels and probabilities out.
 */
#ifndef SERVICE_CLASSIFY_H
#define SERVICE_CLASSIFY_H

#include "job.h"

void classify_prepare(struct job *job);
void classify_answer(struct job *job);

#endif

/*
 * Answers of the Open Inference Protocol v2 to inference requests.
 */
#ifndef SERVICE_OIP_REPLY_H
#define SERVICE_OIP_REPLY_H

#include "job.h"

/* The name of the model, in all answers from now on; lent. */
void oip_set_name(const char *name);

void oip_answer(struct job *job);

#endif

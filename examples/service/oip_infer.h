/*
 * An inference request of the Open Inference Protocol v2 (REST), with its
 * binary tensor data extension, to images.
 * https://github.com/kserve/open-inference-protocol
 */
#ifndef SERVICE_OIP_INFER_H
#define SERVICE_OIP_INFER_H

#include "job.h"

/* Fill the job from its body, or answer what is wrong with it. */
void oip_prepare(struct job *job);

#endif

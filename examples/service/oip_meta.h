/*
 * What the Open Inference Protocol v2 tells of the server and its model.
 */
#ifndef SERVICE_OIP_META_H
#define SERVICE_OIP_META_H

#include "engine.h"
#include "reply.h"

void oip_meta_server(struct reply *reply);
void oip_meta_live(struct reply *reply);
void oip_meta_ready(struct reply *reply, bool ready);
void oip_meta_model(struct reply *reply, const struct engine *engine, const char *name);
void oip_meta_model_ready(struct reply *reply, const char *name, bool ready);

#endif

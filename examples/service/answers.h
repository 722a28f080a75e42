/*
 * Answers to requests that need no model run.
 */
#ifndef SERVICE_ANSWERS_H
#define SERVICE_ANSWERS_H

#include "route.h"
#include "server.h"

/* `action` is one whose route wants no body. */
void answer_at_once(const struct server *server, enum route_action action, struct reply *reply);

#endif

/*
 * Errors as the Open Inference Protocol words them.
 */
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reply_error(struct reply *reply, int status, const char *format, ...) {
    char line[600];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    text_finish(&reply->body);
    text_puts(&reply->body, "{\"error\":");
    text_json(&reply->body, line, strlen(line));
    text_puts(&reply->body, "}\n");
    reply->status = status;
    reply->type = NULL;
    reply->json_size = 0;
}

void reply_finish(struct reply *reply) {
    text_finish(&reply->body);
    memset(reply, 0, sizeof(*reply));
}

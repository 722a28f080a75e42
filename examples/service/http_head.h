/*
 * A request's header fields, beyond what libmicrohttpd checks.
 */
#ifndef SERVICE_HTTP_HEAD_H
#define SERVICE_HTTP_HEAD_H

#include "reply.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct http_head {
    bool has_length, chunked;
    uint64_t length; /* Content-Length */
    bool has_split;  /* Inference-Header-Content-Length */
    uint64_t split;
};

/*
 * Read and check the header: fields that would be understood differently by
 * others before us (smuggling) are refused. Answers if there is something wrong.
 */
bool http_head_read(struct http_head *head, struct MHD_Connection *connection, struct reply *reply);

/* Decimal digits and nothing else. */
bool http_parse_digits(const char *text, uint64_t *out);

#endif

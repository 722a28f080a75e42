/*
 * Header fields. libmicrohttpd 0.9.75 takes the first of repeated fields,
 * lets Transfer-Encoding win over Content-Length, and knows of no coding but
 * chunked: each a way for two parsers to see different requests (RFC 9112, 6.1 and 6.3).
 */
#include "http_head.h"

#include <string.h>
#include <strings.h>

enum { MAX_FIELDS = 100 };

struct reader {
    struct http_head *head;
    struct reply *reply;
    size_t fields, hosts;
};

bool http_parse_digits(const char *text, uint64_t *out) {
    uint64_t value = 0;
    if (!*text) {
        return false;
    }
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = value;
    return true;
}

/* A token of RFC 9110, 5.6.2. */
static bool is_token(const char *name) {
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (const char *c = name; *c; c++) {
        bool alnum =
            (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!alnum && !strchr(others, *c)) {
            return false;
        }
    }
    return *name != '\0';
}

static bool has_controls(const char *value) {
    for (const char *c = value; *c; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f) {
            return true;
        }
    }
    return false;
}

#define wrong(reader, status, ...) (reply_error((reader)->reply, status, __VA_ARGS__), MHD_NO)

/* Field `key`, a number that may stand there once. */
static enum MHD_Result read_number(struct reader *reader, const char *key, const char *value,
                                   bool *has, uint64_t *out) {
    if (*has) {
        return wrong(reader, 400, "%s is there twice", key);
    }
    *has = true;
    return http_parse_digits(value, out) ? MHD_YES : wrong(reader, 400, "%s is no number", key);
}

static enum MHD_Result read_coding(struct reader *reader, const char *value) {
    if (reader->head->chunked) {
        return wrong(reader, 400, "Transfer-Encoding is there twice");
    }
    reader->head->chunked = true;
    return strcasecmp(value, "chunked") == 0
               ? MHD_YES
               : wrong(reader, 501, "Transfer-Encoding is not chunked");
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *key,
                                const char *value) {
    static const char length[] = "Content-Length", split[] = "Inference-Header-Content-Length";
    struct reader *reader = context;
    struct http_head *head = reader->head;
    (void)kind;
    value = value ? value : "";
    if (++reader->fields > MAX_FIELDS) {
        return wrong(reader, 431, "more than %d header fields", MAX_FIELDS);
    }
    if (!is_token(key) || has_controls(value)) {
        return wrong(reader, 400, "a header field is malformed");
    }
    if (strcasecmp(key, length) == 0) {
        return read_number(reader, length, value, &head->has_length, &head->length);
    }
    if (strcasecmp(key, "Transfer-Encoding") == 0) {
        return read_coding(reader, value);
    }
    if (strcasecmp(key, split) == 0) {
        return read_number(reader, split, value, &head->has_split, &head->split);
    }
    if (strcasecmp(key, "Host") == 0 && ++reader->hosts > 1) {
        return wrong(reader, 400, "Host is there twice");
    }
    if (strcasecmp(key, "Content-Encoding") == 0 && strcasecmp(value, "identity") != 0) {
        return wrong(reader, 415, "compressed bodies are not taken");
    }
    return MHD_YES;
}

bool http_head_read(struct http_head *head, struct MHD_Connection *connection,
                    struct reply *reply) {
    struct reader reader = {.head = head, .reply = reply};
    memset(head, 0, sizeof(*head));
    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_field, &reader);
    if (reply->status) {
        return false;
    }
    if (head->has_length && head->chunked) {
        reply_error(reply, 400, "both Content-Length and Transfer-Encoding");
        return false;
    }
    return true;
}

/*
 * A look at JSON before it is parsed: jansson makes an object of every value
 * and recurses, so depth and number are bounded before it sees the text.
 */
#ifndef SERVICE_JSON_SCAN_H
#define SERVICE_JSON_SCAN_H

#include <stddef.h>

enum { JSON_MAX_DEPTH = 100 };

/* NULL, or what is over its bound: depth, brackets, or commas outside strings. */
const char *json_scan(const char *text, size_t size, size_t max_brackets, size_t max_commas);

#endif

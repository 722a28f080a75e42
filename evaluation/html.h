/*
 * Text of a page: everything that comes from outside goes through here.
 */
#ifndef FOVEA_EVALUATION_HTML_H
#define FOVEA_EVALUATION_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Text as it is to be read, for elements and quoted attributes. What is not
 * UTF-8, or a control character, becomes U+FFFD.
 */
void html_text(FILE *out, const char *text);

/* 1,234,567 */
void html_count(FILE *out, uint64_t value);

/* A share of 0..1 as "76.4 %" with so many decimals, or a dash if it is not a number. */
void html_percent(FILE *out, double share, int decimals);

/* A number with so many decimals, or a dash. */
void html_number(FILE *out, double value, int decimals);

/* Bytes in base 64. */
void html_base64(FILE *out, const uint8_t *bytes, size_t size);

#endif

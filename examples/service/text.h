/*
 * Text that grows: replies are written into it. A failed allocation is remembered and asked for
 * once, at the end.
 */
#ifndef SERVICE_TEXT_H
#define SERVICE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* not terminated; NULL while empty */
    size_t size, room;
    bool failed;
};

void text_add(struct text *text, const void *bytes, size_t size);
void text_puts(struct text *text, const char *string);

/* At most 512 bytes; what is longer is cut. */
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);

/* A JSON string, quotes included; `size` bytes of UTF-8. Other bytes become U+FFFD. */
void text_json(struct text *text, const char *string, size_t size);

/* The shortest of %.6g ... %.9g that reads back as the same float; it is finite. */
void text_float(struct text *text, float value);

void text_finish(struct text *text);

#endif

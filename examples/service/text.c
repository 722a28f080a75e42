/*
 * Text that grows, and how JSON writes strings and numbers.
 */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow(struct text *text, size_t more) {
    size_t room = text->room ? text->room : 256;
    if (text->failed || more > SIZE_MAX / 2 - text->size) {
        text->failed = true;
        return false;
    }
    while (room < text->size + more) {
        room *= 2;
    }
    if (room == text->room) {
        return true;
    }
    char *data = realloc(text->data, room);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

void text_add(struct text *text, const void *bytes, size_t size) {
    if (size && grow(text, size)) {
        memcpy(text->data + text->size, bytes, size);
        text->size += size;
    }
}

void text_puts(struct text *text, const char *string) {
    text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n < 0) {
        text->failed = true;
        return;
    }
    text_add(text, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* Length of the well-formed UTF-8 sequence at `s`, or 0 (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *s, size_t size) {
    unsigned lead = s[0];
    size_t length = lead < 0x80                   ? 1
                    : lead >= 0xc2 && lead < 0xe0 ? 2
                    : lead >= 0xe0 && lead < 0xf0 ? 3
                    : lead >= 0xf0 && lead < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool bad = (lead == 0xe0 && s[1] < 0xa0) || (lead == 0xed && s[1] > 0x9f) ||
               (lead == 0xf0 && s[1] < 0x90) || (lead == 0xf4 && s[1] > 0x8f);
    return bad ? 0 : length;
}

void text_json(struct text *text, const char *string, size_t size) {
    const unsigned char *s = (const unsigned char *)string;
    text_puts(text, "\"");
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(s + i, size - i);
        if (length == 0) {
            text_puts(text, "\\ufffd");
            i++;
            continue;
        }
        if (length == 1 && (s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f)) {
            text_printf(text, "\\u%04x", s[i]);
        } else {
            text_add(text, s + i, length);
        }
        i += length;
    }
    text_puts(text, "\"");
}

void text_float(struct text *text, float value) {
    char number[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(number, sizeof(number), "%.*g", digits, (double)value);
        if (strtof(number, NULL) == value) {
            break;
        }
    }
    text_puts(text, number);
}

void text_finish(struct text *text) {
    free(text->data);
    memset(text, 0, sizeof(*text));
}

/* See html.h. */
#include "evaluation/html.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/*
 * The length of the character at `s` if it is UTF-8 as RFC 3629 has it
 * (shortest form, no surrogates, up to U+10FFFF), else 0.
 */
static size_t character(const unsigned char *s) {
    if (s[0] < 0x80) {
        return 1;
    }
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0; /* also at the end of the text */
        }
    }
    bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
               (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return bad ? 0 : length;
}

static const char *entity(unsigned char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 && c != '\n' && c != '\t' ? "\xef\xbf\xbd" : NULL;
    }
}

void html_text(FILE *out, const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    while (s && *s) {
        size_t length = character(s);
        const char *other = length == 0 || *s == 0x7f ? "\xef\xbf\xbd" : entity(*s);
        if (other) {
            fputs(other, out);
            length = 1;
        } else {
            fwrite(s, 1, length, out);
        }
        s += length;
    }
}

void html_count(FILE *out, uint64_t value) {
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            fputc(',', out);
        }
        fputc(digits[i], out);
    }
}

void html_percent(FILE *out, double share, int decimals) {
    if (isfinite(share)) {
        fprintf(out, "%.*f\xc2\xa0%%", decimals, 100 * share);
    } else {
        fputs("\xe2\x80\x93", out);
    }
}

void html_number(FILE *out, double value, int decimals) {
    if (isfinite(value)) {
        fprintf(out, "%.*f", decimals, value);
    } else {
        fputs("\xe2\x80\x93", out);
    }
}

void html_base64(FILE *out, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        fputc(digits[three >> 18], out);
        fputc(digits[three >> 12 & 63], out);
        fputc(left > 1 ? digits[three >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[three & 63] : '=', out);
    }
}

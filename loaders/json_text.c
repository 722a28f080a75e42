/* Strings, numbers and words of JSON: see json_text.h. */
#include "loaders/json_text.h"

#include <errno.h>
#include <jansson.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of a text that is a part of a file with other contents, a line says nothing. */
enum fovea_status fovea_json_refuse(const struct fovea_json_text *text, const char *what) {
    size_t line = 1, column = 1;
    if (text->start > 0) {
        return fovea_fail(text->err, FOVEA_ERR_FORMAT, "byte %zu: not JSON: %s",
                          text->start + text->at, what);
    }
    for (size_t i = 0; i < text->at; i++) {
        bool ends = text->bytes[i] == '\n', continues = (text->bytes[i] & 0xc0) == 0x80;
        line += ends;
        column = ends ? 1 : column + !continues;
    }
    return fovea_fail(text->err, FOVEA_ERR_FORMAT, "line %zu, column %zu: not JSON: %s", line,
                      column, what);
}

char fovea_json_peek(struct fovea_json_text *text) {
    for (; text->at < text->size; text->at++) {
        char c = text->bytes[text->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return c;
        }
    }
    return 0;
}

bool fovea_json_take(struct fovea_json_text *text, char byte) {
    bool next = fovea_json_peek(text) == byte;
    text->at += next;
    return next;
}

/* ---- strings -------------------------------------------------------------------- */

/* How many bytes the character at `bytes` has; 0 if it is none (table 3-7 of Unicode 15). */
static size_t utf8_length(const unsigned char *bytes, size_t size) {
    unsigned first = bytes[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (length > size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        unsigned low = i == 1 && first == 0xe0 ? 0xa0 : i == 1 && first == 0xf0 ? 0x90 : 0x80;
        unsigned high = i == 1 && first == 0xed   ? 0x9f /* no surrogates */
                        : i == 1 && first == 0xf4 ? 0x8f
                                                  : 0xbf;
        if (bytes[i] < low || bytes[i] > high) {
            return 0;
        }
    }
    return length;
}

static size_t utf8_write(uint32_t code, char *out) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)((0xf00 >> length & 0xff) | code);
    return length;
}

/* The four digits after "\u", if they are next; else -1. */
static int32_t read_unit(struct fovea_json_text *text) {
    int32_t unit = 0;
    if (text->size - text->at < 6 || memcmp(text->bytes + text->at, "\\u", 2) != 0) {
        return -1;
    }
    for (size_t i = 2; i < 6; i++) {
        char c = text->bytes[text->at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    text->at += 6;
    return unit;
}

static enum fovea_status read_code(struct fovea_json_text *text, char *out, size_t *length) {
    int32_t code = read_unit(text);
    if (code < 0) {
        return fovea_json_refuse(text, "four hexadecimal digits do not follow \\u");
    }
    if (code == 0) {
        return fovea_json_refuse(text, "a string with a NUL in it");
    }
    bool high = code >= 0xd800 && code < 0xdc00;
    if (high) {
        int32_t low = read_unit(text);
        code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
                                             : code;
    }
    if (code >= 0xd800 && code < 0xe000) {
        return fovea_json_refuse(text, "half of a surrogate pair");
    }
    *length += utf8_write((uint32_t)code, out + *length);
    return FOVEA_OK;
}

static enum fovea_status read_escape(struct fovea_json_text *text, char *out, size_t *length) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = text->size - text->at > 1 ? text->bytes[text->at + 1] : 0;
    if (c == 'u') {
        return read_code(text, out, length);
    }
    const char *letter = c ? strchr(letters, c) : NULL;
    if (!letter) {
        return fovea_json_refuse(text, "a backslash with nothing to escape");
    }
    out[(*length)++] = meanings[letter - letters];
    text->at += 2;
    return FOVEA_OK;
}

enum fovea_status fovea_json_string(struct fovea_json_text *text, char *out, size_t *length) {
    enum fovea_status st = FOVEA_OK;
    *length = 0;
    text->at++;
    while (!st && text->at < text->size && text->bytes[text->at] != '"') {
        const unsigned char *next = (const unsigned char *)text->bytes + text->at;
        if (*next == '\\') {
            st = read_escape(text, out, length);
            continue;
        }
        size_t bytes = *next < 0x20 ? 0 : utf8_length(next, text->size - text->at);
        if (bytes == 0) {
            return fovea_json_refuse(text, *next < 0x20 ? "a control character in a string"
                                                        : "bytes that are no UTF-8");
        }
        memcpy(out + *length, next, bytes);
        *length += bytes;
        text->at += bytes;
    }
    if (!st && text->at == text->size) {
        st = fovea_json_refuse(text, "a string without its end");
    }
    if (st) {
        return st;
    }
    out[*length] = 0;
    text->at++;
    return FOVEA_OK;
}

/* ---- numbers and words ------------------------------------------------------------ */

/* How many digits there are from `at` on. */
static size_t digits(const struct fovea_json_text *text, size_t at) {
    size_t n = 0;
    while (at + n < text->size && text->bytes[at + n] >= '0' && text->bytes[at + n] <= '9') {
        n++;
    }
    return n;
}

static bool is_at(const struct fovea_json_text *text, size_t at, const char *any) {
    return at < text->size && text->bytes[at] && strchr(any, text->bytes[at]);
}

/* The length of the number that is next, 0 if it is none; *whole: it has no point, no exponent. */
static size_t number_length(const struct fovea_json_text *text, bool *whole) {
    size_t at = text->at + is_at(text, text->at, "-"), n = digits(text, at);
    if (n == 0 || (n > 1 && text->bytes[at] == '0')) {
        return 0;
    }
    at += n;
    *whole = true;
    if (is_at(text, at, ".")) {
        n = digits(text, at + 1);
        at += 1 + n;
        *whole = false;
    }
    if (n > 0 && is_at(text, at, "eE")) {
        at += 1 + is_at(text, at + 1, "+-");
        n = digits(text, at);
        at += n;
        *whole = false;
    }
    return n > 0 ? at - text->at : 0;
}

/* Of `number`, which has room for what the locale of the process calls a point. */
static double real_of(char *number) {
    const char *point = nl_langinfo(RADIXCHAR);
    size_t length = strlen(point);
    char *dot = strchr(number, '.');
    if (dot && length > 0 && length <= 8) {
        memmove(dot + length, dot + 1, strlen(dot + 1) + 1);
        for (size_t i = 0; i < length; i++) {
            dot[i] = point[i];
        }
    }
    return strtod(number, NULL);
}

static enum fovea_status made(struct fovea_json_text *text, json_t *value, json_t **out) {
    if (!value) {
        return fovea_fail_memory(text->err, text->size, "JSON");
    }
    *out = value;
    return FOVEA_OK;
}

static enum fovea_status read_number(struct fovea_json_text *text, json_t **out) {
    enum { MOST = 1000 }; /* bytes: a double has at most 767 digits that tell */
    char number[MOST + 8];
    bool whole = false;
    size_t length = number_length(text, &whole);
    if (length == 0 || length >= MOST) {
        return fovea_json_refuse(text, length == 0 ? "a number that is none"
                                                   : "a number of a thousand digits or more");
    }
    memcpy(number, text->bytes + text->at, length);
    number[length] = 0;
    errno = 0;
    long long integer = whole ? strtoll(number, NULL, 10) : 0;
    double real = whole ? 0 : real_of(number);
    if (whole && errno == ERANGE) {
        return fovea_json_refuse(text, "an integer that is too big");
    }
    if (!isfinite(real)) {
        return fovea_json_refuse(text, "a number that is too big");
    }
    text->at += length;
    return made(text, whole ? json_integer(integer) : json_real(real), out);
}

enum fovea_status fovea_json_scalar(struct fovea_json_text *text, json_t **out) {
    static const char *const words[] = {"true", "false", "null"};
    const char *next = text->bytes + text->at;
    if (is_at(text, text->at, "-0123456789")) {
        return read_number(text, out);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if (text->size - text->at >= length && memcmp(next, words[i], length) == 0) {
            text->at += length;
            return made(text, i == 0 ? json_true() : i == 1 ? json_false() : json_null(), out);
        }
    }
    return fovea_json_refuse(text, "a value is missing");
}

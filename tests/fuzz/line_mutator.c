/* See line_mutator.h. */
#include "tests/fuzz/line_mutator.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* libFuzzer's; not there where inputs are only replayed. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) __attribute__((weak));

struct text {
    char *bytes;
    size_t size, most;
    uint32_t state; /* of the random numbers */
};

/* In [0, n); n > 0. */
static size_t below(struct text *t, size_t n) {
    t->state = t->state * 1664525u + 1013904223u;
    return (size_t)(((uint64_t)t->state * n) >> 32);
}

/* The line that a byte chosen at random is in: [begin, end), with its newline if it has one. */
struct line {
    size_t begin, end;
};

static struct line some_line(struct text *t) {
    struct line line = {below(t, t->size), 0};
    line.end = line.begin;
    while (line.begin > 0 && t->bytes[line.begin - 1] != '\n') {
        line.begin--;
    }
    while (line.end < t->size && t->bytes[line.end] != '\n') {
        line.end++;
    }
    line.end += line.end < t->size;
    return line;
}

/* Put `size` bytes in place of [begin, end); nothing if they do not fit. */
static void splice(struct text *t, size_t begin, size_t end, const char *bytes, size_t size) {
    char copy[512];
    if (t->size - (end - begin) + size > t->most || size > sizeof(copy)) {
        return;
    }
    memcpy(copy, bytes, size); /* they may be of the text itself */
    memmove(t->bytes + begin + size, t->bytes + end, t->size - end);
    memcpy(t->bytes + begin, copy, size);
    t->size += size - (end - begin);
}

static void drop_line(struct text *t) {
    struct line line = some_line(t);
    splice(t, line.begin, line.end, "", 0);
}

static void copy_line(struct text *t) {
    struct line from = some_line(t), to = some_line(t);
    splice(t, to.begin, to.begin, t->bytes + from.begin, from.end - from.begin);
}

/* What follows the last space of a line: a tensor's shape. */
static size_t tail_of(const struct text *t, struct line line) {
    size_t at = line.end;
    while (at > line.begin && t->bytes[at - 1] != ' ') {
        at--;
    }
    return at;
}

static void copy_tail(struct text *t) {
    struct line from = some_line(t), to = some_line(t);
    size_t begin = tail_of(t, from);
    splice(t, tail_of(t, to), to.end, t->bytes + begin, from.end - begin);
}

/* A digit at or after a byte chosen at random; the end if there is none. */
static size_t some_digit(struct text *t) {
    size_t at = below(t, t->size);
    while (at < t->size && !isdigit((unsigned char)t->bytes[at])) {
        at++;
    }
    return at;
}

/* Another number for one that is there, in a name or a shape. */
static void change_number(struct text *t) {
    static const char *const numbers[] = {
        "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",   "9",
        "12", "16", "24", "25", "32", "48", "64", "65", "255", "17592186044416"};
    size_t begin = some_digit(t), end;
    while (begin > 0 && isdigit((unsigned char)t->bytes[begin - 1])) {
        begin--;
    }
    for (end = begin; end < t->size && isdigit((unsigned char)t->bytes[end]);) {
        end++;
    }
    const char *number = numbers[below(t, sizeof(numbers) / sizeof(numbers[0]))];
    splice(t, begin, end, number, strlen(number));
}

/* The same number for all that are equal to one: widths stay in step. */
static void change_everywhere(struct text *t) {
    size_t begin = some_digit(t);
    if (begin == t->size) {
        return;
    }
    char from = t->bytes[begin], to = (char)('0' + below(t, 10));
    for (size_t i = 0; i < t->size; i++) {
        bool alone = (i == 0 || !isdigit((unsigned char)t->bytes[i - 1])) &&
                     (i + 1 == t->size || !isdigit((unsigned char)t->bytes[i + 1]));
        t->bytes[i] = t->bytes[i] == from && alone ? to : t->bytes[i];
    }
}

size_t mutate_lines(uint8_t *data, size_t size, size_t most, unsigned seed) {
    static void (*const changes[])(struct text *) = {drop_line, copy_line, copy_tail, change_number,
                                                     change_everywhere};
    struct text t = {(char *)data, size, most, seed};
    size_t choice = below(&t, sizeof(changes) / sizeof(changes[0]) + 1);
    if (size == 0 || choice == sizeof(changes) / sizeof(changes[0])) {
        return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, most) : size;
    }
    changes[choice](&t);
    return t.size;
}

/* Lines of text: see text_lines.h. */
#include "loaders/text_lines.h"

#include "loaders/file.h"

#include <stdlib.h>
#include <string.h>

enum fovea_status fovea_text_lines_load(const char *path, size_t most, struct fovea_text_lines *out,
                                        struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    enum fovea_status status = fovea_file_read(path, most, &bytes, &size, NULL, err);
    if (status) {
        return status;
    }
    const void *zero = memchr(bytes, 0, size);
    if (zero) {
        status = fovea_fail(err, FOVEA_ERR_FORMAT, "is not text: byte %zu is zero",
                            (size_t)((const uint8_t *)zero - bytes));
        free(bytes);
        return status;
    }
    char *text = realloc(bytes, size + 1);
    if (!text) {
        free(bytes);
        return fovea_fail_memory(err, size + 1, "a text");
    }
    text[size] = 0;
    bool marked = strncmp(text, "\xef\xbb\xbf", 3) == 0;
    *out = (struct fovea_text_lines){.text = text, .next = text + (marked ? 3 : 0)};
    return FOVEA_OK;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static char *trimmed(char *line) {
    while (is_space(*line)) {
        line++;
    }
    size_t length = strlen(line);
    while (length > 0 && is_space(line[length - 1])) {
        line[--length] = 0;
    }
    return line;
}

char *fovea_text_lines_next(struct fovea_text_lines *lines) {
    while (*lines->next) {
        char *line = lines->next;
        size_t length = strcspn(line, "\n");
        lines->next = line + length + (line[length] ? 1 : 0);
        line[length] = 0;
        lines->number++;
        line = trimmed(line);
        if (*line) {
            return line;
        }
    }
    return NULL;
}

void fovea_text_lines_finish(struct fovea_text_lines *lines) {
    free(lines->text);
    *lines = (struct fovea_text_lines){0};
}

char *fovea_text_word(char *line, char **rest) {
    size_t length = strcspn(line, " \t,");
    char *after = line + length;
    bool more = *after != 0;
    *after = 0;
    after += more ? 1 : 0;
    while (is_space(*after) || *after == ',') {
        after++;
    }
    *rest = after;
    return line;
}

/*
 * Text files, a line at a time: LF or CRLF, a byte order mark passed over.
 */
#ifndef FOVEA_LOADERS_TEXT_LINES_H
#define FOVEA_LOADERS_TEXT_LINES_H

#include "runtime/error.h"

struct fovea_text_lines {
    char *text, *next;
    size_t number; /* of the line last given, from 1 */
};

/* Read a text of at most `most` bytes. FOVEA_ERR_FORMAT if a byte of it is zero. */
enum fovea_status fovea_text_lines_load(const char *path, size_t most, struct fovea_text_lines *out,
                                        struct fovea_error *err);

/*
 * The next line that is not blank, without spaces at its ends; NULL at the
 * end. The caller may write into it; it lives until finish.
 */
char *fovea_text_lines_next(struct fovea_text_lines *lines);

void fovea_text_lines_finish(struct fovea_text_lines *lines);

/* Cut the first word off `line`, at spaces or a comma; *rest is what follows them. */
char *fovea_text_word(char *line, char **rest);

#endif

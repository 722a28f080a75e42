/* Load options of checkpoints as a text: see arch_options.h. */
#include "loaders/arch_options.h"

#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[4] = {"head-type", "positions", "gelu", "ws-eps"};

/* The four options that are words, as `names` orders them. */
static void get_words(const struct fovea_load_options *options, const char *words[4]) {
    words[0] = options->head_type;
    words[1] = options->positions;
    words[2] = options->gelu;
    words[3] = options->ws_eps;
}

enum fovea_status fovea_arch_options_text(const struct fovea_load_options *options,
                                          char text[FOVEA_ARCH_OPTIONS_TEXT],
                                          struct fovea_error *err) {
    const char *words[4];
    get_words(options, words);
    int at =
        snprintf(text, FOVEA_ARCH_OPTIONS_TEXT, "size=%d;heads=%d", options->size, options->heads);
    for (int i = 0; i < 4; i++) {
        const char *word = words[i] ? words[i] : "";
        if (strlen(word) >= FOVEA_ARCH_OPTION / 2 || strchr(word, ';')) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "%s '%s' is no such option", names[i],
                              fovea_quote(word).text);
        }
        at += snprintf(text + at, FOVEA_ARCH_OPTIONS_TEXT - (size_t)at, ";%s=%s", names[i], word);
    }
    return FOVEA_OK;
}

/* ---- reading it -------------------------------------------------------------- */

/* The value after "NAME=" at *at, up to a semicolon or the end, behind which *at is then. */
static bool take(const char **at, const char *name, char value[FOVEA_ARCH_OPTION]) {
    size_t length = strlen(name);
    if (strncmp(*at, name, length) != 0 || (*at)[length] != '=') {
        return false;
    }
    const char *from = *at + length + 1;
    size_t size = strcspn(from, ";");
    if (size >= FOVEA_ARCH_OPTION) {
        return false;
    }
    memcpy(value, from, size);
    value[size] = 0;
    *at = from[size] == ';' ? from + size + 1 : from + size;
    return true;
}

static bool take_number(const char **at, const char *name, int *out) {
    char value[FOVEA_ARCH_OPTION], *end;
    if (!take(at, name, value)) {
        return false;
    }
    long number = strtol(value, &end, 10);
    *out = (int)number;
    return end != value && !*end && number >= 0 && number <= FOVEA_LIMIT_INPUT_SIDE;
}

enum fovea_status fovea_arch_options_parse(const char *text, struct fovea_arch_options *out,
                                           struct fovea_error *err) {
    struct fovea_arch_options options = {.size = 0};
    const char *at = text;
    bool good =
        take_number(&at, "size", &options.size) && take_number(&at, "heads", &options.heads);
    for (int i = 0; good && i < 4; i++) {
        good = take(&at, names[i], options.words[i]);
    }
    if (!good || *at) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "'%s' are no options of a checkpoint",
                          fovea_quote(text).text);
    }
    *out = options;
    return FOVEA_OK;
}

/* ---- using it ------------------------------------------------------------------ */

void fovea_arch_options_compare(const struct fovea_arch_options *known,
                                const struct fovea_load_options *asked, char *why, size_t size) {
    const char *words[4];
    get_words(asked, words);
    why[0] = 0;
    if (asked->size > 0 && asked->size != known->size) {
        snprintf(why, size, "size %d is asked for", asked->size);
    } else if (asked->heads > 0 && asked->heads != known->heads) {
        snprintf(why, size, "%d heads are asked for", asked->heads);
    }
    for (int i = 0; i < 4 && !why[0]; i++) {
        if (words[i] && strcmp(words[i], known->words[i]) != 0) {
            snprintf(why, size, "%s %s is asked for", names[i], fovea_quote(words[i]).text);
        }
    }
}

static const char *complete(const char *asked, const char *known) {
    return asked || !known[0] ? asked : known;
}

void fovea_arch_options_complete(const struct fovea_arch_options *known,
                                 struct fovea_load_options *asked) {
    asked->size = asked->size > 0 ? asked->size : known->size;
    asked->heads = asked->heads > 0 ? asked->heads : known->heads;
    asked->head_type = complete(asked->head_type, known->words[0]);
    asked->positions = complete(asked->positions, known->words[1]);
    asked->gelu = complete(asked->gelu, known->words[2]);
    asked->ws_eps = complete(asked->ws_eps, known->words[3]);
}

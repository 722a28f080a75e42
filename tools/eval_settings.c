/* See eval_settings.h. */
#include "tools/eval_settings.h"

static void add_setting(const struct eval *eval, struct streams_setting *list, size_t *count,
                        int streams, int batch) {
    struct streams_setting s = eval->setting;
    s.streams = eval->fixed_streams || streams < 1 ? s.streams : streams;
    s.batch = eval->fixed_batch ? s.batch : batch;
    for (size_t i = 0; i < *count; i++) {
        if (list[i].streams == s.streams && list[i].batch == s.batch) {
            return;
        }
    }
    list[(*count)++] = s;
}

/*
 * A thread a stream, then half as many, and so on: less memory, and where that
 * is what limits, faster. The last can only be faster than no setting at all.
 */
static size_t list_exact(const struct eval *eval, struct streams_setting list[EVAL_MAX_SETTINGS]) {
    size_t count = 0;
    struct streams_setting s = eval->setting;
    list[count++] = s;
    while (s.streams > 1 && count < EVAL_MAX_SETTINGS) {
        s.streams = s.threads = s.streams / 2;
        list[count++] = s;
    }
    return count;
}

size_t eval_settings_list(const struct eval *eval, struct streams_setting list[EVAL_MAX_SETTINGS]) {
    int threads = eval->setting.threads,
        several = eval->setting.batch > 1 ? eval->setting.batch : 4;
    size_t count = 0;
    if (eval->exact) {
        return list_exact(eval, list);
    }
    list[count++] = eval->setting;
    add_setting(eval, list, &count, 1, 1);
    add_setting(eval, list, &count, threads, 1);
    add_setting(eval, list, &count, threads, several);
    if (threads >= 8) {
        add_setting(eval, list, &count, threads / 4, 1);
    }
    return count;
}

/*
 * Journals: what is written is read again, bit by bit; what a crash or a bad
 * disk leaves of it is never taken for more than it is.
 */
#include "evaluation/journal.h"
#include "evaluation/journal_line.h"

#include "tests/check.h"
#include "tests/temp_dir.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 5, CLASSES = 7 };

static char *const names[CLASSES] = {"a b", "", "%", "d\n", "\xc3\xa9", "f", "g"};

/* All of it lent: not to be finished. */
static struct eval_description describe(void) {
    return (struct eval_description){
        .model = "model with a space.onnx",
        .model_sha256 = "aa",
        .dataset = "val",
        .dataset_words = "",
        .list_sha256 = "bb",
        .listed = IMAGES,
        .recipe = "{\"a\": [1, 2]}",
        .recipe_sha256 = "cc",
        .precision = "f32",
        .library = "1",
        .backend = "2",
        .options = "100 %",
        .classes = CLASSES,
        .names = (char **)(uintptr_t)names,
        .parameters = 1u << 31,
        .macs = 77,
    };
}

/* Image i of the list; every field takes an odd value in some. Lent. */
static struct eval_record record_of(size_t i) {
    static char *const paths[IMAGES] = {"a/0.jpg", " %20\x01 \xff\n", "%", "x,\"y\"", "z"};
    static int32_t labels[] = {6, 0, 3};
    struct eval_record r = {
        .path = paths[i],
        .labels = labels,
        .n_labels = i == 2   ? 0
                    : i == 3 ? 3
                             : 1,
        .state = i == 1   ? EVAL_FAILED
                 : i == 4 ? EVAL_MISSING
                          : EVAL_OK,
        .message = i == 1   ? "broken\nfile 100 %"
                   : i == 3 ? " "
                            : NULL,
        .file_bytes = i == 4 ? 0 : 123456789012 + i,
        .label_logit = NAN,
    };
    memset(r.file_sha256, (int)(i + 1), sizeof(r.file_sha256));
    if (r.state == EVAL_OK) {
        r.n_top = i == 0 ? EVAL_TOP : 1;
        r.log_sum_exp = 1.0 / 3 + (double)i;
        r.label_logit = i == 2 ? NAN : -1.1754943e-38f;
        for (size_t k = 0; k < r.n_top; k++) {
            r.top[k] = (struct eval_answer){(int32_t)(6 - k), 0.1f - (float)k};
        }
        memset(r.logits_sha256, (int)(0xf0 + i), sizeof(r.logits_sha256));
    }
    return r;
}

static bool same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_record(const struct eval_record *a, const struct eval_record *b) {
    bool same = same_text(a->path, b->path) && a->n_labels == b->n_labels && a->state == b->state &&
                same_text(a->message, b->message) && a->file_bytes == b->file_bytes &&
                a->n_top == b->n_top && a->log_sum_exp == b->log_sum_exp &&
                (a->label_logit == b->label_logit || isnan(a->label_logit)) &&
                memcmp(a->file_sha256, b->file_sha256, sizeof(a->file_sha256)) == 0 &&
                memcmp(a->logits_sha256, b->logits_sha256, sizeof(a->logits_sha256)) == 0;
    for (size_t i = 0; same && i < a->n_labels; i++) {
        same = a->labels[i] == b->labels[i];
    }
    for (size_t i = 0; same && i < a->n_top; i++) {
        same = a->top[i].class_index == b->top[i].class_index && a->top[i].logit == b->top[i].logit;
    }
    return same;
}

/* Whether what there is of `c` is what was written; *n is how many records that is. */
static bool is_part(const struct eval_collection *c, size_t *n) {
    *n = 0;
    for (size_t i = 0; i < c->n_records; i++) {
        struct eval_record want = record_of(i);
        if (c->records[i].state == EVAL_NOT_DONE) {
            continue;
        }
        if (!same_record(&want, &c->records[i])) {
            return false;
        }
        (*n)++;
    }
    return true;
}

/* A journal at `path` with records [first, last). */
static enum fovea_status write_journal(const char *path, bool resume, size_t first, size_t last,
                                       struct fovea_error *err) {
    struct eval_description description = describe();
    struct eval_collection c = {0};
    struct eval_journal *journal = NULL;
    enum fovea_status status = eval_collection_expect(&c, &description, err);
    if (!status) {
        status = eval_journal_open(path, resume, &c, NULL, &journal, err);
    }
    for (size_t i = first; !status && i < last; i++) {
        struct eval_record r = record_of(i);
        status = eval_journal_append(journal, i, &r, err);
    }
    if (!status) {
        status = eval_journal_close(journal, err);
    }
    eval_collection_finish(&c);
    return status;
}

/* The bytes of a file, from malloc. */
static char *slurp(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, 1 << 16);
    *size = file && bytes ? fread(bytes, 1, 1 << 16, file) : 0;
    if (file) {
        fclose(file);
    }
    return bytes;
}

static void journal__written__is_read_bit_by_bit(void) {
    struct fovea_error err;
    struct eval_collection c = {0};
    struct eval_journal_state state;
    struct eval_description want = describe();
    size_t n;
    const char *path = temp_path("plain");
    CHECK_OK(write_journal(path, false, 0, IMAGES, &err), err);
    CHECK_OK(eval_collection_read(&c, path, &state, &err), err);
    CHECK(state.headed && state.torn == 0 && state.damaged == 0 && state.n_runs == 1);
    CHECK(is_part(&c, &n) && n == IMAGES && eval_collection_missing(&c, NULL) == 0);
    CHECK(c.images == IMAGES && c.seconds >= 0 && c.description.macs == 77);
    CHECK_OK(eval_description_match(&c.description, &want, &err), err);
    CHECK_STR(c.description.model, want.model);
    CHECK_STR(c.description.dataset_words, "");
    CHECK_STR(c.description.names[3], "d\n");
    eval_collection_finish(&c);
}

static void journal__there_already__is_refused_without_resume(void) {
    struct fovea_error err;
    const char *path = temp_path("there");
    CHECK_OK(write_journal(path, false, 0, 2, &err), err);
    CHECK(write_journal(path, false, 2, 3, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "--resume") != NULL);
}

/* Cut off after every byte: what is read is what was written, and another run completes it. */
static void journal__cut_anywhere__resumes_to_the_same(void) {
    struct fovea_error err;
    size_t size, n, before = 0;
    const char *path = temp_path("whole");
    CHECK_OK(write_journal(path, false, 0, IMAGES, &err), err);
    char *bytes = slurp(path, &size);
    for (size_t cut = 0; bytes && cut <= size; cut++) {
        struct eval_collection c = {0};
        struct eval_journal_state state;
        const char *part = temp_write("cut", bytes, cut);
        CHECK_OK(eval_collection_read(&c, part, &state, &err), err);
        CHECK(is_part(&c, &n) && state.damaged == 0 && state.end + state.torn == cut);
        CHECK(n >= before && n <= before + 1);
        before = n;
        eval_collection_finish(&c);
        if (cut % 16 == 0 || cut == size) {
            CHECK_OK(write_journal(part, true, n, IMAGES, &err), err);
            CHECK_OK(eval_collection_read(&c, part, &state, &err), err);
            CHECK(is_part(&c, &n) && n == IMAGES && state.torn == 0 && state.damaged == 0);
            eval_collection_finish(&c);
        }
        unlink(part);
    }
    CHECK(before == IMAGES);
    free(bytes);
}

/* Any bit changed: refused, or what is left is what was written. */
static void journal__one_bit_changed__is_never_believed(void) {
    struct fovea_error err;
    size_t size, n, refused = 0, fewer = 0;
    const char *path = temp_path("flip");
    CHECK_OK(write_journal(path, false, 0, IMAGES, &err), err);
    char *bytes = slurp(path, &size), *copy = malloc(1 << 16);
    for (size_t at = 0; bytes && copy && at < size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct eval_collection c = {0};
            struct eval_journal_state state;
            memcpy(copy, bytes, size);
            copy[at] = (char)(copy[at] ^ 1 << bit);
            if (eval_collection_add(&c, copy, size, &state, &err)) {
                refused++;
            } else {
                CHECK(is_part(&c, &n));
                CHECK(n == IMAGES ? state.damaged + state.torn > 0 : n < IMAGES);
                fewer += n < IMAGES;
            }
            eval_collection_finish(&c);
        }
    }
    CHECK(refused > 0 && fewer > 0);
    free(bytes);
    free(copy);
}

static void journal__damaged_in_the_middle__is_done_again(void) {
    struct fovea_error err;
    struct eval_collection c = {0};
    struct eval_journal_state state;
    size_t size, n;
    const char *path = temp_path("middle");
    CHECK_OK(write_journal(path, false, 0, IMAGES, &err), err);
    char *bytes = slurp(path, &size), *line = bytes ? strstr(bytes, " R 2 ok") : NULL;
    CHECK(line != NULL);
    if (line) {
        line[1] = 'Q';
        path = temp_write("middle", bytes, size);
        CHECK_OK(eval_collection_read(&c, path, &state, &err), err);
        CHECK(is_part(&c, &n) && n == IMAGES - 1 && state.damaged == 1 && state.torn == 0);
        CHECK(c.records[2].state == EVAL_NOT_DONE && state.damaged_line > 1);
        eval_collection_finish(&c);
        CHECK_OK(write_journal(path, true, 2, 3, &err), err);
        CHECK_OK(eval_collection_read(&c, path, &state, &err), err);
        CHECK(is_part(&c, &n) && n == IMAGES && state.n_runs == 2);
    }
    eval_collection_finish(&c);
    free(bytes);
}

static void journal__damaged_header__is_refused_not_begun_anew(void) {
    struct fovea_error err;
    size_t size;
    const char *path = temp_path("header");
    CHECK_OK(write_journal(path, false, 0, IMAGES, &err), err);
    char *bytes = slurp(path, &size), *at = bytes ? strstr(bytes, "precision") : NULL;
    if (at) {
        *at = 'q';
        path = temp_write("header", bytes, size);
        CHECK(write_journal(path, true, 0, 1, &err) == FOVEA_ERR_FORMAT);
        CHECK(strstr(err.message, "header") != NULL);
        free(bytes);
        bytes = slurp(path, &size);
        CHECK(strstr(bytes, " R 3 ok") != NULL);
    }
    free(bytes);
    path = temp_write("other", "some notes\n", 11);
    CHECK(write_journal(path, true, 0, 1, &err) == FOVEA_ERR_FORMAT);
}

static void journal__two_writers__the_second_is_refused(void) {
    struct fovea_error err;
    struct eval_description description = describe();
    struct eval_collection c = {0};
    struct eval_journal_state state;
    struct eval_journal *first = NULL;
    const char *path = temp_path("locked");
    CHECK_OK(eval_collection_expect(&c, &description, &err), err);
    CHECK_OK(eval_journal_open(path, false, &c, NULL, &first, &err), err);
    CHECK(write_journal(path, true, 0, 1, &err) == FOVEA_ERR_LIMIT);
    CHECK(eval_collection_read(&c, path, &state, &err) == FOVEA_ERR_LIMIT);
    if (first) {
        CHECK_OK(eval_journal_close(first, &err), err);
    }
    CHECK_OK(write_journal(path, true, 0, 1, &err), err);
    eval_collection_finish(&c);
}

/* Each part of the description that decides answers, changed in turn. */
static void journal__of_another_evaluation__names_the_difference(void) {
    static const struct {
        size_t field;
        const char *words;
    } parts[] = {
        {offsetof(struct eval_description, model_sha256), "the model"},
        {offsetof(struct eval_description, list_sha256), "the list"},
        {offsetof(struct eval_description, recipe_sha256), "the recipe"},
        {offsetof(struct eval_description, precision), "the precision"},
        {offsetof(struct eval_description, library), "version"},
        {offsetof(struct eval_description, backend), "the CPU"},
        {offsetof(struct eval_description, options), "the options"},
    };
    struct fovea_error err;
    const char *path = temp_path("mine");
    CHECK_OK(write_journal(path, false, 0, 1, &err), err);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct eval_description other = describe();
        struct eval_collection c = {0};
        struct eval_journal *journal;
        char *text = "something else";
        memcpy((char *)&other + parts[i].field, &text, sizeof(text));
        CHECK_OK(eval_collection_expect(&c, &other, &err), err);
        CHECK(eval_journal_open(path, true, &c, NULL, &journal, &err) == FOVEA_ERR_INVALID);
        CHECK(strstr(err.message, parts[i].words) && strstr(err.message, text));
        eval_collection_finish(&c);
    }
    struct eval_description moved = describe();
    struct eval_collection c = {0};
    struct eval_journal_state state;
    moved.model = "elsewhere.onnx";
    CHECK_OK(eval_collection_expect(&c, &moved, &err), err);
    CHECK_OK(eval_collection_read(&c, path, &state, &err), err);
    eval_collection_finish(&c);
}

/* Several journals of one list: an answer counts more than a failure, and must be the one answer.
 */
static void journal__several__agree_or_are_refused(void) {
    struct fovea_error err;
    struct eval_description description = describe();
    struct eval_collection c = {0};
    struct eval_journal_state state;
    struct eval_journal *journal = NULL;
    size_t n;
    const char *one = temp_path("one"), *two = temp_path("two");
    CHECK_OK(write_journal(one, false, 0, 3, &err), err);
    CHECK_OK(eval_collection_expect(&c, &description, &err), err);
    CHECK_OK(eval_journal_open(two, false, &c, NULL, &journal, &err), err);
    struct eval_record failed = record_of(4), other = record_of(2);
    CHECK_OK(eval_journal_append(journal, 0, &failed, &err), err); /* of an image that is done */
    CHECK_OK(eval_journal_close(journal, &err), err);
    CHECK_OK(eval_collection_read(&c, one, &state, &err), err);
    CHECK_OK(eval_collection_read(&c, two, &state, &err), err);
    CHECK(is_part(&c, &n) && n == 3);
    eval_collection_finish(&c);

    CHECK_OK(eval_collection_expect(&c, &description, &err), err);
    CHECK_OK(eval_journal_open(two, true, &c, NULL, &journal, &err), err);
    other.logits_sha256[0] ^= 1;
    CHECK_OK(eval_journal_append(journal, 2, &other, &err), err);
    CHECK_OK(eval_journal_close(journal, &err), err);
    CHECK(eval_collection_read(&c, one, &state, &err) == FOVEA_OK);
    CHECK(eval_collection_read(&c, two, &state, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "image 2") != NULL);
    eval_collection_finish(&c);
}

static void journal__hostile_numbers__are_refused(void) {
    struct fovea_error err;
    struct eval_description huge = describe();
    struct eval_collection c = {0};
    huge.listed = SIZE_MAX / 8;
    CHECK(eval_collection_expect(&c, &huge, &err) == FOVEA_ERR_LIMIT);
    eval_collection_finish(&c);
    struct eval_journal_state state;
    struct eval_text text = {0};
    eval_text_finish(&text);
    huge.listed = 100000; /* of which a few bytes can say nothing */
    eval_line_add_header(&text, &huge);
    eval_collection_bound(&c, text.size);
    CHECK(eval_collection_add(&c, text.bytes, text.size, &state, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "of a list of 100000 images") != NULL);
    eval_collection_finish(&c);
    eval_text_finish(&text);
    huge.names = NULL;
    huge.classes = INT32_MAX; /* of nothing */
    eval_line_add_header(&text, &huge);
    CHECK(eval_collection_add(&c, text.bytes, text.size, &state, &err) == FOVEA_ERR_LIMIT);
    eval_collection_finish(&c);
    eval_text_finish(&text);
    huge = describe();
    huge.listed = 2; /* a record of image 3 belongs to no list of 2 */
    struct eval_record r = record_of(3);
    eval_line_add_header(&text, &huge);
    eval_line_add_record(&text, 3, &r);
    r.labels = (int32_t[]){CLASSES};
    r.n_labels = 1;
    eval_line_add_record(&text, 1, &r);
    r = record_of(0);
    eval_line_add_record(&text, 1, &r);
    CHECK_OK(eval_collection_add(&c, text.bytes, text.size, &state, &err), err);
    CHECK(state.n_records == 1 && state.damaged == 2 && eval_collection_missing(&c, NULL) == 1);
    eval_collection_finish(&c);
    eval_text_finish(&text);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(journal__written__is_read_bit_by_bit),
        TEST(journal__there_already__is_refused_without_resume),
        TEST(journal__cut_anywhere__resumes_to_the_same),
        TEST(journal__one_bit_changed__is_never_believed),
        TEST(journal__damaged_in_the_middle__is_done_again),
        TEST(journal__damaged_header__is_refused_not_begun_anew),
        TEST(journal__two_writers__the_second_is_refused),
        TEST(journal__of_another_evaluation__names_the_difference),
        TEST(journal__several__agree_or_are_refused),
        TEST(journal__hostile_numbers__are_refused),
    };
    return RUN_TESTS(tests, argc, argv);
}

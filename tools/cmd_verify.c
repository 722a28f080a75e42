/* fovea verify: a model's outputs against stored ones, case by case, all in one process. */
#include "tools/commands.h"

#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/model_options.h"
#include "tools/say.h"
#include "tools/verify_case.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the command line asks for. */
struct verify {
    struct json_target json;
    struct model_options model;
    struct tolerance tolerance;
    const char *list, *root;
    struct case_options options;
    json_t *cases;
    int counts[CASE_ERROR + 1];
};

/* The folder's own name: what follows the last slash that has something after it. */
static char *case_name(const char *folder) {
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/') {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && folder[begin - 1] != '/') {
        begin--;
    }
    return strndup(folder + begin, end - begin);
}

static json_t *case_json(const char *name, const struct case_result *r) {
    bool compared = r->status == CASE_PASSED || r->status == CASE_FAILED;
    json_t *json = json_pack(
        "{s:o, s:s, s:o, s:o, s:o}", "name", json_text(name), "status", case_status_name(r->status),
        "max_abs", compared ? json_double(r->max_abs) : json_null(), "rel_l2",
        compared ? json_double(r->rel_l2) : json_null(), "message", json_text(r->message));
    if (compared && r->winograd_rel_l2 >= 0) {
        json_set(&json, "winograd_rel_l2", json_double(r->winograd_rel_l2));
    }
    return json;
}

static void print_case(const char *name, const struct case_result *r) {
    printf("%-11s %s", case_status_name(r->status), name);
    if (r->status == CASE_PASSED || r->status == CASE_FAILED) {
        printf("  max_abs %.3g  rel_l2 %.3g", r->max_abs, r->rel_l2);
        if (r->winograd_rel_l2 >= 0) {
            printf("  winograd_rel_l2 %.3g", r->winograd_rel_l2);
        }
    }
    printf("%s%s\n", r->message[0] ? "  " : "", r->message);
    fflush(stdout);
}

static void verify_folder(struct verify *v, const char *folder) {
    struct case_result result;
    char *name = case_name(folder);
    verify_case(folder, &v->options, &result);
    v->counts[result.status]++;
    if (json_target_wants_text(&v->json)) {
        print_case(name ? name : folder, &result);
    }
    if (v->json.on) {
        json_append(&v->cases, case_json(name ? name : folder, &result));
    }
    free(name);
}

/* The case of one line of a list: names stand alone, '#' begins a comment. */
static enum fovea_status verify_line(struct verify *v, char *line, struct fovea_error *err) {
    line[strcspn(line, "#\r\n")] = 0;
    line += strspn(line, " \t");
    line[strcspn(line, " \t")] = 0;
    if (!line[0]) {
        return FOVEA_OK;
    }
    char *folder;
    if (asprintf(&folder, "%s/%s", v->root ? v->root : ".", line) < 0) {
        return fovea_fail_memory(err, strlen(line), "a path");
    }
    verify_folder(v, folder);
    free(folder);
    return FOVEA_OK;
}

static enum fovea_status verify_list(struct verify *v, struct fovea_error *err) {
    FILE *file = fopen(v->list, "r");
    if (!file) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot read '%s': %s", fovea_quote(v->list).text,
                          strerror(errno));
    }
    enum fovea_status status = FOVEA_OK;
    char *line = NULL;
    size_t room = 0;
    while (!status && getline(&line, &room, file) >= 0) {
        status = verify_line(v, line, err);
    }
    if (!status && ferror(file)) {
        status = fovea_fail(err, FOVEA_ERR_IO, "cannot read '%s'", fovea_quote(v->list).text);
    }
    free(line);
    fclose(file);
    return status;
}

/* Cases that ended in an error count as failed: the three numbers make up all cases. */
static int report(struct verify *v) {
    struct fovea_error err;
    int passed = v->counts[CASE_PASSED], unsupported = v->counts[CASE_UNSUPPORTED];
    int failed = v->counts[CASE_FAILED] + v->counts[CASE_ERROR];
    if (json_target_wants_text(&v->json)) {
        printf("%d passed, %d failed, %d unsupported\n", passed, failed, unsupported);
    }
    json_t *root = v->json.on ? json_pack("{s:o, s:i, s:i, s:i}", "cases", v->cases, "passed",
                                          passed, "failed", failed, "unsupported", unsupported)
                              : NULL;
    v->cases = NULL;
    if (json_target_write(&v->json, root, &err)) {
        return say_failure("verify", &err);
    }
    if (passed + failed + unsupported == 0) {
        say("fovea verify: the list names no case");
        return EXIT_FAILED;
    }
    return failed + unsupported == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int verify_all(struct verify *v, const struct operands *operands) {
    struct fovea_error err;
    v->options.model = v->model;
    v->options.tolerance = v->tolerance;
    v->cases = v->json.on ? json_array() : NULL;
    for (size_t i = 0; i < operands->count; i++) {
        verify_folder(v, operands->words[i]);
    }
    if (v->list && verify_list(v, &err)) {
        json_decref(v->cases);
        return say_failure("verify", &err);
    }
    return report(v);
}

int cmd_verify(int argc, char **argv) {
    struct verify v = {.tolerance = {.atol = -1, .rtol = -1}};
    struct option_spec model_rows[N_MODEL_OPTIONS - 1];
    run_option_specs(&v.model, model_rows);
    const struct option_spec own[] = {
        {"atol", "X", "absolute tolerance (default: 1e-4 for f32, 2e-2 for f16, bf16)", option_real,
         &v.tolerance.atol, 0},
        {"rtol", "X", "relative tolerance (default: 1e-3 for f32, 2e-2 for f16, bf16)", option_real,
         &v.tolerance.rtol, 0},
        {"list", "FILE", "also the cases named in FILE, one a line; # begins a comment",
         option_text, &v.list, 0},
        {"root", "DIR", "the folder that the names in the list are in", option_text, &v.root, 0},
        json_option_spec(&v.json),
        {0},
    };
    const struct option_group groups[] = {{"options", own}, {"model", model_rows}, {0}};
    const struct usage usage = {
        "verify",
        "CASE_DIR...",
        "Run CASE_DIR/model.onnx on test_data_set_*/input_*.pb and compare with output_*.pb:\n"
        "|got - expected| <= atol + rtol * |expected|, integers exactly. Under the defaults an\n"
        "f16 or bf16 output also passes with rel_l2 <= 2e-2, if at most 2 % of it is outside\n"
        "the bound and nothing is outside four times the bound. With --precision bf16 and\n"
        "without --atol or --rtol, float outputs of any type pass if rel_l2 <= 3e-2.\n"
        "Prints one line a case; done (0) only if all cases passed. Where convolutions ran by\n"
        "Winograd's algorithm, winograd_rel_l2 compares the outputs with a run by direct ones.",
        "  fovea verify models/nfnet models/vit\n"
        "  fovea verify --passes off --json models/*\n"
        "  fovea verify --list cases.txt --root /usr/share/libonnx-testdata/data/node\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (operands.count == 0 && !v.list) {
        return say_usage("verify", "which cases? Give folders or --list FILE");
    }
    return verify_all(&v, &operands);
}

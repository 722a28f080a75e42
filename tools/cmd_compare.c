/* fovea compare: two evaluations of the same images. */
#include "tools/commands.h"

#include "tools/compare_report.h"
#include "tools/exit_codes.h"
#include "tools/say.h"

struct comparing {
    struct json_target json;
    const char *flips;
    struct compare_result result;
};

static enum fovea_status compare(struct comparing *c, const struct operands *operands,
                                 struct fovea_error *err) {
    struct compare_result *r = &c->result;
    enum fovea_status status = compare_side_init(&r->a, operands->words[0], err);
    if (!status) {
        status = compare_side_init(&r->b, operands->words[1], err);
    }
    if (!status) {
        status = eval_compare(&r->a.predictions, &r->b.predictions, &r->comparison, err);
    }
    if (!status) {
        r->fail = r->fail_points >= 0 && eval_is_worse(&r->comparison, r->fail_points);
    }
    return status;
}

static enum fovea_status report(const struct comparing *c, struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    if (json_target_wants_text(&c->json)) {
        compare_print(&c->result);
    }
    if (c->flips) {
        status = compare_write_flips(&c->result, c->flips, err);
    }
    if (!status && c->json.on) {
        status = json_target_write(&c->json, compare_json(&c->result), err);
    }
    return status;
}

static int compare_both(struct comparing *c, const struct operands *operands) {
    struct fovea_error err;
    enum fovea_status status = compare(c, operands, &err);
    if (!status) {
        status = report(c, &err);
    }
    int code = c->result.fail ? EXIT_FAILED : EXIT_DONE;
    if (status) {
        code = say_failure("compare", &err);
    }
    eval_comparison_finish(&c->result.comparison);
    compare_side_finish(&c->result.a);
    compare_side_finish(&c->result.b);
    return code;
}

int cmd_compare(int argc, char **argv) {
    struct comparing c = {.result.fail_points = -1};
    const struct option_spec own[] = {
        {"fail-if-worse", "X",
         "exit with 1 if B has more than X points (hundredths) fewer of\n"
         "the compared images right than A; 0: if it has any fewer",
         option_real, &c.result.fail_points, 0},
        {"flips", "FILE", "write path,label,pred_a,pred_b,change of every image that flipped",
         option_text, &c.flips, 0},
        json_option_spec(&c.json),
        {0},
    };
    const struct option_group groups[] = {{"options", own}, {0}};
    const struct usage usage = {
        "compare",
        "A B",
        "Compare two evaluations of the same images, A what was and B what might take its\n"
        "place: folders of `fovea eval --output`, or CSV files with the columns path, label\n"
        "and pred (or correct). Images are paired by path; what only one of them has, or\n"
        "could answer, is counted and left out. The difference of top-1 is given with\n"
        "Newcombe's 95 % interval for paired shares and McNemar's exact test.",
        "  fovea compare runs/f32 runs/bf16\n"
        "  fovea compare old.csv new.csv --fail-if-worse 0.1\n"
        "  fovea compare runs/f32 runs/bf16 --flips flips.csv --json out.json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (operands.count != 2) {
        return say_usage("compare", "takes two reports or prediction files, but got %zu operand%s",
                         operands.count, operands.count == 1 ? "" : "s");
    }
    return compare_both(&c, &operands);
}

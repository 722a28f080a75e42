/* fovea ops: what the registry has, so that claims of support cannot drift from it. */
#include "tools/commands.h"

#include "ops/registry.h"
#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/say.h"

#include <string.h>

/* Consecutive rows of one operator that all have an implementation: one range of opsets. */
struct op_range {
    const char *domain, *type;
    int from, to; /* to: 0 while no later row ends it */
};

/* The range that begins at row *i; *i moves past it. False for a row that ends support. */
static bool next_range(const struct fovea_op_entry *rows, size_t count, size_t *i,
                       struct op_range *range) {
    const struct fovea_op_entry *first = &rows[(*i)++];
    if (!first->op) {
        return false;
    }
    *range = (struct op_range){first->domain, first->type, first->since, 0};
    for (; *i < count; (*i)++) {
        const struct fovea_op_entry *row = &rows[*i];
        if (strcmp(row->type, first->type) != 0 || strcmp(row->domain, first->domain) != 0) {
            break;
        }
        if (!row->op) {
            range->to = row->since - 1;
            break;
        }
    }
    return true;
}

/* ONNX's opsets before FOVEA_OPSET_MIN are refused at load, whatever an operator could do. */
static void clamp_range(struct op_range *range) {
    if (range->domain[0]) {
        return;
    }
    range->from = range->from < FOVEA_OPSET_MIN ? FOVEA_OPSET_MIN : range->from;
    range->to = range->to == 0 ? FOVEA_OPSET_MAX : range->to;
}

static void print_range(const struct op_range *range) {
    const char *domain = range->domain[0] ? range->domain : "ai.onnx";
    if (range->to) {
        printf("%-8s %-24s %d-%d\n", domain, range->type, range->from, range->to);
    } else {
        printf("%-8s %-24s %d-\n", domain, range->type, range->from);
    }
}

static json_t *range_json(const struct op_range *range) {
    return json_pack("{s:s, s:s, s:i, s:o}", "domain", range->domain[0] ? range->domain : "ai.onnx",
                     "type", range->type, "since", range->from, "until",
                     range->to ? json_integer(range->to) : json_null());
}

int cmd_ops(int argc, char **argv) {
    struct json_target json = {0};
    const struct option_spec own[] = {json_option_spec(&json), {0}};
    const struct option_group groups[] = {{"options", own}, {0}};
    const struct usage usage = {
        "ops",
        "",
        "Print the operators that models may use: domain, type and range of opsets.\n"
        "Operators of domain fovea are made by graph passes, not read from files.",
        "  fovea ops\n  fovea ops --json\n",
        groups,
    };
    int end = options_parse_only(&usage, argc, argv);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    size_t count;
    const struct fovea_op_entry *rows = fovea_op_table(&count);
    json_t *list = json.on ? json_array() : NULL;
    for (size_t i = 0; i < count;) {
        struct op_range range;
        if (!next_range(rows, count, &i, &range)) {
            continue;
        }
        clamp_range(&range);
        if (json_target_wants_text(&json)) {
            print_range(&range);
        }
        if (json.on) {
            json_append(&list, range_json(&range));
        }
    }
    struct fovea_error err;
    if (json_target_write(&json, list, &err)) {
        return say_failure("ops", &err);
    }
    return EXIT_DONE;
}

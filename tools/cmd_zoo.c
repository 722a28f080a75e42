/* fovea zoo: the systems that arch: knows by name, with what was published about them. */
#include "tools/commands.h"

#include "tools/exit_codes.h"
#include "tools/published.h"
#include "tools/say.h"

static const char *family_of(const struct fovea_arch_entry *e) {
    return e->family == FOVEA_FAMILY_NFNET ? "NFNet" : "ViT";
}

static json_t *entry_json(const struct fovea_arch_entry *e) {
    return json_pack("{s:s, s:s, s:i, s:o}", "name", e->name, "family", family_of(e), "size",
                     e->size, "published", published_json(&e->published));
}

static void print_entry(const struct fovea_arch_entry *e) {
    printf("arch:%-16s%s, %dx%d unless @SIZE says otherwise\n", e->name, family_of(e), e->size,
           e->size);
    published_print(&e->published, 4);
}

int cmd_zoo(int argc, char **argv) {
    struct json_target json = {0};
    const struct option_spec own[] = {json_option_spec(&json), {0}};
    const struct option_group groups[] = {{"options", own}, {0}};
    const struct usage usage = {
        "zoo",
        "",
        "List the systems that a MODEL may name, arch:NAME[:VARIANT][@SIZE], to run them with\n"
        "made-up weights: how fast, and in how much memory. VARIANT is a ViT's head, map (the\n"
        "default), gap or token; or b, of a wider NFNet (f0+ ... f7+), for the reading of its\n"
        "first stage that agrees with the paper's counts and not with the released code. Figures\n"
        "under a name are published ones, in their own conventions; fovea inspect counts its own.",
        "  fovea zoo\n"
        "  fovea inspect arch:nfnet-f7+@480\n"
        "  fovea bench arch:vit-b/16:gap@384\n",
        groups,
    };
    int end = options_parse_only(&usage, argc, argv);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    json_t *list = json.on ? json_array() : NULL;
    for (const struct fovea_arch_entry *e = fovea_arch_zoo; e->name; e++) {
        if (json_target_wants_text(&json)) {
            print_entry(e);
        }
        if (json.on) {
            json_append(&list, entry_json(e));
        }
    }
    struct fovea_error err;
    return json_target_write(&json, list, &err) ? say_failure("zoo", &err) : EXIT_DONE;
}

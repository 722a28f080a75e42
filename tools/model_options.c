/* See model_options.h. */
#include "tools/model_options.h"

#include "loaders/arch.h"
#include "runtime/bf16_ratio.h"
#include "runtime/limits.h"
#include "runtime/model.h"
#include "runtime/pass.h"
#include "runtime/session.h"
#include "tools/say.h"

#include <stdio.h>
#include <string.h>

static void say_auto(void) {
    double ratio = fovea_bf16_ratio();
    if (ratio > 0) {
        bool pays = fovea_precision_settle(FOVEA_PRECISION_AUTO) == FOVEA_PRECISION_BF16;
        say("precision auto: %s, for a bf16 product takes %.2f of the time of f32 on this CPU",
            pays ? "bf16" : "f32", ratio);
    } else {
        say("precision auto: f32, for %s", fovea_cpu_has_bf16()
                                               ? "a bf16 product could not be measured"
                                               : "this CPU has no bf16 instructions");
    }
}

/* What is done is not always what the option's word says. */
static void say_precision(enum fovea_precision asked) {
    bool able = fovea_cpu_has_bf16();
    if (asked == FOVEA_PRECISION_AUTO) {
        say_auto();
    } else if (asked == FOVEA_PRECISION_BF16 && !able) {
        say("precision bf16: this CPU has no bf16 instructions; f32 arithmetic on operands rounded "
            "to bf16, slower than f32");
    }
}

static enum fovea_status parse_precision(const char *text, void *target, struct fovea_error *err) {
    struct model_options *options = target;
    enum fovea_precision *precision = &options->precision;
    if (strcmp(text, "f32") == 0) {
        *precision = FOVEA_PRECISION_F32;
    } else if (strcmp(text, "bf16") == 0) {
        *precision = FOVEA_PRECISION_BF16;
    } else if (strcmp(text, "auto") == 0) {
        *precision = FOVEA_PRECISION_AUTO;
    } else {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is no precision; f32, bf16 and auto are",
                          fovea_quote(text).text);
    }
    options->has_precision = true;
    say_precision(*precision);
    return FOVEA_OK;
}

static enum fovea_status parse_threads(const char *text, void *target, struct fovea_error *err) {
    int threads;
    enum fovea_status status = option_count(text, &threads, err);
    if (!status && threads > FOVEA_LIMIT_THREADS) {
        status = fovea_fail(err, FOVEA_ERR_INVALID, "%d is over the limit of %d", threads,
                            FOVEA_LIMIT_THREADS);
    }
    if (!status) {
        *(int *)target = threads;
    }
    return status;
}

const char *precision_name(enum fovea_precision precision) {
    static const char *const names[] = {
        [FOVEA_PRECISION_F32] = "f32",
        [FOVEA_PRECISION_BF16] = "bf16",
        [FOVEA_PRECISION_AUTO] = "auto",
    };
    return names[precision];
}

static bool is_pass(const char *name, size_t length) {
    size_t count;
    const struct fovea_pass *passes = fovea_pass_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strlen(passes[i].name) == length && strncmp(passes[i].name, name, length) == 0) {
            return true;
        }
    }
    return false;
}

static enum fovea_status fail_passes(const char *text, struct fovea_error *err) {
    char names[256] = "";
    size_t count, at = 0;
    const struct fovea_pass *passes = fovea_pass_table(&count);
    for (size_t i = 0; i < count && at < sizeof(names); i++) {
        at += (size_t)snprintf(names + at, sizeof(names) - at, " %s", passes[i].name);
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': on, off, or names separated by commas of%s",
                      fovea_quote(text).text, names);
}

static enum fovea_status parse_passes(const char *text, void *target, struct fovea_error *err) {
    bool known = strcmp(text, "on") == 0 || strcmp(text, "off") == 0;
    for (const char *at = text; !known;) {
        size_t length = strcspn(at, ",");
        if (!is_pass(at, length)) {
            return fail_passes(text, err);
        }
        known = at[length] == 0;
        at += length + 1;
    }
    *(const char **)target = text;
    return FOVEA_OK;
}

static enum fovea_status parse_winograd(const char *text, void *target, struct fovea_error *err) {
    bool off = strcmp(text, "off") == 0;
    if (!off && strcmp(text, "auto") != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': auto or off", fovea_quote(text).text);
    }
    *(bool *)target = off;
    return FOVEA_OK;
}

void run_option_specs(struct model_options *options,
                      struct option_spec specs[N_MODEL_OPTIONS - 1]) {
    const struct option_spec rows[] = {
        {"precision", "P",
         "arithmetic: f32 (default), bf16, or auto, which is bf16 if a short\n"
         "measurement finds it faster. bf16 multiplies in bf16 and sums in f32",
         parse_precision, options, 0},
        {"threads", "N", "threads of the model (default: what affinity and cgroup allow)",
         parse_threads, &options->threads, 0},
        {"passes", "WHICH", "graph passes: on (default), off, or names separated by commas",
         parse_passes, &options->passes, 0},
        {"winograd", "WHEN",
         "3x3 convolutions by Winograd's algorithm: auto, where it takes\n"
         "less time (default), or off",
         parse_winograd, &options->no_winograd, 0},
        {"head-type", "H",
         "how a ViT in a checkpoint pools: token, gap, map or token+gap\n"
         "(default: what its tensors and config.json say)",
         option_text, &options->head_type, 0},
        {"heads", "N", "attention heads of a ViT in a checkpoint (default: the same)", option_count,
         &options->heads, 0},
        {"gelu", "G", "GELU of a checkpoint: tanh or erf (default: as its code base has it)",
         option_text, &options->gelu, 0},
        {"ws-eps", "E",
         "epsilon of weight standardisation in an NFNet's checkpoint: dm or\n"
         "timm (default: as its code base has it)",
         option_text, &options->ws_eps, 0},
        {"positions", "RULE",
         "how position embeddings of a checkpoint's ViT are resampled if\n"
         "--size asks for another grid: as big-vision, timm, timm-npz or hf do\n"
         "(default: as its code base does)",
         option_text, &options->positions, 0},
        {"cache", "DIR",
         "keep planned models in DIR (default: $FOVEA_CACHE_DIR, else\n"
         "nowhere), so that the next start of the same model is quicker",
         option_text, &options->cache, 0},
        {"max-memory", "BYTES",
         "refuse models that need more for parsing, or with which the process\n"
         "would need more; suffixes K, M, G (default: 80 % of what is available)",
         option_bytes, &options->max_memory, 0},
        {0},
    };
    memcpy(specs, rows, sizeof(rows));
}

void model_option_specs(struct model_options *options, struct option_spec specs[N_MODEL_OPTIONS]) {
    specs[0] = (struct option_spec){
        "batch",         "N", "images per run, for models that leave it open", option_count,
        &options->batch, 0,
    };
    run_option_specs(options, specs + 1);
}

void model_options_get(const struct model_options *options, const struct fovea_model *model,
                       struct fovea_session_options *session) {
    fovea_session_options_default(session);
    fovea_model_get_session_options(model, session);
    session->threads = options->threads;
    if (options->has_precision) {
        session->precision = options->precision;
    }
    if (options->passes) {
        session->passes = options->passes;
    }
    session->max_memory = options->max_memory;
    session->no_winograd = session->no_winograd || options->no_winograd;
    session->profile = options->profile;
    session->plan_only = options->plan_only;
}

static void say_misfit(void *context, const char *how, const char *what) {
    (void)context;
    say("%s: %s", how, what);
}

/* The first option given that only networks built from tensors have; NULL: none is. */
static const char *option_of_checkpoints(const struct model_options *options) {
    return options->heads       ? "heads"
           : options->head_type ? "head-type"
           : options->gelu      ? "gelu"
           : options->ws_eps    ? "ws-eps"
           : options->positions ? "positions"
                                : NULL;
}

enum fovea_status model_options_load(const struct model_options *options, const char *path,
                                     int size, struct fovea_model **out, struct fovea_error *err) {
    struct fovea_load_options load;
    fovea_load_options_default(&load);
    load.max_memory = options->max_memory;
    load.size = size;
    load.heads = options->heads;
    load.head_type = options->head_type;
    load.positions = options->positions;
    load.gelu = options->gelu;
    load.ws_eps = options->ws_eps;
    load.explain = say_misfit;
    enum fovea_status status = fovea_model_load(path, &load, out, err);
    const char *words = status ? NULL : fovea_model_get_metadata(*out, FOVEA_ARCH_KEY);
    const char *origin = words ? fovea_model_get_metadata(*out, FOVEA_ARCH_ORIGIN_KEY) : NULL;
    bool by_tensors = !status && ((*out)->built || (*out)->planned_inputs);
    const char *unused = status || by_tensors ? NULL : option_of_checkpoints(options);
    if (origin) {
        say("%s: %s", origin, words);
    }
    if (unused) {
        say("note: --%s is for checkpoints and has no effect: this model's graph is in its file",
            unused);
    }
    return status;
}

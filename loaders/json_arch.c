/*
 * What config.json beside a checkpoint says of its network: timm's
 * ("architecture", "model_args", "pretrained_cfg") and that of Hugging Face
 * transformers ("model_type", "hidden_act", ...). See arch_config.h.
 */
#include "loaders/arch_config.h"

#include "loaders/json.h"
#include "runtime/limits.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int count_of(const json_t *object, const char *key) {
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 && n <= FOVEA_LIMIT_INPUT_SIDE ? (int)n : 0;
}

/* A side, or [height, width], the last two of a longer list. */
static void read_size(const json_t *value, struct fovea_arch_hints *hints) {
    size_t n = json_array_size(value);
    json_int_t h = json_integer_value(n ? json_array_get(value, n - 2) : value);
    json_int_t w = json_integer_value(n ? json_array_get(value, n - 1) : value);
    if (n != 1 && h > 0 && w > 0 && h <= FOVEA_LIMIT_INPUT_SIDE && w <= FOVEA_LIMIT_INPUT_SIDE) {
        hints->height = (int)h;
        hints->width = (int)w;
    }
}

/* ---- timm ------------------------------------------------------------------------ */

static bool has_part(const char *name, const char *const *parts) {
    for (; *parts; parts++) {
        if (strstr(name, *parts)) {
            return true;
        }
    }
    return false;
}

/* Heads of timm's sizes that are not of 64 features: vit_tiny has 3, vit_huge 16, ... */
static int heads_of_name(const char *name) {
    static const struct {
        const char *part;
        int heads;
    } sizes[] = {{"_so150m", 0},    {"_so400m", 16}, {"_giantopt", 16}, {"_giant", 16},
                 {"_gigantic", 16}, {"_huge", 16},   {"_large", 16},    {"_base", 12},
                 {"_small", 6},     {"_tiny", 3},    {NULL, 0}};
    for (int i = 0; sizes[i].part; i++) {
        if (strstr(name, sizes[i].part)) {
            return sizes[i].heads;
        }
    }
    return 0;
}

static void read_timm(const json_t *root, struct fovea_arch_hints *hints) {
    /* The models whose activation timm sets to gelu_tanh (vision_transformer.py). */
    static const char *const tanh_models[] = {"so400m_patch16_siglip", "giantopt_patch16_siglip",
                                              "large_patch16_siglip_512", "base_patch32_siglip",
                                              NULL};
    const char *name = text_of(root, "architecture"), *pool = text_of(root, "global_pool");
    const json_t *args = json_object_get(root, "model_args");
    const json_t *config = json_object_get(root, "pretrained_cfg");
    bool vit = strncmp(name, "vit_", 4) == 0;
    bool nfnet = strncmp(name, "nfnet_f", 7) == 0 || strncmp(name, "dm_nfnet_f", 10) == 0;
    read_size(json_object_get(config, "input_size"), hints);
    /* What timm evaluates at; a ViT's is that of its positions. */
    if (nfnet) {
        read_size(json_object_get(config, "test_input_size"), hints);
    }
    read_size(json_object_get(args, "img_size"), hints);
    hints->heads = vit ? heads_of_name(name) : 0;
    /* What is stated outweighs what a name implies; a width of its own needs heads of its own. */
    if (json_object_get(args, "embed_dim") || json_object_get(args, "num_heads")) {
        hints->heads = count_of(args, "num_heads");
    }
    if (has_part(name, tanh_models)) {
        hints->gelu_tanh = FOVEA_YES;
    }
    if (nfnet) {
        hints->gamma_in_weights = name[0] == 'n' ? FOVEA_YES : FOVEA_NO;
    }
    pool = text_of(args, "global_pool")[0] ? text_of(args, "global_pool") : pool;
    hints->head = strcmp(pool, "token") == 0 ? FOVEA_HEAD_TOKEN
                  : strcmp(pool, "avg") == 0 ? FOVEA_HEAD_GAP
                  : strcmp(pool, "map") == 0 ? FOVEA_HEAD_MAP
                                             : hints->head;
}

/* ---- Hugging Face transformers ------------------------------------------------------- */

static enum fovea_status read_activation(const char *name, struct fovea_arch_hints *hints,
                                         struct fovea_error *err) {
    static const struct {
        const char *name;
        enum fovea_choice tanh;
    } known[] = {{"", FOVEA_OPEN},          {"gelu", FOVEA_NO},
                 {"gelu_python", FOVEA_NO}, {"gelu_new", FOVEA_YES},
                 {"gelu_fast", FOVEA_YES},  {"gelu_pytorch_tanh", FOVEA_YES}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(name, known[i].name) == 0) {
            hints->gelu_tanh = known[i].tanh ? known[i].tanh : hints->gelu_tanh;
            return FOVEA_OK;
        }
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                      "\"hidden_act\" is '%s'; gelu and gelu_pytorch_tanh are supported",
                      fovea_quote(name).text);
}

/* The wrapper class decides the head: SiglipForImageClassification takes the mean of tokens. */
static void read_wrapper(const json_t *root, struct fovea_arch_hints *hints) {
    const char *name = json_string_value(json_array_get(json_object_get(root, "architectures"), 0));
    if (name && strncmp(name, "Siglip", 6) == 0) {
        hints->head = strstr(name, "ForImageClassification") ? FOVEA_HEAD_GAP : FOVEA_HEAD_MAP;
    }
}

static enum fovea_status read_hf(const json_t *root, struct fovea_arch_hints *hints,
                                 struct fovea_error *err) {
    const json_t *vision = json_object_get(root, "vision_config");
    vision = json_is_object(vision) ? vision : root;
    read_size(json_object_get(vision, "image_size"), hints);
    read_wrapper(root, hints);
    hints->heads = count_of(vision, "num_attention_heads");
    double eps = json_number_value(json_object_get(vision, "layer_norm_eps"));
    hints->norm_eps = eps > 0 && eps < 1 ? eps : hints->norm_eps;
    return read_activation(text_of(vision, "hidden_act"), hints, err);
}

enum fovea_status fovea_arch_config_parse(const char *text, size_t size,
                                          struct fovea_arch_hints *hints, struct fovea_error *err) {
    json_t *root;
    enum fovea_status status = fovea_json_parse(text, size, 0, &root, err);
    if (status) {
        return status;
    }
    if (json_object_get(root, "model_type")) {
        status = read_hf(root, hints, err);
    } else if (json_object_get(root, "architecture")) {
        read_timm(root, hints);
    }
    json_decref(root);
    return status;
}

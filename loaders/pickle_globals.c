/* What the globals of a pickle mean (pickle.h): arrays of numpy, tensors of torch. */
#include "loaders/npy_header.h"
#include "loaders/pickle_parts.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *module, *name;
    int meaning;
} globals[] = {
    {"_codecs", "encode", FOVEA_GLOBAL_ENCODE},
    {"argparse", "Namespace", FOVEA_GLOBAL_NAMESPACE},
    {"collections", "OrderedDict", FOVEA_GLOBAL_ORDERED_DICT},
    {"ml_dtypes", "bfloat16", FOVEA_GLOBAL_BFLOAT16},
    {"numpy", "dtype", FOVEA_GLOBAL_DTYPE},
    {"numpy", "ndarray", FOVEA_GLOBAL_NDARRAY},
    {"numpy._core.multiarray", "_reconstruct", FOVEA_GLOBAL_RECONSTRUCT},
    {"numpy._core.multiarray", "scalar", FOVEA_GLOBAL_SCALAR},
    {"numpy._core.numeric", "_frombuffer", FOVEA_GLOBAL_FROMBUFFER},
    {"numpy.core.multiarray", "_reconstruct", FOVEA_GLOBAL_RECONSTRUCT},
    {"numpy.core.multiarray", "scalar", FOVEA_GLOBAL_SCALAR},
    {"numpy.core.numeric", "_frombuffer", FOVEA_GLOBAL_FROMBUFFER},
    {"torch", "BFloat16Storage", FOVEA_GLOBAL_STORAGE + FOVEA_BF16},
    {"torch", "BoolStorage", FOVEA_GLOBAL_STORAGE + FOVEA_BOOL},
    {"torch", "ByteStorage", FOVEA_GLOBAL_STORAGE + FOVEA_U8},
    {"torch", "CharStorage", FOVEA_GLOBAL_STORAGE + FOVEA_I8},
    {"torch", "DoubleStorage", FOVEA_GLOBAL_STORAGE + FOVEA_F64},
    {"torch", "FloatStorage", FOVEA_GLOBAL_STORAGE + FOVEA_F32},
    {"torch", "HalfStorage", FOVEA_GLOBAL_STORAGE + FOVEA_F16},
    {"torch", "IntStorage", FOVEA_GLOBAL_STORAGE + FOVEA_I32},
    {"torch", "LongStorage", FOVEA_GLOBAL_STORAGE + FOVEA_I64},
    {"torch", "ShortStorage", FOVEA_GLOBAL_STORAGE + FOVEA_I16},
    {"torch", "Size", FOVEA_GLOBAL_SIZE},
    {"torch._utils", "_rebuild_parameter", FOVEA_GLOBAL_REBUILD_PARAMETER},
    {"torch._utils", "_rebuild_tensor_v2", FOVEA_GLOBAL_REBUILD_TENSOR},
};

static bool is_word(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

bool fovea_pickle_is_text(const struct fovea_pickle_value *text, const char *word) {
    return is_word(text->text, text->length, word);
}

struct fovea_pickle_value *fovea_pickle_global(struct fovea_pickle_machine *m, const char *module,
                                               size_t module_length, const char *name,
                                               size_t name_length) {
    char words[160];
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
        if (is_word(module, module_length, globals[i].module) &&
            is_word(name, name_length, globals[i].name)) {
            struct fovea_pickle_value *value = fovea_pickle_new(m, FOVEA_PICKLE_GLOBAL);
            if (value) {
                value->number = globals[i].meaning;
            }
            return value;
        }
    }
    snprintf(words, sizeof(words), "%.*s.%.*s", (int)(module_length < 64 ? module_length : 64),
             module, (int)(name_length < 64 ? name_length : 64), name);
    fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED,
                      "the pickle asks for '%s', which is nothing that weights are made of",
                      fovea_quote(words).text);
    return NULL;
}

/* ---- arguments -------------------------------------------------------------- */

bool fovea_pickle_matches(const struct fovea_pickle_value *tuple, const char *kinds) {
    static const struct {
        char letter;
        enum fovea_pickle_kind kind;
    } letters[] = {
        {'i', FOVEA_PICKLE_INT},    {'b', FOVEA_PICKLE_BOOL},    {'t', FOVEA_PICKLE_TUPLE},
        {'d', FOVEA_PICKLE_DTYPE},  {'y', FOVEA_PICKLE_BYTES},   {'x', FOVEA_PICKLE_TEXT},
        {'g', FOVEA_PICKLE_GLOBAL}, {'s', FOVEA_PICKLE_STORAGE}, {'n', FOVEA_PICKLE_NONE},
        {'T', FOVEA_PICKLE_TENSOR},
    };
    if (tuple->kind != FOVEA_PICKLE_TUPLE || tuple->count < strlen(kinds)) {
        return false;
    }
    for (size_t i = 0; kinds[i]; i++) {
        bool fits = kinds[i] == '.';
        for (size_t j = 0; j < sizeof(letters) / sizeof(letters[0]); j++) {
            fits |= kinds[i] == letters[j].letter && tuple->items[i]->kind == letters[j].kind;
        }
        if (!fits) {
            return false;
        }
    }
    return true;
}

void fovea_pickle_fail_args(struct fovea_pickle_machine *m, const char *what) {
    fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "%s is called with other values than it takes", what);
}

bool fovea_pickle_read_shape(struct fovea_pickle_machine *m, const struct fovea_pickle_value *tuple,
                             struct fovea_tensor *t) {
    struct fovea_error why = {0};
    if (tuple->count > FOVEA_MAX_RANK) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "%zu dimensions; the limit is %d", tuple->count,
                          FOVEA_MAX_RANK);
        return false;
    }
    t->rank = (int)tuple->count;
    for (int i = 0; i < t->rank; i++) {
        if (tuple->items[i]->kind != FOVEA_PICKLE_INT) {
            fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a dimension is no integer");
            return false;
        }
        t->dims[i] = tuple->items[i]->number;
    }
    enum fovea_status st = fovea_tensor_check_shape(t, &why);
    if (st) {
        fovea_pickle_fail(m, st, "%s", why.message);
    }
    return !st;
}

/* ---- numpy ------------------------------------------------------------------- */

/* Text or, of Python 2, bytes. */
static bool copy_text(const struct fovea_pickle_value *value, char *out, size_t size) {
    bool is = value->kind == FOVEA_PICKLE_TEXT || value->kind == FOVEA_PICKLE_BYTES;
    if (!is || value->length >= size || memchr(value->text, 0, value->length)) {
        return false;
    }
    memcpy(out, value->text, value->length);
    out[value->length] = 0;
    return true;
}

static struct fovea_pickle_value *make_dtype(struct fovea_pickle_machine *m,
                                             const struct fovea_pickle_value *args) {
    char code[32] = "";
    struct fovea_error why = {0};
    struct fovea_pickle_value *value = fovea_pickle_new_tensor(m, FOVEA_PICKLE_DTYPE);
    if (!value) {
        return NULL;
    }
    bool bfloat16 =
        fovea_pickle_matches(args, "g") && args->items[0]->number == FOVEA_GLOBAL_BFLOAT16;
    if (!bfloat16 &&
        (!fovea_pickle_matches(args, ".") || !copy_text(args->items[0], code, sizeof(code)))) {
        fovea_pickle_fail_args(m, "numpy.dtype");
        return NULL;
    }
    if (bfloat16 || strcmp(code, "bfloat16") == 0) {
        value->tensor->t.dtype = FOVEA_BF16;
        return value;
    }
    enum fovea_status st = fovea_npy_dtype(code, &value->tensor->t.dtype, &why);
    if (st) {
        fovea_pickle_fail(m, st, "%s", why.message);
    }
    return value;
}

/* (version, byte order, subtype, names, fields, ...): a plain type has none of the last three. */
static void build_dtype(struct fovea_pickle_machine *m, const struct fovea_pickle_value *dtype,
                        const struct fovea_pickle_value *state) {
    char order[8] = "";
    if (!fovea_pickle_matches(state, "i.nnn") ||
        !copy_text(state->items[1], order, sizeof(order)) || strlen(order) != 1 ||
        !strchr("<|=>", order[0])) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "a numpy type that is not a plain number's");
    } else if (order[0] == '>' && fovea_dtype_size(dtype->tensor->t.dtype) > 1) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "big-endian numbers");
    }
}

/* Check the bytes of an array, and take them. */
static void fill_array(struct fovea_pickle_machine *m, struct fovea_pickle_value *array,
                       const struct fovea_pickle_value *shape,
                       const struct fovea_pickle_value *dtype, bool fortran,
                       const struct fovea_pickle_value *bytes) {
    struct fovea_error why = {0};
    struct fovea_pickle_tensor *tensor = array->tensor;
    struct fovea_npy_header header = {.tensor = {.dtype = dtype->tensor->t.dtype},
                                      .fortran = fortran};
    if (!fovea_pickle_read_shape(m, shape, &header.tensor)) {
        return;
    }
    if (bytes->length != fovea_tensor_bytes(&header.tensor)) {
        fovea_pickle_fail(
            m, FOVEA_ERR_FORMAT, "an array with %zu bytes of data; %s of %s takes %zu",
            bytes->length, fovea_shape_text(&header.tensor).text,
            fovea_dtype_name(header.tensor.dtype), fovea_tensor_bytes(&header.tensor));
        return;
    }
    enum fovea_status st =
        fovea_npy_check(&header.tensor, (const unsigned char *)bytes->text, &why);
    if (st) {
        fovea_pickle_fail(m, st, "%s", why.message);
    }
    tensor->t = header.tensor;
    fovea_npy_strides(&header, tensor->strides);
    tensor->bytes = bytes->text;
    tensor->made = bytes->made;
    tensor->complete = true;
}

/* (version, shape, dtype, Fortran order, contents) */
static void build_array(struct fovea_pickle_machine *m, struct fovea_pickle_value *array,
                        const struct fovea_pickle_value *state) {
    if (!fovea_pickle_matches(state, "itdby") || array->tensor->complete) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "the state of an array is not as numpy writes it");
        return;
    }
    fill_array(m, array, state->items[1], state->items[2], state->items[3]->number,
               state->items[4]);
}

static struct fovea_pickle_value *make_scalar(struct fovea_pickle_machine *m,
                                              const struct fovea_pickle_value *args) {
    static const struct fovea_pickle_value no_dims = {.kind = FOVEA_PICKLE_TUPLE};
    struct fovea_pickle_value *value = fovea_pickle_new_tensor(m, FOVEA_PICKLE_ARRAY);
    if (value && !fovea_pickle_matches(args, "dy")) {
        fovea_pickle_fail_args(m, "numpy's scalar");
    } else if (value) {
        fill_array(m, value, &no_dims, args->items[0], false, args->items[1]);
    }
    return value;
}

/* (contents, dtype, shape, order) */
static struct fovea_pickle_value *make_from_buffer(struct fovea_pickle_machine *m,
                                                   const struct fovea_pickle_value *args) {
    char order[8] = "";
    struct fovea_pickle_value *value = fovea_pickle_new_tensor(m, FOVEA_PICKLE_ARRAY);
    if (value &&
        (!fovea_pickle_matches(args, "ydt.") || !copy_text(args->items[3], order, sizeof(order)) ||
         strlen(order) != 1 || !strchr("CF", order[0]))) {
        fovea_pickle_fail_args(m, "numpy's _frombuffer");
    } else if (value) {
        fill_array(m, value, args->items[2], args->items[1], order[0] == 'F', args->items[0]);
    }
    return value;
}

/* Protocol 2 has no bytes: Python writes them as text and a call to encode it as latin1. */
static struct fovea_pickle_value *encode(struct fovea_pickle_machine *m,
                                         const struct fovea_pickle_value *args) {
    struct fovea_pickle_value *value = fovea_pickle_new(m, FOVEA_PICKLE_BYTES);
    if (!value || !fovea_pickle_matches(args, "xx") ||
        !fovea_pickle_is_text(args->items[1], "latin1")) {
        fovea_pickle_fail_args(m, "_codecs.encode");
        return NULL;
    }
    const struct fovea_pickle_value *text = args->items[0];
    char *out = fovea_pickle_memory(m, text->length);
    for (size_t i = 0; out && i < text->length; i++) {
        unsigned char c = (unsigned char)text->text[i];
        unsigned char next = i + 1 < text->length ? (unsigned char)text->text[i + 1] : 0;
        if (c >= 0x80 && ((c & 0xfe) != 0xc2 || (next & 0xc0) != 0x80)) {
            fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a text to encode is not latin1");
            return NULL;
        }
        out[value->length++] = c < 0x80 ? (char)c : (char)((c & 3) << 6 | (next & 0x3f));
        i += c >= 0x80;
    }
    value->text = out;
    value->made = true;
    return value;
}

/* ---- calls ---------------------------------------------------------------------- */

static struct fovea_pickle_value *first_of(struct fovea_pickle_machine *m,
                                           const struct fovea_pickle_value *args, const char *kinds,
                                           const char *what) {
    if (!fovea_pickle_matches(args, kinds)) {
        fovea_pickle_fail_args(m, what);
        return NULL;
    }
    return args->items[0];
}

static struct fovea_pickle_value *make_dict(struct fovea_pickle_machine *m,
                                            const struct fovea_pickle_value *args) {
    if (args->count > 0) {
        fovea_pickle_fail_args(m, "a dictionary's type");
        return NULL;
    }
    return fovea_pickle_new(m, FOVEA_PICKLE_DICT);
}

struct fovea_pickle_value *fovea_pickle_reduce(struct fovea_pickle_machine *m,
                                               const struct fovea_pickle_value *global,
                                               const struct fovea_pickle_value *args) {
    switch (global->number) {
    case FOVEA_GLOBAL_RECONSTRUCT: /* what it is given is always the same, and of no use */
        return fovea_pickle_new_tensor(m, FOVEA_PICKLE_ARRAY);
    case FOVEA_GLOBAL_SCALAR:
        return make_scalar(m, args);
    case FOVEA_GLOBAL_FROMBUFFER:
        return make_from_buffer(m, args);
    case FOVEA_GLOBAL_DTYPE:
        return make_dtype(m, args);
    case FOVEA_GLOBAL_ENCODE:
        return encode(m, args);
    case FOVEA_GLOBAL_ORDERED_DICT:
    case FOVEA_GLOBAL_NAMESPACE:
        return make_dict(m, args);
    case FOVEA_GLOBAL_REBUILD_TENSOR:
        return fovea_pickle_torch_tensor(m, args);
    case FOVEA_GLOBAL_REBUILD_PARAMETER:
        return first_of(m, args, "T", "torch's _rebuild_parameter");
    case FOVEA_GLOBAL_SIZE:
        return first_of(m, args, "t", "torch.Size");
    default:
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a call of a type that is not to be called");
        return NULL;
    }
}

void fovea_pickle_build(struct fovea_pickle_machine *m, struct fovea_pickle_value *value,
                        const struct fovea_pickle_value *state) {
    switch (value->kind) {
    case FOVEA_PICKLE_DTYPE:
        build_dtype(m, value, state);
        break;
    case FOVEA_PICKLE_ARRAY:
        build_array(m, value, state);
        break;
    case FOVEA_PICKLE_DICT: /* attributes: notes on the modules of a state_dict, options */
        break;
    default:
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a state is set on what has none");
    }
}

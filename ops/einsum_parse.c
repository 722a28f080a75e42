/*
 * Einsum's equation: see einsum_parse.h. Letters are labels; "..." stands for
 * as many dimensions as are left, aligned at the right across operands; without
 * "->" the output has the dimensions of "..." and then, in ASCII order, the
 * letters that occur once.
 */
#include "ops/einsum_parse.h"

#include <string.h>

/* Symbols: characters below 128, then the dimensions of "...", the last one first. */
enum { FIRST_DOT = 128, N_SYMBOLS = FIRST_DOT + FOVEA_MAX_RANK };

/* Indices over all labels stay far from overflow. */
#define MOST_TERMS ((int64_t)1 << 60)

struct parse {
    const char *text; /* for messages */
    const struct fovea_node *node;
    int dots;             /* dimensions that "..." stands for */
    int count[N_SYMBOLS]; /* occurrences in inputs */
    int64_t size[N_SYMBOLS];
    int symbols[EINSUM_MAX_INPUTS][FOVEA_MAX_RANK];
    int out[FOVEA_MAX_RANK];
    int out_rank;
    struct einsum_equation *equation;
};

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum fovea_status fail_syntax(const struct parse *p, const char *what,
                                     struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "equation '%s': %s", fovea_quote(p->text).text, what);
}

/*
 * Symbols of the term at *at, up to ',' or "->" or the end; "..." becomes the
 * `dots` symbols it stands for. *n_letters without room for "..." if dots < 0.
 */
static enum fovea_status read_term(const struct parse *p, const char **at, int dots, int *symbols,
                                   int *count, bool *has_dots, struct fovea_error *err) {
    int n = 0;
    *has_dots = false;
    for (; **at && **at != ',' && **at != '-'; (*at)++) {
        if (**at == ' ') {
            continue;
        }
        int more = 1;
        if (strncmp(*at, "...", 3) == 0 && !*has_dots) {
            *has_dots = true;
            *at += 2;
            more = dots;
        } else if (!is_letter(**at)) {
            return fail_syntax(p, "only letters, '...', ',' and '->' may occur", err);
        }
        if (n + more > FOVEA_MAX_RANK) {
            return fail_syntax(p, "a term has more than 8 dimensions", err);
        }
        for (int i = 0; i < more; i++) {
            symbols[n++] = **at == '.' ? FIRST_DOT + more - 1 - i : **at;
        }
    }
    *count = n;
    return FOVEA_OK;
}

/* Symbols of one input's term against its shape. */
static enum fovea_status read_input(struct parse *p, int index, const char **at,
                                    struct fovea_error *err) {
    const struct fovea_tensor *x = &p->node->in[index]->t;
    const char *start = *at;
    int letters, count;
    bool has_dots;
    enum fovea_status st = read_term(p, at, 0, p->symbols[index], &letters, &has_dots, err);
    if (st) {
        return st;
    }
    int dots = x->rank - letters;
    if (dots < 0 || (dots > 0 && !has_dots)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "equation '%s': the term of input %d does not fit its shape %s",
                          fovea_quote(p->text).text, index, fovea_shape_text(x).text);
    }
    *at = start;
    st = read_term(p, at, dots, p->symbols[index], &count, &has_dots, err);
    if (st) {
        return st;
    }
    p->dots = dots > p->dots ? dots : p->dots;
    p->equation->rank[index] = x->rank;
    for (int d = 0; d < x->rank; d++) {
        int s = p->symbols[index][d];
        int64_t size = x->dims[d];
        if (p->count[s]++ == 0 || p->size[s] == 1) {
            p->size[s] = size;
        } else if (size != 1 && size != p->size[s]) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "equation '%s': dimension %d of input %d is %lld, where another "
                              "operand has %lld",
                              fovea_quote(p->text).text, d, index, (long long)size,
                              (long long)p->size[s]);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status implicit_output(struct parse *p, struct fovea_error *err) {
    for (int i = p->dots - 1; i >= 0; i--) {
        p->out[p->out_rank++] = FIRST_DOT + i;
    }
    for (int s = 0; s < FIRST_DOT; s++) {
        if (p->count[s] != 1) {
            continue;
        }
        if (p->out_rank == FOVEA_MAX_RANK) {
            return fail_syntax(p, "the output has more than 8 dimensions", err);
        }
        p->out[p->out_rank++] = s;
    }
    return FOVEA_OK;
}

static enum fovea_status read_output(struct parse *p, const char *at, struct fovea_error *err) {
    bool has_dots;
    if (*at == 0) {
        return implicit_output(p, err);
    }
    if (strncmp(at, "->", 2) != 0) {
        return fail_syntax(p, "'-' without '>', or more terms than inputs", err);
    }
    at += 2;
    enum fovea_status st = read_term(p, &at, p->dots, p->out, &p->out_rank, &has_dots, err);
    if (st) {
        return st;
    }
    if (*at) {
        return fail_syntax(p, "there is text after the output's term", err);
    }
    for (int i = 0; i < p->out_rank; i++) {
        if (p->count[p->out[i]] == 0) {
            return fail_syntax(p, "the output has a label that no input has", err);
        }
        for (int j = 0; j < i; j++) {
            if (p->out[i] == p->out[j]) {
                return fail_syntax(p, "the output has a label twice", err);
            }
        }
    }
    return FOVEA_OK;
}

/* Number the symbols: those of the output first. */
static void number_labels(struct parse *p) {
    struct einsum_equation *e = p->equation;
    int label[N_SYMBOLS];
    for (int s = 0; s < N_SYMBOLS; s++) {
        label[s] = -1;
    }
    e->out_rank = p->out_rank;
    for (int i = 0; i < p->out_rank; i++) {
        e->size[e->n_labels] = p->size[p->out[i]];
        label[p->out[i]] = e->n_labels++;
    }
    for (int i = 0; i < e->n_in; i++) {
        for (int d = 0; d < e->rank[i]; d++) {
            int s = p->symbols[i][d];
            if (label[s] < 0) {
                e->size[e->n_labels] = p->size[s];
                label[s] = e->n_labels++;
            }
            e->labels[i][d] = label[s];
        }
    }
}

enum fovea_status einsum_parse(const struct fovea_node *node, struct einsum_equation *out,
                               struct fovea_error *err) {
    struct einsum_equation equation = {.n_in = node->n_in};
    struct parse p = {.node = node, .equation = &equation};
    p.text = fovea_attr_string(node, "equation", "");
    const char *at = p.text;
    if (node->n_in > EINSUM_MAX_INPUTS) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "%d operands; at most %d are supported",
                          node->n_in, EINSUM_MAX_INPUTS);
    }
    for (int i = 0; i < node->n_in; i++) {
        if (i > 0 && *at++ != ',') {
            return fail_syntax(&p, "it has fewer terms than there are inputs", err);
        }
        enum fovea_status st = read_input(&p, i, &at, err);
        if (st) {
            return st;
        }
    }
    enum fovea_status st = read_output(&p, at, err);
    if (st) {
        return st;
    }
    number_labels(&p);
    int64_t terms = 1;
    for (int label = 0; label < equation.n_labels; label++) {
        int64_t size = equation.size[label];
        if (size > 0 && terms > MOST_TERMS / size) {
            return fail_syntax(&p, "it has more than 2^60 products to sum", err);
        }
        terms *= size > 0 ? size : 1;
    }
    *out = equation;
    return FOVEA_OK;
}

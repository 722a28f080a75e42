/*
 * activation: one Gelu or Swish out of whatever the exporter wrote.
 *
 * The forms differ in order and association, so this pass matches algebra, not
 * shapes of trees. A product is taken apart into a number and factors:
 *
 *     c * x * (a + a erf(k x))            Gelu,  k = 1/sqrt(2)
 *     c * x * (a + a tanh(p(x)))          Gelu, tanh form, p = sqrt(2/pi) (x + 0.044715 x^3)
 *     c * x * sigmoid(k x)                Swish with alpha k
 *
 * where p is compared by its coefficients as a polynomial in x. Gelu(x) is
 * x (1 + erf(x / sqrt 2)) / 2, so the result is (2 a c) Gelu(x).
 * Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/provenance.h"
#include "runtime/rewrite.h"

#include <math.h>

enum { MAX_FACTORS = 3, MAX_DEPTH = 8, DEGREE = 3 };

/* scale * factors[0] * factors[1] * ... */
struct product {
    double scale;
    struct fovea_value *factors[MAX_FACTORS];
    int n;
    bool overflow; /* more factors than fit */
};

static void add_factor(struct product *product, struct fovea_value *value, bool is_root,
                       int depth) {
    double scalar;
    int other;
    struct fovea_node *node = value->producer;
    bool open = depth < MAX_DEPTH && (is_root || fovea_value_only_user(value));
    if (fovea_value_scalar(value, &scalar)) {
        product->scale *= scalar;
    } else if (open && fovea_node_is(node, "Mul")) {
        add_factor(product, node->in[0], false, depth + 1);
        add_factor(product, node->in[1], false, depth + 1);
    } else if (open && fovea_node_is(node, "Div") &&
               fovea_node_scalar_operand(node, &scalar, &other) && other == 0) {
        product->scale /= scalar;
        add_factor(product, node->in[0], false, depth + 1);
    } else if (product->n < MAX_FACTORS) {
        product->factors[product->n++] = value;
    } else {
        product->overflow = true;
    }
}

/* ---- polynomials in x ------------------------------------------------------ */

struct poly {
    double c[DEGREE + 1];
};

static bool poly_multiply(const struct poly *a, const struct poly *b, struct poly *out) {
    struct poly product = {{0}};
    for (int i = 0; i <= DEGREE; i++) {
        for (int j = 0; j <= DEGREE; j++) {
            double term = a->c[i] * b->c[j];
            if (i + j <= DEGREE) {
                product.c[i + j] += term;
            } else if (term != 0) {
                return false;
            }
        }
    }
    *out = product;
    return true;
}

static bool poly_power(const struct poly *base, double exponent, struct poly *out) {
    struct poly power = {{1}};
    if (exponent != 1 && exponent != 2 && exponent != 3) {
        return false;
    }
    for (int i = 0; i < (int)exponent; i++) {
        if (!poly_multiply(&power, base, &power)) {
            return false;
        }
    }
    *out = power;
    return true;
}

/* The polynomial in `x` that `value` computes, if it is one of low degree. */
static bool poly_of(const struct fovea_value *value, const struct fovea_value *x, int depth,
                    struct poly *out) {
    struct poly a, b;
    double scalar;
    const struct fovea_node *node = value->producer;
    if (value == x) {
        *out = (struct poly){{0, 1}};
        return true;
    }
    if (fovea_value_scalar(value, &scalar)) {
        *out = (struct poly){{scalar}};
        return true;
    }
    if (!node || depth == 0 || node->n_in != 2 || !poly_of(node->in[0], x, depth - 1, &a) ||
        !poly_of(node->in[1], x, depth - 1, &b)) {
        return false;
    }
    if (fovea_node_is(node, "Mul")) {
        return poly_multiply(&a, &b, out);
    }
    if (fovea_node_is(node, "Pow")) {
        return fovea_value_scalar(node->in[1], &scalar) && poly_power(&a, scalar, out);
    }
    if (fovea_node_is(node, "Div") && fovea_value_scalar(node->in[1], &scalar) && scalar != 0) {
        return poly_multiply(&a, &(struct poly){{1 / scalar}}, out);
    }
    double sign = fovea_node_is(node, "Add") ? 1 : fovea_node_is(node, "Sub") ? -1 : 0;
    for (int i = 0; i <= DEGREE; i++) {
        out->c[i] = a.c[i] + sign * b.c[i];
    }
    return sign != 0;
}

static bool is_poly(const struct fovea_value *value, const struct fovea_value *x,
                    const double want[DEGREE + 1]) {
    struct poly got;
    if (!poly_of(value, x, 6, &got)) {
        return false;
    }
    for (int i = 0; i <= DEGREE; i++) {
        if (want[i] == 0 ? fabs(got.c[i]) > 1e-6 : !fovea_nearly(got.c[i], want[i])) {
            return false;
        }
    }
    return true;
}

/* ---- the three forms --------------------------------------------------------- */

/* value = a * inner + b for an `inner` that operator `type` makes: that node, a and b. */
static struct fovea_node *affine_in(const struct fovea_value *value, const char *type, double *a,
                                    double *b) {
    *a = 1;
    *b = 0;
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        double scalar;
        int other;
        struct fovea_node *node = value->producer;
        if (fovea_node_is(node, type)) {
            return node;
        }
        if (!node || !fovea_node_scalar_operand(node, &scalar, &other)) {
            return NULL;
        }
        if (fovea_node_is(node, "Add")) {
            *b += *a * scalar;
        } else if (fovea_node_is(node, "Mul")) {
            *a *= scalar;
        } else {
            return NULL;
        }
        value = node->in[other];
    }
    return NULL;
}

struct activation {
    const char *type; /* of domain "fovea" */
    bool tanh_form;
    double alpha;
    struct fovea_value *x;
    double scale; /* of the whole */
};

static bool match_gelu(const struct fovea_value *gate, struct fovea_value *x, const char *function,
                       const double want[DEGREE + 1], struct activation *out) {
    double a, b;
    struct fovea_node *node = affine_in(gate, function, &a, &b);
    if (!node || a == 0 || !fovea_nearly(b, a) || !is_poly(node->in[0], x, want)) {
        return false;
    }
    *out = (struct activation){.type = "Gelu", .x = x, .scale = 2 * a};
    return true;
}

static bool match_swish(const struct fovea_value *gate, struct fovea_value *x,
                        struct activation *out) {
    struct poly p;
    struct fovea_node *node = fovea_value_from(gate, "Sigmoid");
    if (!node || !poly_of(node->in[0], x, 2, &p) || p.c[0] != 0 || p.c[2] != 0 || p.c[3] != 0) {
        return false;
    }
    *out = (struct activation){.type = "Swish", .x = x, .alpha = p.c[1], .scale = 1};
    return p.c[1] != 0;
}

static bool match_gate(const struct fovea_value *gate, struct fovea_value *x,
                       struct activation *out) {
    static const double erf_arg[DEGREE + 1] = {0, 0.70710678118654752, 0, 0};
    static const double tanh_arg[DEGREE + 1] = {0, 0.79788456080286536, 0,
                                                0.79788456080286536 * 0.044715};
    if (match_gelu(gate, x, "Erf", erf_arg, out)) {
        return true;
    }
    if (match_gelu(gate, x, "Tanh", tanh_arg, out)) {
        out->tanh_form = true;
        return true;
    }
    return match_swish(gate, x, out);
}

static bool match(struct fovea_node *node, struct activation *out) {
    struct product product = {.scale = 1};
    if (!fovea_node_is(node, "Mul") && !fovea_node_is(node, "Div")) {
        return false;
    }
    add_factor(&product, node->out[0], true, 0);
    if (product.overflow || product.n != 2) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (match_gate(product.factors[i], product.factors[1 - i], out)) {
            out->scale *= product.scale;
            /* A number of higher rank than x would change the result's rank. */
            return out->x->t.dtype == FOVEA_F32 &&
                   fovea_tensor_same_shape(&out->x->t, &node->out[0]->t);
        }
    }
    return false;
}

static enum fovea_status set_attrs(struct fovea_node *node, const struct activation *activation,
                                   struct fovea_error *err) {
    if (activation->type[0] == 'S') {
        return fovea_rewrite_set_float(node, "alpha", (float)activation->alpha, err);
    }
    struct fovea_attr approximate = {.name = "approximate",
                                     .kind = FOVEA_ATTR_STRING,
                                     .s = activation->tanh_form ? "tanh" : "none"};
    return fovea_node_set_attr(node, &approximate, err);
}

/* scale * activation(x) in place of the node that ends the match. */
static enum fovea_status rewrite(struct fovea_graph *graph, struct fovea_node *end,
                                 const struct activation *activation, struct fovea_error *err) {
    struct fovea_node *node, *scaled;
    struct fovea_value *scale;
    enum fovea_status st = fovea_rewrite_node(graph, end, "fovea", activation->type, end->name,
                                              &activation->x, 1, &node, err);
    if (!st) {
        st = set_attrs(node, activation, err);
    }
    bool plain = fabs(activation->scale - 1) < 1e-6;
    if (!st) {
        st = fovea_rewrite_finish(node, plain ? end->out[0] : NULL, err);
    }
    if (st || plain) {
        return st;
    }
    st = fovea_rewrite_scalar(graph, (float)activation->scale, &scale, err);
    if (!st) {
        st = fovea_rewrite_node(graph, end, "", "Mul", end->name,
                                (struct fovea_value *[]){node->out[0], scale}, 2, &scaled, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(scaled, end->out[0], err);
    }
    /* The factor moves on into other weights; the function stays where it is. */
    fovea_provenance_replaced(end->out[0], node->out[0]);
    return st;
}

/*
 * From the end: the last product of a chain is met first, so that its numbers
 * are taken in as well.
 */
enum fovea_status fovea_pass_activation(struct fovea_graph *graph,
                                        struct fovea_pass_context *context,
                                        struct fovea_error *err) {
    struct fovea_node *node = graph->last;
    while (node) {
        struct fovea_node *prev = node->prev;
        struct activation activation;
        bool single = node->n_out == 1 && node->out[0];
        if (single && node->out[0]->n_uses == 0 && !node->out[0]->is_output) {
            /* Part of what was matched; as a reader it would keep other parts alive. */
            fovea_graph_remove_node(graph, node);
        } else if (single && match(node, &activation)) {
            enum fovea_status st = rewrite(graph, node, &activation, err);
            if (st) {
                return st;
            }
            fovea_pass_hit(context, node, "it and what leads to it are one activation");
            fovea_graph_remove_node(graph, node);
        }
        node = prev;
    }
    return FOVEA_OK;
}

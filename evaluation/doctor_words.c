/* What the label doctor says. See doctor.h. */
#include "evaluation/doctor.h"

const char *eval_ailment_name(enum eval_ailment ailment) {
    static const char *const names[] = {"none",        "offset",     "reversed",
                                        "number-text", "name-order", "permuted"};
    return names[ailment];
}

static size_t count_moved(const struct eval_diagnosis *d) {
    size_t moved = 0;
    for (int32_t label = 0; label < d->classes; label++) {
        moved += d->map[label] >= 0 && d->map[label] != label;
    }
    return moved;
}

/* The first few labels that move. */
static void print_moves(const struct eval_diagnosis *d, FILE *out) {
    enum { SHOWN = 4 };
    size_t moved = count_moved(d), shown = 0;
    for (int32_t label = 0; label < d->classes && shown < SHOWN; label++) {
        if (d->map[label] >= 0 && d->map[label] != label) {
            fprintf(out, "%s%d -> %d", shown > 0 ? ", " : "", (int)label, (int)d->map[label]);
            shown++;
        }
    }
    fprintf(out, "%s (%zu of %d classes move)", moved > shown ? ", ..." : "", moved,
            (int)d->classes);
}

void eval_diagnosis_print(const struct eval_diagnosis *diagnosis, FILE *out) {
    const struct eval_diagnosis *d = diagnosis;
    if (d->ailment == EVAL_NO_AILMENT) {
        return;
    }
    double images = (double)d->images;
    fprintf(out, "label doctor: %s.\n", d->words);
    fprintf(out, "  If so, top-1 is %.2f %% instead of %.2f %%%s: label ",
            100 * (double)d->right_then / images, 100 * (double)d->right_now / images,
            d->ailment == EVAL_PERMUTED ? " (judged on images the order was not found from)" : "");
    print_moves(d, out);
    fprintf(out, ".\n  It holds for %zu of %zu classes, p %s %.2g (McNemar).\n", d->holds,
            d->labels, d->p > 0 ? "=" : "<", d->p > 0 ? d->p : 1e-300);
    fprintf(out, "  Evaluate with --label-map FILE; --output DIR writes that file as "
                 "DIR/label-map.txt.\n");
}

void eval_label_map_write(const struct eval_diagnosis *diagnosis, FILE *out) {
    for (int32_t label = 0; diagnosis->map && label < diagnosis->classes; label++) {
        if (diagnosis->map[label] >= 0) {
            fprintf(out, "%d %d\n", (int)label, (int)diagnosis->map[label]);
        }
    }
}

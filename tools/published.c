/* See published.h. */
#include "tools/published.h"

struct figure {
    const char *key, *words, *text;
};

enum { N_FIGURES = 5 };

static void list_figures(const struct fovea_published *p, struct figure out[N_FIGURES]) {
    const struct figure figures[N_FIGURES] = {
        {"parameters", "parameters", p->parameters},
        {"cost", "cost", p->cost},
        {"imagenet_top1", "top-1", p->accuracy},
        {"training_compute", "training", p->compute},
        {"source", "source", p->source},
    };
    for (int i = 0; i < N_FIGURES; i++) {
        out[i] = figures[i];
    }
}

void published_print(const struct fovea_published *published, int indent) {
    struct figure figures[N_FIGURES];
    list_figures(published, figures);
    for (int i = 0; i < N_FIGURES; i++) {
        if (figures[i].text) {
            printf("%*s%-12s%s\n", indent, "", figures[i].words, figures[i].text);
        }
    }
}

json_t *published_json(const struct fovea_published *published) {
    struct figure figures[N_FIGURES];
    json_t *root = json_object();
    list_figures(published, figures);
    for (int i = 0; i < N_FIGURES; i++) {
        json_set(&root, figures[i].key, figures[i].text ? json_text(figures[i].text) : json_null());
    }
    return root;
}

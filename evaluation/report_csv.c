/* predictions.csv: what came of each image, for other programs. See report.h. */
#include "evaluation/report.h"

#include "evaluation/text.h"

static void write_labels(FILE *out, const struct eval_record *r) {
    for (size_t i = 0; i < r->n_labels; i++) {
        fprintf(out, "%s%d", i > 0 ? " " : "", (int)r->labels[i]);
    }
}

static void write_row(FILE *out, const struct eval_record *r) {
    eval_csv_field(out, r->path);
    fputc(',', out);
    write_labels(out, r);
    if (r->state != EVAL_OK) {
        fputs(",,,,,\n", out);
        return;
    }
    fprintf(out, ",%d,", (int)r->top[0].class_index);
    if (r->n_labels > 0) {
        fputs(eval_record_hit(r) == 0 ? "1" : "0", out);
    }
    fprintf(out, ",%.9g,%.9g,", (double)r->top[0].logit, eval_record_confidence(r));
    for (size_t k = 0; k < r->n_top; k++) {
        fprintf(out, "%s%d", k > 0 ? " " : "", (int)r->top[k].class_index);
    }
    fputc('\n', out);
}

void eval_predictions_write(FILE *out, const struct eval_record *records, size_t n_records) {
    fputs("path,label,pred,correct,logit,prob,top5\n", out);
    for (size_t i = 0; i < n_records; i++) {
        write_row(out, &records[i]);
    }
}

/* See compiled_draft.h. The order of fields is that of loaders/compiled_write.c, compiled_save.c.
 */
#include "tests/compiled_draft.h"

#include "loaders/compiled.h"
#include "loaders/file_digest.h"
#include "runtime/build_id.h"
#include "runtime/dnn.h"
#include "tests/check.h"
#include "tests/compiled_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA = 512, HEADER = 64, PAGE = 4096 };

static struct draft_value value(const char *name, int rank, const int64_t *dims) {
    struct draft_value v = {.name = name, .rank = rank, .dtype = FOVEA_F32};
    memcpy(v.dims, dims, (size_t)rank * sizeof(*dims));
    return v;
}

void compiled_draft_init(struct compiled_draft *d) {
    static const int64_t image[] = {1, 2, 2, 2}, kernel[] = {2, 2, 1, 1}, bias[] = {1, 2, 1, 1};
    *d = (struct compiled_draft){
        .version = FOVEA_VERSION,
        .beside = "gone.onnx",
        .path = "/gone/gone.onnx",
        .load_options = "",
        .options = "precision=f32;winograd=auto;passes=on",
        .planned = {value("", 4, image)},
        .n_inputs = 1,
        .opset = 17,
        .values = {value("x", 4, image), value("w", 4, kernel), value("b", 4, bias),
                   value("y", 4, image)},
        .n_values = 4,
        .type = "Conv",
        .in = {0, 1, DRAFT_NONE, 2},
        .n_in = 4,
        .out = {3},
        .n_out = 1,
        .steps = {{FOVEA_EPILOGUE_ADD, FOVEA_ACT_RELU, 3}},
        .n_steps = 1,
        .packed_input = 1,
        .packed_bytes = 64,
        .output = 3,
    };
    d->values[1].constant = d->values[2].constant = d->values[2].contents = true;
}

void compiled_draft_finish(struct compiled_draft *d) {
    fovea_byte_writer_finish(&d->attrs);
}

/* ---- parts -------------------------------------------------------------- */

static void write_origin(struct fovea_byte_writer *out, const struct compiled_draft *d) {
    static const unsigned char zeros[5 * 8];
    const char *const texts[] = {d->version, fovea_build_id(), fovea_dnn_build(), fovea_dnn_isa(),
                                 d->beside,  d->path,          d->load_options};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fovea_write_text(out, texts[i]);
    }
    fovea_write_u32(out, 1);
    fovea_write_u32(out, d->n_files);
    for (size_t i = 0; i < d->n_files; i++) {
        uint8_t digest[FOVEA_SHA256_SIZE] = {0};
        const char *from = i < 2 ? d->digests[i] : NULL;
        CHECK(!from || !fovea_file_digest(from, digest, NULL, NULL));
        fovea_write_text(out, i < 2 && d->files[i] ? d->files[i] : "more");
        fovea_write_bytes(out, zeros, sizeof(zeros));
        fovea_write_bytes(out, digest, sizeof(digest));
    }
}

static void write_shape(struct fovea_byte_writer *out, const struct draft_value *v) {
    fovea_write_shape(out, (enum fovea_dtype)v->dtype, v->rank, v->dims);
}

static void write_io(struct fovea_byte_writer *out, const struct draft_value *v) {
    fovea_write_text(out, "image");
    write_shape(out, v);
    for (int i = 0; i < v->rank; i++) {
        fovea_write_text(out, i ? "" : "N");
    }
}

static void write_model(struct fovea_byte_writer *out, const struct compiled_draft *d) {
    fovea_write_text(out, d->options);
    fovea_write_u32(out, d->n_inputs);
    for (size_t i = 0; i < d->n_inputs; i++) {
        write_shape(out, &d->planned[i]);
        fovea_write_u8(out, d->planned[i].constant);
    }
    fovea_write_u32(out, d->opset);
    fovea_write_i64(out, 8);
    fovea_write_text(out, "producer");
    for (int i = 0; i < 4; i++) {
        fovea_write_u64(out, 1); /* nodes, parameters, bytes, work */
    }
    fovea_write_u32(out, d->n_metadata);
    for (size_t i = 0; i < 2 * d->n_metadata; i++) {
        fovea_write_text(out, "");
    }
    for (size_t i = 0; i < d->n_inputs; i++) {
        write_io(out, &d->planned[i]);
    }
    fovea_write_u32(out, 1);
    write_io(out, &d->values[3]);
    fovea_write_u32(out, 1); /* passes */
    fovea_write_text(out, "linear");
    fovea_write_u64(out, 1);
    fovea_write_u64(out, 0);
    fovea_write_u64(out, 0);
    fovea_write_u32(out, 1); /* notes */
    fovea_write_u8(out, 0);
    fovea_write_u8(out, 1);
    fovea_write_text(out, "a note");
}

static void write_values(struct fovea_byte_writer *out, const struct compiled_draft *d) {
    fovea_write_u32(out, d->n_values);
    for (size_t i = 0; i < d->n_values; i++) {
        const struct draft_value *v = &d->values[i];
        fovea_write_text(out, v->name);
        fovea_write_u8(out, (unsigned)v->layout);
        fovea_write_u8(out, v->constant);
        fovea_write_u8(out, v->contents);
        write_shape(out, v);
        if (v->contents) {
            fovea_write_u64(out, 0);
        }
    }
    for (size_t i = 0; i < d->n_inputs; i++) {
        fovea_write_u32(out, (uint32_t)d->inputs[i]);
    }
}

static void write_node(struct fovea_byte_writer *out, const struct compiled_draft *d) {
    fovea_write_text(out, "");
    fovea_write_text(out, d->type);
    fovea_write_text(out, "node");
    fovea_write_u32(out, (uint32_t)d->n_in);
    fovea_write_u32(out, (uint32_t)d->n_out);
    for (int i = 0; i < d->n_in; i++) {
        fovea_write_u32(out, (uint32_t)d->in[i]);
    }
    for (int i = 0; i < d->n_out; i++) {
        fovea_write_u32(out, (uint32_t)d->out[i]);
    }
    fovea_write_u32(out, d->n_attrs);
    fovea_write_bytes(out, d->attrs.bytes, d->attrs.size);
    fovea_write_u8(out, (unsigned)d->n_steps);
    for (int i = 0; i < d->n_steps; i++) {
        fovea_write_u8(out, (unsigned)d->steps[i].kind);
        fovea_write_u8(out, (unsigned)d->steps[i].act);
        for (int j = 0; j < 3; j++) {
            fovea_write_f32(out, 1);
        }
        fovea_write_u32(out, (uint32_t)d->steps[i].input);
    }
    fovea_write_u64(out, d->packed_bytes);
    if (d->packed_bytes > 0) {
        fovea_write_u64(out, 1);
        fovea_write_u32(out, (uint32_t)d->packed_input);
        fovea_write_u64(out, 64);
    }
}

static void describe(struct fovea_byte_writer *out, const struct compiled_draft *d) {
    write_origin(out, d);
    write_model(out, d);
    write_values(out, d);
    fovea_write_u32(out, 1);
    write_node(out, d);
    fovea_write_u32(out, (uint32_t)d->output);
}

/* ---- the file ----------------------------------------------------------- */

size_t compiled_draft_size(const struct compiled_draft *d) {
    struct fovea_byte_writer out = {0};
    describe(&out, d);
    size_t size = out.size;
    fovea_byte_writer_finish(&out);
    return size;
}

static void write_header(struct fovea_byte_writer *out, size_t description) {
    fovea_write_bytes(out, FOVEA_COMPILED_MAGIC, 8);
    fovea_write_u32(out, FOVEA_COMPILED_FORMAT);
    fovea_write_u32(out, 0);
    fovea_write_u64(out, description);
    fovea_write_u64(out, DATA);
    for (int i = 0; i < 4; i++) {
        fovea_write_u64(out, 0); /* sums, and a reserved number */
    }
}

void compiled_draft_write(const struct compiled_draft *d, const char *path) {
    static const unsigned char zeros[PAGE];
    struct fovea_byte_writer out = {0}, description = {0};
    describe(&description, d);
    size_t size = description.size - d->cut;
    write_header(&out, size);
    fovea_write_bytes(&out, description.bytes, size);
    fovea_write_bytes(&out, zeros, (PAGE - (HEADER + size) % PAGE) % PAGE);
    fovea_write_bytes(&out, zeros, DATA + 8);
    struct compiled_file file = {.bytes = out.bytes, .size = out.size};
    compiled_file_mend(&file, true);
    if (out.failed || description.failed || !compiled_file_save(&file, path)) {
        printf("%s cannot be written\n", path);
        exit(1);
    }
    fovea_byte_writer_finish(&out);
    fovea_byte_writer_finish(&description);
}

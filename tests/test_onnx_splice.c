/*
 * Taking large contents out of a message before it is unpacked. The scan before it has seen the
 * same bytes; they lie in a file that is mapped, though, and another process may write to it in
 * between: so every difference between what the scan counted and what is there must be met.
 */
#include "loaders/onnx_splice.h"
#include "runtime/limits.h"
#include "tests/check.h"
#include "tests/pb_write.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE = 1 << 20, MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5, TENSOR_RAW_DATA = 9 };

/* A model whose graph has fields of every wire type, and two initializers, one of them large. */
static void make_model(struct pb *pb) {
    static unsigned char contents[LARGE];
    pb_int(pb, 1, 8);
    size_t graph = pb_begin(pb, MODEL_GRAPH);
    pb_text(pb, 2, "graph");
    size_t small = pb_begin(pb, GRAPH_INITIALIZER);
    pb_text(pb, 8, "small");
    pb_bytes(pb, TENSOR_RAW_DATA, contents, 4);
    pb_end(pb, small);
    size_t none = pb_begin(pb, GRAPH_INITIALIZER);
    pb_text(pb, 8, "none");
    pb_end(pb, none);
    size_t large = pb_begin(pb, GRAPH_INITIALIZER);
    pb_int(pb, 1, 300);
    pb_bytes(pb, 90, "\1\2\3\4", 4);
    pb_bytes(pb, TENSOR_RAW_DATA, contents, sizeof(contents));
    pb_end(pb, large);
    pb_end(pb, graph);
    pb_text(pb, 2, "producer");
}

static enum fovea_status splice(const void *bytes, size_t size, size_t mapped, size_t room,
                                struct fovea_error *err) {
    const struct fovea_onnx_scan scan = {.mapped = mapped, .splice_bytes = room};
    struct fovea_onnx_splice out = {0};
    enum fovea_status st = fovea_onnx_splice(bytes, size, &scan, &out, err);
    if (!st) {
        CHECK(out.size <= room && out.n_contents <= mapped);
        for (size_t i = 0; i < out.n_contents; i++) {
            CHECK(out.contents[i].offset <= size &&
                  out.contents[i].length <= size - out.contents[i].offset);
        }
        fovea_onnx_splice_finish(&out);
    }
    return st;
}

static void splice__less_room_than_it_takes__is_refused(void) {
    struct pb pb = {0};
    struct fovea_error err = {.message = ""};
    make_model(&pb);
    CHECK_OK(splice(pb.bytes, pb.size, 1, 4096, &err), err);
    CHECK(splice(pb.bytes, pb.size, 0, 4096, &err) == FOVEA_ERR_FORMAT);
    CHECK_STR(err.message, "the file changes while it is read");
    bool fits = false;
    for (size_t room = 1; room < 200; room++) {
        bool good = splice(pb.bytes, pb.size, 1, room, &err) == FOVEA_OK;
        CHECK(good || !fits); /* once enough, more is enough, too */
        fits = good;
    }
    CHECK(fits);
    pb_finish(&pb);
}

/* Cut anywhere outside of the large contents, or with any byte there another. */
static void splice__bytes_that_changed__no_harm(void) {
    struct pb pb = {0};
    struct fovea_error err = {.message = ""};
    make_model(&pb);
    size_t begin = pb.size - LARGE - 10; /* of the large contents, or some bytes before */
    CHECK(begin < 120);
    for (size_t at = 0; at < pb.size; at += at < begin || at >= pb.size - 30 ? 1 : LARGE / 8) {
        unsigned char *exact = malloc(at + 1); /* so that a sanitizer sees the first too far */
        if (!exact) {
            CHECK(exact);
            break;
        }
        memcpy(exact, pb.bytes, at);
        CHECK(!splice(exact, at, 1, 4096, &err) || err.message[0]);
        free(exact);
        for (int with = 0; with < 256 && at < begin; with += with < 32 ? 1 : 7) {
            unsigned char old = pb.bytes[at];
            pb.bytes[at] = (unsigned char)with;
            CHECK(!splice(pb.bytes, pb.size, 1, 4096, &err) || err.message[0]);
            pb.bytes[at] = old;
        }
    }
    pb_finish(&pb);
}

/* After the large contents, where nothing has been looked at before it is copied. */
static void splice__field_cut_behind_the_contents__is_refused(void) {
    static unsigned char contents[LARGE];
    struct pb pb = {0};
    struct fovea_error err = {.message = ""};
    size_t graph = pb_begin(&pb, MODEL_GRAPH), tensor = pb_begin(&pb, GRAPH_INITIALIZER);
    pb_bytes(&pb, TENSOR_RAW_DATA, contents, sizeof(contents));
    pb_raw(&pb, "\x42\x05w", 3); /* a name of five letters, of which there is one */
    pb_end(&pb, tensor);
    pb_end(&pb, graph);
    CHECK(splice(pb.bytes, pb.size, 1, 4096, &err) == FOVEA_ERR_FORMAT);
    CHECK_STR(err.message, "the file changes while it is read");
    pb_finish(&pb);
}

static void splice__numbers_without_end__are_refused(void) {
    struct fovea_error err = {.message = ""};
    unsigned char bytes[16];
    memset(bytes, 0x80, sizeof(bytes));
    CHECK(splice(bytes, sizeof(bytes), 1, 64, &err) == FOVEA_ERR_FORMAT);
    CHECK(splice(bytes, 5, 1, 64, &err) == FOVEA_ERR_FORMAT);
    bytes[0] = 1 << 3; /* a varint of ten bytes and more */
    CHECK(splice(bytes, sizeof(bytes), 1, 64, &err) == FOVEA_ERR_FORMAT);
    bytes[0] = 1 << 3 | 2; /* a length of so many */
    CHECK(splice(bytes, sizeof(bytes), 1, 64, &err) == FOVEA_ERR_FORMAT);
    CHECK_OK(splice("\x09"
                    "12345678"
                    "\x15"
                    "1234",
                    14, 1, 64, &err),
             err); /* 64 and 32 bits */
    CHECK(splice("\x09"
                 "1234567",
                 8, 1, 64, &err) == FOVEA_ERR_FORMAT);
    CHECK(splice("\x15"
                 "123",
                 4, 1, 64, &err) == FOVEA_ERR_FORMAT);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(splice__less_room_than_it_takes__is_refused),
        TEST(splice__bytes_that_changed__no_harm),
        TEST(splice__field_cut_behind_the_contents__is_refused),
        TEST(splice__numbers_without_end__are_refused),
    };
    return RUN_TESTS(tests, argc, argv);
}

/*
 * oneDNN behind dnn.h: the only file that includes its headers.
 *
 * Every call into oneDNN is inside guarded(), because 2.x lets std::bad_alloc
 * leave its C API.
 */
#include "runtime/dnn.h"

#include <new>
#include <oneapi/dnnl/dnnl.hpp>

struct fovea_dnn {
    dnnl::engine engine;
    dnnl::stream stream;
};

namespace {

/* Run `body`; an exception becomes a status, and `what` says what was tried. */
template <typename Body>
enum fovea_status guarded(struct fovea_error *err, const char *what, Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory in oneDNN: %s", what);
    } catch (const dnnl::error &e) {
        enum fovea_status status =
            e.status == dnnl_out_of_memory ? FOVEA_ERR_MEMORY : FOVEA_ERR_BACKEND;
        return fovea_fail(err, status, "oneDNN: %s: %s (status %d)", what, e.message,
                          (int)e.status);
    } catch (...) {
        return fovea_fail(err, FOVEA_ERR_BACKEND, "oneDNN: %s: unknown exception", what);
    }
}

} // namespace

enum fovea_status fovea_dnn_create(struct fovea_dnn **out, struct fovea_error *err) {
    return guarded(err, "creating an engine", [&] {
        struct fovea_dnn *dnn = new struct fovea_dnn;
        try {
            dnn->engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
            dnn->stream = dnnl::stream(dnn->engine);
        } catch (...) {
            delete dnn;
            throw;
        }
        *out = dnn;
        return FOVEA_OK;
    });
}

void fovea_dnn_destroy(struct fovea_dnn *dnn) {
    delete dnn;
}

/* The passes, in the order they run. Each is described in pass.c's table and in its file. */
#ifndef FOVEA_RUNTIME_PASSES_H
#define FOVEA_RUNTIME_PASSES_H

#include "runtime/pass.h"

enum fovea_status fovea_pass_clean(struct fovea_graph *graph, struct fovea_pass_context *context,
                                   struct fovea_error *err);

#endif

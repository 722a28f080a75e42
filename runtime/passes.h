/* The passes, in the order they run. Each is described in pass.c's table and in its file. */
#ifndef FOVEA_RUNTIME_PASSES_H
#define FOVEA_RUNTIME_PASSES_H

#include "runtime/pass.h"

enum fovea_status fovea_pass_clean(struct fovea_graph *graph, struct fovea_pass_context *context,
                                   struct fovea_error *err);
enum fovea_status fovea_pass_einsum(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err);
enum fovea_status fovea_pass_activation(struct fovea_graph *graph,
                                        struct fovea_pass_context *context,
                                        struct fovea_error *err);
enum fovea_status fovea_pass_layer_norm(struct fovea_graph *graph,
                                        struct fovea_pass_context *context,
                                        struct fovea_error *err);
enum fovea_status fovea_pass_batch_norm(struct fovea_graph *graph,
                                        struct fovea_pass_context *context,
                                        struct fovea_error *err);
enum fovea_status fovea_pass_pad(struct fovea_graph *graph, struct fovea_pass_context *context,
                                 struct fovea_error *err);
enum fovea_status fovea_pass_tokens(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err);
enum fovea_status fovea_pass_linear(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err);
enum fovea_status fovea_pass_affine(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err);
enum fovea_status fovea_pass_shuffle(struct fovea_graph *graph, struct fovea_pass_context *context,
                                     struct fovea_error *err);
enum fovea_status fovea_pass_squeeze(struct fovea_graph *graph, struct fovea_pass_context *context,
                                     struct fovea_error *err);
enum fovea_status fovea_pass_attention(struct fovea_graph *graph,
                                       struct fovea_pass_context *context, struct fovea_error *err);
enum fovea_status fovea_pass_query(struct fovea_graph *graph, struct fovea_pass_context *context,
                                   struct fovea_error *err);
enum fovea_status fovea_pass_packed(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err);
enum fovea_status fovea_pass_elementwise(struct fovea_graph *graph,
                                         struct fovea_pass_context *context,
                                         struct fovea_error *err);
enum fovea_status fovea_pass_epilogue(struct fovea_graph *graph, struct fovea_pass_context *context,
                                      struct fovea_error *err);
enum fovea_status fovea_pass_layout(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err);
enum fovea_status fovea_pass_precision(struct fovea_graph *graph,
                                       struct fovea_pass_context *context, struct fovea_error *err);

#endif

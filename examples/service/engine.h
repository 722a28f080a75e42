/*
 * The model that is served: everything this program asks of libfovea is here.
 *
 * An engine never changes but for its runs, so requests that were prepared for
 * one are answered by it though a newer one was loaded meanwhile; the last
 * reference destroys it.
 */
#ifndef SERVICE_ENGINE_H
#define SERVICE_ENGINE_H

#include "options.h"

#include <fovea.h>

struct engine;

/*
 * Fill in what the options leave open: as many threads as there are CPUs, and
 * four of them a stream, but two streams as soon as there are two threads.
 */
void engine_share_threads(struct service_options *options);

/* FOVEA_ERR_*: as loading a model and making a classifier. */
enum fovea_status engine_load(const struct service_options *options, struct engine **out,
                              struct fovea_error *err);
struct engine *engine_ref(struct engine *engine);
void engine_unref(struct engine *engine);

/* Names of the input and of the output that has the logits. */
const char *engine_input_name(const struct engine *engine);
const char *engine_output_name(const struct engine *engine);
/* The input is [n, 3, height, width] in f32, the output [n, classes]. */
int engine_height(const struct engine *engine);
int engine_width(const struct engine *engine);
size_t engine_image_floats(const struct engine *engine);
size_t engine_classes(const struct engine *engine);
/* Most images of a request, and of a run. */
size_t engine_max_batch(const struct engine *engine);
/* Whether the model fixes the size of its batch, which is engine_max_batch then. */
bool engine_fixed_batch(const struct engine *engine);
/* For people, or NULL. */
const char *engine_note(const struct engine *engine);

/* From any thread: one image's floats from a JPEG. */
enum fovea_status engine_prepare(const struct engine *engine, const void *jpeg, size_t size,
                                 float *out, struct fovea_error *err);

/* In place of a stream: all threads, for one image; where there are several streams. */
enum { ENGINE_WHOLE = -1 };

/*
 * On one of the streams from 0, or the whole: one thread at a time in each.
 * FOVEA_ERR_CANCELLED when `cancel` was requested.
 */
enum fovea_status engine_run(struct engine *engine, int stream, const float *images, size_t n,
                             float *logits, const struct fovea_cancel *cancel,
                             struct fovea_error *err);

/* From any thread: the at most k likeliest classes of one image. */
enum fovea_status engine_top(const struct engine *engine, const float *logits, size_t k,
                             struct fovea_result *results, size_t *n, struct fovea_error *err);

#endif

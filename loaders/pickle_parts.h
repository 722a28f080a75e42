/* What the files of pickle*.c share: the running machine and what it makes. */
#ifndef FOVEA_LOADERS_PICKLE_PARTS_H
#define FOVEA_LOADERS_PICKLE_PARTS_H

#include "loaders/byte_reader.h"
#include "loaders/pickle.h"

/* The globals that mean something. */
enum fovea_pickle_global {
    FOVEA_GLOBAL_RECONSTRUCT,
    FOVEA_GLOBAL_SCALAR,
    FOVEA_GLOBAL_FROMBUFFER,
    FOVEA_GLOBAL_NDARRAY,
    FOVEA_GLOBAL_DTYPE,
    FOVEA_GLOBAL_BFLOAT16,
    FOVEA_GLOBAL_ENCODE,
    FOVEA_GLOBAL_ORDERED_DICT,
    FOVEA_GLOBAL_NAMESPACE,
    FOVEA_GLOBAL_REBUILD_TENSOR,
    FOVEA_GLOBAL_REBUILD_PARAMETER,
    FOVEA_GLOBAL_SIZE,
    FOVEA_GLOBAL_STORAGE, /* + an enum fovea_dtype */
};

struct fovea_pickle_machine {
    struct fovea_byte_reader r; /* its status is the machine's */
    struct fovea_pickle *pickle;
    size_t op; /* place of the running opcode */
    struct fovea_pickle_value **stack;
    size_t n_stack, cap_stack;
    size_t *marks; /* heights of the stack */
    size_t n_marks, cap_marks;
    struct fovea_pickle_value **memo;
    size_t n_memo, cap_memo;
    bool stopped;
};

/* Fail unless it has failed before: "byte N: MESSAGE". */
void fovea_pickle_fail(struct fovea_pickle_machine *m, enum fovea_status status, const char *format,
                       ...) FOVEA_PRINTF(3, 4);

/* A new value; NULL if that fails. Not to be called after a failure, nor are the next two. */
struct fovea_pickle_value *fovea_pickle_new(struct fovea_pickle_machine *m,
                                            enum fovea_pickle_kind kind);

/* The same with value->tensor. */
struct fovea_pickle_value *fovea_pickle_new_tensor(struct fovea_pickle_machine *m,
                                                   enum fovea_pickle_kind kind);

/* Memory in the arena, at least a byte; NULL if that fails. */
void *fovea_pickle_memory(struct fovea_pickle_machine *m, size_t bytes);

/* Room for one more of `size` bytes in a list of the machine's own. */
bool fovea_pickle_reserve(struct fovea_pickle_machine *m, void **list, size_t count, size_t *cap,
                          size_t size);

/* ---- the stack, never below its newest mark ------------------------------ */

/* `value` may be NULL after a failure. */
void fovea_pickle_push(struct fovea_pickle_machine *m, struct fovea_pickle_value *value);
struct fovea_pickle_value *fovea_pickle_pop(struct fovea_pickle_machine *m);
struct fovea_pickle_value *fovea_pickle_top(struct fovea_pickle_machine *m);

/*
 * Pop `count` values, or with -1 all above the newest mark, and the mark. They
 * stay where they are, in order, until the next push. NULL if that fails, but
 * not for want of any. Not to be called after a failure.
 */
struct fovea_pickle_value *const *fovea_pickle_pop_many(struct fovea_pickle_machine *m, int count,
                                                        size_t *out);

/* ---- pickle_opcodes.c ---------------------------------------------------- */

/* Read an opcode and do what it says. */
void fovea_pickle_step(struct fovea_pickle_machine *m);

/* ---- pickle_globals.c ---------------------------------------------------- */

/* Which global that is; fails if it has no meaning here. */
struct fovea_pickle_value *fovea_pickle_global(struct fovea_pickle_machine *m, const char *module,
                                               size_t module_length, const char *name,
                                               size_t name_length);

/* What "calling" a global with a tuple gives, by its meaning. NULL after a failure. */
struct fovea_pickle_value *fovea_pickle_reduce(struct fovea_pickle_machine *m,
                                               const struct fovea_pickle_value *global,
                                               const struct fovea_pickle_value *args);

/* Set the state of a value. */
void fovea_pickle_build(struct fovea_pickle_machine *m, struct fovea_pickle_value *value,
                        const struct fovea_pickle_value *state);

/* Whether a tuple has at least one item for each letter, of that kind:
 * i INT, b BOOL, t TUPLE, d DTYPE, y BYTES, x TEXT, g GLOBAL, s STORAGE, n NONE, T TENSOR, . any.
 */
bool fovea_pickle_matches(const struct fovea_pickle_value *tuple, const char *kinds);

/* Whether a TEXT is that word. */
bool fovea_pickle_is_text(const struct fovea_pickle_value *text, const char *word);

void fovea_pickle_fail_args(struct fovea_pickle_machine *m, const char *what);

/* A tuple of integers as a shape; t->dtype is set. False after a failure. */
bool fovea_pickle_read_shape(struct fovea_pickle_machine *m, const struct fovea_pickle_value *tuple,
                             struct fovea_tensor *t);

/* ---- pickle_torch.c ------------------------------------------------------ */

/* What _rebuild_tensor_v2 gives. */
struct fovea_pickle_value *fovea_pickle_torch_tensor(struct fovea_pickle_machine *m,
                                                     const struct fovea_pickle_value *args);

/* What a persistent id stands for. */
struct fovea_pickle_value *fovea_pickle_persistent(struct fovea_pickle_machine *m,
                                                   const struct fovea_pickle_value *id);

#endif

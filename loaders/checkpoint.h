/*
 * A checkpoint: weights in whichever container they come, told apart by their
 * first bytes, never by the file's name.
 *
 *     safetensors     loaders/safetensors.h     also spread over files, by an index
 *     .npz            loaders/npz.h
 *     .pth            loaders/pth.h, loaders/pth_legacy.h
 *     bare pickle     loaders/pickle_tensors.h  (DeepMind's F?_haiku.npz)
 *
 * In a folder, the one is taken that the usual tools would take:
 * model.safetensors, its index, pytorch_model.bin, pytorch_model.pth,
 * model.pth; else the only file with such an ending.
 */
#ifndef FOVEA_LOADERS_CHECKPOINT_H
#define FOVEA_LOADERS_CHECKPOINT_H

#include "loaders/tensor_dict.h"

enum fovea_container {
    FOVEA_CONTAINER_NONE, /* it is none of these */
    FOVEA_CONTAINER_SAFETENSORS,
    FOVEA_CONTAINER_SAFETENSORS_INDEX,
    FOVEA_CONTAINER_NPZ,
    FOVEA_CONTAINER_PTH,
    FOVEA_CONTAINER_PICKLE,
};

struct fovea_checkpoint {
    char *path; /* of the file; within the folder, if one was given */
    enum fovea_container container;
    struct fovea_tensor_dict dict;
};

/* "safetensors", "PyTorch", ...: for messages. */
const char *fovea_container_name(enum fovea_container container);

/* What the first bytes of a file, of `size` bytes altogether, are those of. */
enum fovea_container fovea_container_of(const void *bytes, size_t size);

/* The file that a folder's checkpoint is in; for the caller to free. */
enum fovea_status fovea_checkpoint_find(const char *folder, char **out, struct fovea_error *err);

/*
 * Read the checkpoint at `path`, a file or a folder; finish it on success.
 * `max_memory` bounds what is taken beyond mapped files. Messages begin with
 * the file's path.
 */
enum fovea_status fovea_checkpoint_load(const char *path, size_t max_memory, bool allow_links,
                                        struct fovea_checkpoint *out, struct fovea_error *err);

/* The same from `file`, which is taken, also on failure; `name` is for messages. */
enum fovea_status fovea_checkpoint_read(const char *name, struct fovea_mapping *file,
                                        size_t max_memory, struct fovea_checkpoint *out,
                                        struct fovea_error *err);
void fovea_checkpoint_finish(struct fovea_checkpoint *checkpoint);

/* The tensors of a file that is mapped, or in memory: `path` for the files that it names. */
enum fovea_status fovea_checkpoint_parse(enum fovea_container container, const char *path,
                                         const void *bytes, size_t size, bool allow_links,
                                         struct fovea_tensor_dict *dict, struct fovea_error *err);

#endif

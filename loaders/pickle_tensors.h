/*
 * The tensors of a pickle that was run (pickle.h): those in its dictionaries
 * and theirs, named by the keys from the outside in, with '/' between.
 * Everything else in it is passed over.
 */
#ifndef FOVEA_LOADERS_PICKLE_TENSORS_H
#define FOVEA_LOADERS_PICKLE_TENSORS_H

#include "loaders/pickle.h"
#include "loaders/tensor_dict.h"

/* Finds `bytes` of a torch storage, which live as long as the dictionary. */
struct fovea_storage_finder {
    enum fovea_status (*find)(void *context, const char *key, size_t bytes, const void **out,
                              struct fovea_error *err);
    void *context;
};

/* `finder` may be NULL: then tensors of torch are an error. */
enum fovea_status fovea_pickle_tensors(const struct fovea_pickle_value *root,
                                       const struct fovea_storage_finder *finder,
                                       struct fovea_tensor_dict *dict, struct fovea_error *err);

/* A bare pickle, such as DeepMind's F?_haiku.npz. `bytes` live as long as the dictionary. */
enum fovea_status fovea_pickle_read(const void *bytes, size_t size, struct fovea_tensor_dict *dict,
                                    struct fovea_error *err);

#endif

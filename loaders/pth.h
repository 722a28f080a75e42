/*
 * PyTorch's files (torch.save since 1.6): a zip archive `ROOT/` with a pickle
 * in ROOT/data.pkl and the storages of its tensors in ROOT/data/KEY, stored.
 *
 * Training scripts put a model's weights into a dictionary with other things;
 * the first of these that is there is taken: state_dict_ema, model_ema,
 * state_dict, model.
 */
#ifndef FOVEA_LOADERS_PTH_H
#define FOVEA_LOADERS_PTH_H

#include "loaders/pickle_tensors.h"

/* Whether an archive is one of PyTorch's: it has a .../data.pkl. */
bool fovea_pth_looks_like(const void *bytes, size_t size);

/* Add the tensors of a file; `bytes` live as long as the dictionary. */
enum fovea_status fovea_pth_read(const void *bytes, size_t size, struct fovea_tensor_dict *dict,
                                 struct fovea_error *err);

/*
 * Add the weights in what was pickled, as above. Views that are copied can
 * share a storage; all together they stay below twice the `size` of the file.
 */
enum fovea_status fovea_pth_add(const struct fovea_pickle_value *root, size_t size,
                                const struct fovea_storage_finder *finder,
                                struct fovea_tensor_dict *dict, struct fovea_error *err);

#endif

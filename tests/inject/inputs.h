/* Files for inject_readers that no folder has: long ones, and checkpoints of several files. */
#ifndef FOVEA_TESTS_INJECT_INPUTS_H
#define FOVEA_TESTS_INJECT_INPUTS_H

#include <stdbool.h>

/*
 * Write them into the test's temporary folder, where they are found by their names:
 *     scalars.pkl  so many arrays that all lists, and the arena in blocks, grow as it is read
 *     texts.pkl    the same of texts to encode, each an array's contents
 *     torch.pkl    storages and tensors of torch, in a bare pickle, which is refused in the end
 *     sharded      a folder: two files of safetensors and their index
 *     single       a folder: a checkpoint that is found by its ending
 *     vit          a folder: a ViT of one block in the names of timm, with its configuration
 */
bool inputs_make(void);

#endif

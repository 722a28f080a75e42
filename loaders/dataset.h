/*
 * Labelled images: which files there are, and what each of them shows.
 *
 *     ROOT/CLASS/IMAGE.jpg
 *
 * Classes are the folders in ROOT, in the order of their names' bytes; folders
 * whose names are all numbers name the class index itself. Nothing is opened:
 * an image that cannot be read is found out when it is its turn, and counted.
 */
#ifndef FOVEA_LOADERS_DATASET_H
#define FOVEA_LOADERS_DATASET_H

#include "runtime/error.h"

struct fovea_dataset_class {
    char *name; /* of the folder */
    int index;
};

struct fovea_dataset_image {
    char *path;          /* below the root: "airplane/0000.jpg" */
    size_t class_number; /* into classes */
};

struct fovea_dataset {
    char *root;
    struct fovea_dataset_class *classes; /* in the order of their indices */
    size_t n_classes;
    bool numeric;                       /* the folders' names are the indices */
    struct fovea_dataset_image *images; /* by class, then by the bytes of their names */
    size_t n_images;
    size_t n_ignored; /* files that are not named like images */
    char *ignored;    /* the first of them, below the root, or NULL */
};

/* Most class folders, and the largest index a numeric name may say plus one. */
#define FOVEA_DATASET_CLASSES_MAX 1000000

/*
 * List a dataset. Names ending in .jpg, .jpeg or .png, in any case, count as
 * images (that a PNG cannot be decoded is reported when it is read); names that
 * begin with a dot are passed over. *out is the caller's to finish.
 *
 * FOVEA_ERR_IO if a folder cannot be read; FOVEA_ERR_INVALID if there are no
 * class folders, no images, or two folders for one index.
 */
enum fovea_status fovea_dataset_load(const char *root, struct fovea_dataset *out,
                                     struct fovea_error *err);

/* A zeroed one is fine. */
void fovea_dataset_finish(struct fovea_dataset *dataset);

#endif

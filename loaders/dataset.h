/*
 * Labelled images: which there are, what each of them shows, and their bytes.
 *
 * What a dataset is read from, found out by looking at it:
 *
 *     ROOT/CLASS/IMAGE.jpg       class folders; all-digit names are the class index itself
 *     ROOT/IMAGE.jpg             a flat folder, with a file that says what they show
 *     FILE.tar                   either of them in a tar archive, read in place
 *     FILE                       a list, one "path label" or "path,label" a line; paths are
 *                                relative to its folder
 *
 * What the images show comes from their folders, from the list, or from a truth file:
 *
 *     ILSVRC ground truth        a number or name a line, in the order of the images: the number
 *                                in ILSVRC2012_val_00000001.JPEG, else the order of their names
 *     "path label" lines         as in a list, for a folder or an archive
 *     real.json                  ReaL labels (Beyer et al. 2020, arXiv:2006.07159): a JSON list
 *                                of lists of class indices, in the order of ground truth. Any of
 *                                them is right; an image without any is not scored
 *
 * Nothing is opened before its turn: an image that cannot be read is found out
 * then, and counted. A listed dataset never changes; reading is safe from
 * several threads.
 */
#ifndef FOVEA_LOADERS_DATASET_H
#define FOVEA_LOADERS_DATASET_H

#include "runtime/error.h"

struct fovea_archive;

/* Why an image has no bytes. */
enum fovea_image_fault {
    FOVEA_IMAGE_THERE,
    FOVEA_IMAGE_VANISHED,   /* there is no such file */
    FOVEA_IMAGE_DANGLING,   /* a link to nothing */
    FOVEA_IMAGE_DIRECTORY,  /* named like an image */
    FOVEA_IMAGE_NO_FILE,    /* a pipe, device or socket, or stored in a way that is not read */
    FOVEA_IMAGE_UNREADABLE, /* the system refused, or failed to read */
    FOVEA_IMAGE_EMPTY,
    FOVEA_IMAGE_TOO_LARGE, /* over FOVEA_LIMIT_IMAGE_BYTES, or over the memory there is */
    FOVEA_IMAGE_CHANGED,   /* shrank while read; or its archive is not the one that was listed */
    FOVEA_IMAGE_N_FAULTS,
};

/* "vanished", "dangling link", ...: a word for reports. */
const char *fovea_image_fault_name(enum fovea_image_fault fault);

struct fovea_dataset_class {
    char *name; /* of the folder, or as the labels have it */
    int index;  /* the number in its name, or its place in sorted order */
};

struct fovea_dataset_image {
    char *path;                   /* below the root, or as the list has it: "airplane/0000.jpg" */
    size_t first_label, n_labels; /* in `labels`; none: not scored */
    uint64_t offset, size;        /* in an archive */
    enum fovea_image_fault fault; /* in an archive: found when it was listed */
};

enum fovea_dataset_kind {
    FOVEA_DATASET_FOLDER,
    FOVEA_DATASET_TAR,
    FOVEA_DATASET_LIST,
};

struct fovea_dataset {
    enum fovea_dataset_kind kind;
    char *path;                    /* as given: the folder, archive or list */
    char *root;                    /* what image paths are relative to; of an archive, itself */
    struct fovea_archive *archive; /* of a tar */
    struct fovea_dataset_class *classes; /* in the order of their numbers or names */
    size_t n_classes;
    bool numeric;                       /* the names of all classes are their numbers */
    bool folders;                       /* labels are the folders that images lie in */
    struct fovea_dataset_image *images; /* by class, then by the bytes of their names; flat folders
                                           by name; lists as they are */
    size_t n_images;
    size_t *labels; /* of all images, one after another: numbers into classes */
    size_t n_labels;
    char *labels_from; /* in words: "class folders", "the list" */
    size_t n_unscored; /* images without a label */
    size_t n_repeated; /* images whose path was listed before */
    char *repeated;    /* the first of them, or NULL */
    size_t n_ignored;  /* files that are not named like images, or not where images are */
    char *ignored;     /* the first of them, below the root, or NULL */
};

/* A line of text that says what a dataset is. */
struct fovea_dataset_words {
    char text[512];
};

/* Files that say what the images show; all may be NULL. */
struct fovea_dataset_options {
    const char *truth;
    /*
     * All classes, one a line: "ID NAME" or "NAME ID" with words after it
     * passed over, or names in the order of IDs from 1. It says what the numbers
     * of a ground truth stand for, and, since a class's index is the place of its
     * name among all names, what folders or a list name that have only some.
     */
    const char *class_map;
};

/*
 * List a dataset. Names ending in .jpg, .jpeg or .png, in any case, count as
 * images (that a PNG cannot be decoded is reported when it is read); names that
 * begin with a dot are passed over. `options` may be NULL. *out is the caller's
 * to finish. Messages begin with the file they are about.
 *
 * FOVEA_ERR_IO if a file or folder cannot be read; FOVEA_ERR_FORMAT for an
 * archive or a list that is broken; FOVEA_ERR_UNSUPPORTED for a compressed
 * archive; FOVEA_ERR_INVALID if there are no images, if nothing says what they
 * show, if truth and images do not fit, or two folders stand for one index.
 */
enum fovea_status fovea_dataset_load(const char *path, const struct fovea_dataset_options *options,
                                     struct fovea_dataset *out, struct fovea_error *err);

/*
 * The bytes of image `index`, at least one, for the caller to free(). If there
 * are none *fault says why. Messages do not repeat the path.
 */
enum fovea_status fovea_dataset_read(const struct fovea_dataset *dataset, size_t index,
                                     uint8_t **bytes, size_t *size, enum fovea_image_fault *fault,
                                     struct fovea_error *err);

/* "50,000 images in 1,000 classes from tar val.tar, labels from ..." */
struct fovea_dataset_words fovea_dataset_describe(const struct fovea_dataset *dataset);

/* A zeroed one is fine. */
void fovea_dataset_finish(struct fovea_dataset *dataset);

#endif

/*
 * Inside dataset*.c: how a dataset is put together.
 *
 *     folder or archive --list--> entries --place--> images --labels--> dataset
 *     list, truth file ---------------------------------------^
 */
#ifndef FOVEA_LOADERS_DATASET_PARTS_H
#define FOVEA_LOADERS_DATASET_PARTS_H

#include "loaders/dataset.h"

/* A file or folder below the root. */
struct dataset_entry {
    char *path;
    bool folder;
    uint64_t offset, size; /* in an archive */
    enum fovea_image_fault fault;
};

/* Zeroed is empty and valid. */
struct dataset_entries {
    struct dataset_entry *list;
    size_t count, room;
};

/* Names in the order of what they are about. Zeroed is empty and valid. */
struct dataset_names {
    char **list;
    size_t count, room;
};

/* Takes the path. False if out of memory (the path is freed). */
bool dataset_entries_add(struct dataset_entries *entries, const struct dataset_entry *entry);
/* By folder, then by name, both by their bytes. */
void dataset_entries_sort(struct dataset_entries *entries);
void dataset_entries_finish(struct dataset_entries *entries);

/* Whether it ends as the names of images do. */
bool dataset_is_image_name(const char *path);

/* Two folders deep: ROOT/IMAGE, ROOT/CLASS and ROOT/CLASS/IMAGE. */
enum fovea_status dataset_list_folder(const char *root, struct dataset_entries *out,
                                      struct fovea_error *err);

/* A tar archive, all of it. *archive is for dataset_archive_destroy. */
enum fovea_status dataset_list_tar(const char *path, struct dataset_entries *out,
                                   struct fovea_archive **archive, struct fovea_error *err);
void dataset_archive_destroy(struct fovea_archive *archive);

/* See fovea_dataset_read. */
enum fovea_status dataset_read_archive(const struct fovea_archive *archive,
                                       const struct fovea_dataset_image *image, uint8_t **bytes,
                                       enum fovea_image_fault *fault, struct fovea_error *err);

/*
 * The folder that all images lie in, with its slash, for the caller to free;
 * but of the folders above an image one is left, its class. False: no memory.
 */
bool dataset_common_folder(const struct dataset_entries *entries, char **folder, size_t *length);

/*
 * Images among the entries, which get sorted: all of them, or with
 * `want_folders` those in class folders, labelled by them. Paths move out of
 * the entries; of an archive they begin below the common folder then.
 */
enum fovea_status dataset_place_images(struct fovea_dataset *set, struct dataset_entries *entries,
                                       bool want_folders, const struct dataset_names *class_map,
                                       struct fovea_error *err);

/* Append an image, whose path is taken (freed on failure). */
enum fovea_status dataset_add_image(struct fovea_dataset *set,
                                    const struct fovea_dataset_image *image,
                                    struct fovea_error *err);

bool dataset_names_add(struct dataset_names *names, const char *name, size_t length);
void dataset_names_finish(struct dataset_names *names);

/*
 * Give the images their labels, names[i] to label i of those that images'
 * first_label and n_labels speak of, and make the classes: of the names, or,
 * if `all` is not NULL, of all those, among which the names must be; "" is
 * passed over. Indices are the numbers in the names if all are numbers, else
 * their places in sorted order.
 */
enum fovea_status dataset_take_labels(struct fovea_dataset *set, const struct dataset_names *names,
                                      const struct dataset_names *all, struct fovea_error *err);

/* Image i has label i alone. */
void dataset_label_each(struct fovea_dataset *set);

/* Images with one label each, in their order, to the order of classes, then paths. */
void dataset_sort_by_class(struct fovea_dataset *set);

/* The number that a name of digits spells; -1 for any other name, or one too large. */
int dataset_number_of(const char *name);

/* Read "path label" lines: images into the set, and the name of what each shows. */
enum fovea_status dataset_read_list(const char *path, struct fovea_dataset *set,
                                    struct dataset_names *names, struct fovea_error *err);

/* Where listed images are in an archive. Those that are not there get their fault. */
enum fovea_status dataset_find_images(struct fovea_dataset *set, struct dataset_entries *entries,
                                      struct fovea_error *err);

/* Read a class map: names[ID - 1]; "" for an ID that it does not have. */
enum fovea_status dataset_read_class_map(const char *path, struct dataset_names *out,
                                         struct fovea_error *err);

/* What kind of truth file it is. */
enum dataset_truth {
    DATASET_TRUTH_LINES, /* one word a line */
    DATASET_TRUTH_LIST,
    DATASET_TRUTH_REAL,
};
enum fovea_status dataset_sniff_truth(const char *path, enum dataset_truth *out,
                                      struct fovea_error *err);

/* Label the images by lines of ground truth; `class_map` may be NULL. */
enum fovea_status dataset_label_by_lines(struct fovea_dataset *set, const char *path,
                                         const struct dataset_names *class_map,
                                         struct fovea_error *err);

/* Label the images by a JSON list of lists of class indices. */
enum fovea_status dataset_label_by_real(struct fovea_dataset *set, const char *path,
                                        struct fovea_error *err);

/*
 * Which line of a truth file, from 0, speaks of each image: by the number in
 * ILSVRC names, else by the order of the images, of which there must be as
 * many. *lines is for the caller to free.
 */
enum fovea_status dataset_order_images(const struct fovea_dataset *set, size_t n_lines,
                                       size_t **lines, struct fovea_error *err);

#endif

/*
 * make_reports FOLDER IMAGES: reports of evaluations that never ran, to be
 * looked at: a few classes, a thousand, and mixed-up labels. IMAGES is a folder
 * of JPEGs, which serve as everybody's pictures.
 */
#include "evaluation/report.h"

#include "loaders/file.h"
#include "tests/eval_records.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PICTURES = 64, PICTURE_BYTES = 1 << 26 };

struct pictures {
    char *paths[MOST_PICTURES];
    uint8_t digests[MOST_PICTURES][FOVEA_SHA256_SIZE];
    size_t n;
};

static void fail(const char *what) {
    fprintf(stderr, "make_reports: %s\n", what);
    exit(1);
}

static void digest_file(const char *path, uint8_t digest[FOVEA_SHA256_SIZE]) {
    struct fovea_error err;
    struct fovea_sha256 sha;
    uint8_t *bytes;
    size_t size;
    if (fovea_file_read(path, PICTURE_BYTES, &bytes, &size, NULL, &err)) {
        fail(err.message);
    }
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    fovea_sha256_digest(&sha, digest);
    free(bytes);
}

static void find_pictures(struct pictures *pictures, const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        bool wanted = entries[i]->d_name[0] != '.' && pictures->n < MOST_PICTURES;
        char **path = &pictures->paths[pictures->n];
        if (wanted && asprintf(path, "%s/%s", folder, entries[i]->d_name) > 0) {
            digest_file(*path, pictures->digests[pictures->n++]);
        }
        free(entries[i]);
    }
    if (pictures->n == 0) {
        fail("no pictures");
    }
    free(entries);
}

static enum fovea_status read_picture(const void *context, size_t index, uint8_t **bytes,
                                      size_t *size, struct fovea_error *err) {
    const struct pictures *pictures = context;
    return fovea_file_read(pictures->paths[index % pictures->n], PICTURE_BYTES, bytes, size, NULL,
                           err);
}

static void name_classes(struct eval_made *made, const char *const *names, int32_t n_names) {
    made->description.names = calloc((size_t)made->description.classes, sizeof(char *));
    for (int32_t i = 0; i < made->description.classes; i++) {
        char text[80];
        snprintf(text, sizeof(text), i < n_names ? "%s" : "%s %d", names[i % n_names], (int)i);
        made->description.names[i] = strdup(text);
    }
}

static void set(char **field, const char *text) {
    free(*field);
    *field = strdup(text);
}

static void describe(struct eval_made *made, const char *model, const char *dataset) {
    struct eval_description *d = &made->description;
    set(&d->model, model);
    set(&d->dataset, dataset);
    set(&d->model_sha256, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    set(&d->recipe_sha256, "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae");
    set(&d->list_sha256, "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9");
    set(&d->recipe, "{\"resize\": \"squash\", \"size\": [480, 480], \"crop_pct\": 0.9375, "
                    "\"filter\": \"bicubic\", \"mean\": [0.485, 0.456, 0.406], "
                    "\"std\": [0.229, 0.224, 0.225], \"resize_order\": \"horizontal\", "
                    "\"sources\": {\"resize\": \"config.json\", \"size\": \"the model\", "
                    "\"crop_pct\": \"--crop-pct\", \"mean\": \"preset timm\"}}");
    d->parameters = 71489096;
    d->macs = 30800000000;
}

/* An image of a model that says a little too loudly how sure it is. */
static void add_image(struct eval_made *made, const struct pictures *pictures, int32_t label,
                      uint64_t *seed) {
    int32_t classes = made->description.classes;
    double easy = eval_made_random(seed, 10000) / 10000.0;
    double skill = 0.3 + 0.5 * sin(label * 12.9898) * sin(label * 12.9898);
    double sure = 0.12 + 0.8799 * pow(easy, 1 - skill);
    bool right = eval_made_random(seed, 10000) < 10000 * (1.08 * pow(sure, 1.5) - 0.1);
    int32_t near = (label + 1 + (int32_t)eval_made_random(seed, 3)) % classes;
    int32_t far = (int32_t)eval_made_random(seed, (uint32_t)classes);
    int32_t wrong = eval_made_random(seed, 3) > 0 ? near : far;
    struct eval_record *r = eval_made_add(made, label, right ? label : wrong, sure);
    if (!right && r->top[0].class_index != label && eval_made_random(seed, 4) > 0) {
        r->top[1].class_index = label;
    }
    memcpy(r->file_sha256, pictures->digests[(made->n - 1) % pictures->n], FOVEA_SHA256_SIZE);
}

static void fill(struct eval_made *made, const struct pictures *pictures, size_t images) {
    uint64_t seed = 42;
    for (size_t i = 0; i < images; i++) {
        int32_t label = (int32_t)(i * (size_t)made->description.classes / images);
        if (i % 2500 == 7) {
            eval_made_fail(made, label, "is cut off at byte 12345 of 67890");
        } else {
            add_image(made, pictures, label, &seed);
        }
    }
}

static void write_report(struct eval_made *made, struct pictures *pictures, const char *folder,
                         const char *name) {
    static const struct eval_timings timings = {.seconds = 4711.3,
                                                .images = 50000,
                                                .threads = 16,
                                                .streams = 4,
                                                .workers = 8,
                                                .batch = 8,
                                                .peak_rss_bytes = 2147483648};
    const struct eval_pictures source = {read_picture, pictures};
    const struct eval_evidence evidence = {&made->description, made->records, made->n, &timings,
                                           &source};
    struct fovea_error err;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (eval_report_write(path, &evidence, &err)) {
        fail(err.message);
    }
    eval_made_finish(made);
}

static void make_few(struct pictures *pictures, const char *folder) {
    static const char *const names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                        "dog",      "frog",       "horse", "ship", "truck"};
    struct eval_made made;
    eval_made_init(&made, 10);
    name_classes(&made, names, 10);
    describe(&made, "models/nfnet_cifar.onnx", "data/cifar10/val");
    fill(&made, pictures, 10000);
    write_report(&made, pictures, folder, "few");
}

static void make_many(struct pictures *pictures, const char *folder) {
    static const char *const names[] = {"tench, Tinca tinca", "<script>alert(1)</script> & co",
                                        "great white shark, white shark, man-eater",
                                        "Bl\xc3\xa4tterteig", "not UTF-8: \xff"};
    struct eval_made made;
    eval_made_init(&made, 1000);
    name_classes(&made, names, 5);
    describe(&made, "/srv/checkpoints/2026-11/dm_nfnet_f0.dm_in1k-fine-tuned-at-480.onnx",
             "/srv/imagenet/ILSVRC2012_img_val");
    fill(&made, pictures, 50000);
    write_report(&made, pictures, folder, "many");
}

static void make_mixed(struct pictures *pictures, const char *folder) {
    struct eval_made made;
    uint64_t seed = 3;
    eval_made_init(&made, 1001);
    describe(&made, "models/inception_1001.onnx", "val");
    for (int32_t i = 0; i < 10000; i++) {
        bool right = eval_made_random(&seed, 100) < 78;
        int32_t other = (int32_t)eval_made_random(&seed, 1001);
        eval_made_add(&made, i / 10, right ? i / 10 + 1 : other, 0.3 + 0.6 * right);
    }
    write_report(&made, pictures, folder, "mixed");
}

int main(int argc, char **argv) {
    struct pictures pictures = {.n = 0};
    if (argc != 3) {
        fail("takes a folder to write to and a folder of pictures");
    }
    find_pictures(&pictures, argv[2]);
    make_few(&pictures, argv[1]);
    make_many(&pictures, argv[1]);
    make_mixed(&pictures, argv[1]);
    for (size_t i = 0; i < pictures.n; i++) {
        free(pictures.paths[i]);
    }
    return 0;
}

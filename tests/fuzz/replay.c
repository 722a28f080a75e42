/*
 * Run a fuzz target on files, and on every prefix of those given after "-p":
 * a fuzz target as an ordinary test.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int files, inputs;

static void run(const uint8_t *bytes, size_t size) {
    /* Of exact size, so that a sanitizer sees the first byte too far. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) {
        exit(1);
    }
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static void replay_file(const char *path, size_t size, int prefixes) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(size + 1);
    if (!file || !bytes || fread(bytes, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    /* Long files are cut at about a thousand places. */
    size_t step = 1 + size / 1000;
    for (size_t cut = 0; prefixes && cut < size; cut += step) {
        run(bytes, cut);
    }
    run(bytes, size);
    free(bytes);
    files++;
}

static void replay(const char *path, int prefixes) {
    struct stat status;
    if (stat(path, &status) != 0) {
        printf("skipped: %s is not there\n", path);
        return;
    }
    if (!S_ISDIR(status.st_mode)) {
        replay_file(path, (size_t)status.st_size, prefixes);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char child[PATH_MAX];
        snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            replay(child, prefixes);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

int main(int argc, char **argv) {
    int prefixes = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-p") == 0) {
            prefixes = 1;
        } else {
            replay(argv[i], prefixes);
        }
    }
    printf("%d files, %d inputs: 1 passed, 0 failed\n", files, inputs);
    return 0;
}

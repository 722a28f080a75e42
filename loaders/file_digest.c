/* Digests of files: see file_digest.h. */
#include "loaders/file_digest.h"

#include "loaders/file.h"
#include "loaders/mapped_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static enum fovea_status examine(int fd, struct fovea_file_id *id, struct fovea_error *err) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot stat: %s", strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return fovea_fail(err, FOVEA_ERR_IO, "is not a regular file");
    }
    fovea_file_id_of(&status, id);
    return FOVEA_OK;
}

static enum fovea_status digest_open(int fd, uint8_t digest[FOVEA_SHA256_SIZE],
                                     struct fovea_file_id *id, struct fovea_error *err) {
    struct fovea_sha256 sha;
    struct fovea_file_id after;
    unsigned char block[1 << 13];
    ssize_t n;
    enum fovea_status st = examine(fd, id, err);
    if (st) {
        return st;
    }
    fovea_sha256_init(&sha);
    while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR)) {
        fovea_sha256_update(&sha, block, n > 0 ? (size_t)n : 0);
    }
    if (n < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot read: %s", strerror(errno));
    }
    st = examine(fd, &after, err);
    if (!st && !fovea_file_id_same(id, &after)) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "changed while it was read");
    }
    if (!st) {
        fovea_sha256_digest(&sha, digest);
    }
    return st;
}

enum fovea_status fovea_file_digest(const char *path, uint8_t digest[FOVEA_SHA256_SIZE],
                                    struct fovea_file_id *id, struct fovea_error *err) {
    struct fovea_file_id unused;
    int fd = fovea_file_open(path);
    if (fd < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open: %s", strerror(errno));
    }
    enum fovea_status st = digest_open(fd, digest, id ? id : &unused, err);
    close(fd);
    return st;
}

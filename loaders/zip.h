/*
 * Zip archives as NumPy and PyTorch write them: stored or deflated members,
 * with or without zip64.
 *
 * The central directory and the local headers must say the same of every
 * member, and members must neither overlap nor be preceded by anything: there
 * is one reading of an archive, or none. Refused by name: encryption, methods
 * other than 0 and 8, archives in several parts.
 *
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
#ifndef FOVEA_LOADERS_ZIP_H
#define FOVEA_LOADERS_ZIP_H

#include "runtime/error.h"

enum { FOVEA_ZIP_STORED = 0, FOVEA_ZIP_DEFLATED = 8 };

struct fovea_zip_member {
    const char *name; /* NUL-terminated, in the archive's `names` */
    uint64_t header;  /* place of the local header */
    uint64_t data;    /* place of the contents, stored or compressed */
    uint64_t compressed, size;
    uint32_t crc; /* of the contents, unpacked */
    uint16_t method, flags;
};

struct fovea_zip {
    const unsigned char *bytes; /* borrowed */
    size_t size;
    struct fovea_zip_member *members; /* sorted by name; no two have the same */
    size_t count;
    char *names;
};

/* Read the directory of an archive that is wholly in memory. Finish it whatever comes of it. */
enum fovea_status fovea_zip_init(struct fovea_zip *zip, const void *bytes, size_t size,
                                 struct fovea_error *err);
void fovea_zip_finish(struct fovea_zip *zip);

/* The member of that name, or NULL. */
const struct fovea_zip_member *fovea_zip_find(const struct fovea_zip *zip, const char *name);

/*
 * The first bytes of a member, unpacked: at most `most`, *got of them.
 * Nothing is checked against the checksum.
 */
enum fovea_status fovea_zip_peek(const struct fovea_zip *zip, const struct fovea_zip_member *member,
                                 void *out, size_t most, size_t *got, struct fovea_error *err);

/*
 * The contents of a stored member, in place, checked against its checksum.
 * Not for deflated ones.
 */
enum fovea_status fovea_zip_stored(const struct fovea_zip *zip,
                                   const struct fovea_zip_member *member, const unsigned char **out,
                                   struct fovea_error *err);

/*
 * Unpack a deflated member from byte `skip`, which it has, on into `out`, which has room for the
 * rest; checked against its checksum, with what comes before. Not for stored ones.
 */
enum fovea_status fovea_zip_inflate(const struct fovea_zip *zip,
                                    const struct fovea_zip_member *member, size_t skip, void *out,
                                    struct fovea_error *err);

#endif

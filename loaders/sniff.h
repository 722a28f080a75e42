/*
 * What a file is, by its first bytes: so that a PNG named .JPEG is called a
 * PNG, not a corrupt JPEG.
 */
#ifndef FOVEA_LOADERS_SNIFF_H
#define FOVEA_LOADERS_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Words for the kind of file ("a PNG image", "an HTML page"); NULL if the bytes
 * are of no kind known here. A JPEG is "a JPEG image".
 */
const char *fovea_sniff(const uint8_t *bytes, size_t size);

/* Whether a file that begins with these bytes may be a JSON object: no model is. */
bool fovea_sniff_json_object(const uint8_t *bytes, size_t size);

#endif

/*
 * Tensor contents in JSON: flat, or nested as the shape says.
 */
#ifndef SERVICE_OIP_DATA_H
#define SERVICE_OIP_DATA_H

#include <jansson.h>

/* NULL, or what is wrong. `out` has room for the product of dims. */
const char *oip_data_read(const json_t *data, const size_t dims[4], float *out);

#endif

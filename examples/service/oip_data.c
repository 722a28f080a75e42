/*
 * Tensor contents in JSON to floats.
 */
#include "oip_data.h"

#include <float.h>
#include <math.h>

static const char *read_row(const json_t *row, size_t count, float *out) {
    if (json_array_size(row) != count) {
        return "data has another number of elements than the shape";
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(row, i);
        double number = json_number_value(value);
        if (!json_is_number(value)) {
            return "data has something that is no number, or nests otherwise than the shape";
        }
        if (fabs(number) > (double)FLT_MAX) {
            return "data has a number beyond the range of FP32";
        }
        out[i] = (float)number;
    }
    return NULL;
}

/* Rows of a nested array, found by their number: no recursion, and little to look up. */
static const char *read_nested(const json_t *data, const size_t dims[4], float *out) {
    size_t rows = dims[0] * dims[1] * dims[2];
    for (size_t row = 0; row < rows; row++) {
        size_t index[3] = {row / (dims[1] * dims[2]), row / dims[2] % dims[1], row % dims[2]};
        const json_t *at = data;
        for (size_t level = 0; level < 3; level++) {
            if (!json_is_array(at) || json_array_size(at) != dims[level]) {
                return "data nests otherwise than the shape";
            }
            at = json_array_get(at, index[level]);
        }
        if (!json_is_array(at)) {
            return "data nests otherwise than the shape";
        }
        const char *what = read_row(at, dims[3], out + row * dims[3]);
        if (what) {
            return what;
        }
    }
    return NULL;
}

const char *oip_data_read(const json_t *data, const size_t dims[4], float *out) {
    if (!json_is_array(data)) {
        return "an input has neither an array of data nor binary_data_size";
    }
    if (json_is_array(json_array_get(data, 0))) {
        return read_nested(data, dims, out);
    }
    return read_row(data, dims[0] * dims[1] * dims[2] * dims[3], out);
}

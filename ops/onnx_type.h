/* Element types as attributes of operators name them. */
#ifndef FOVEA_OPS_ONNX_TYPE_H
#define FOVEA_OPS_ONNX_TYPE_H

#include "runtime/fovea.h"

/* The type that a number of ONNX's TensorProto.DataType stands for; false if none here. */
bool fovea_dtype_of_onnx(int64_t type, enum fovea_dtype *out);

#endif

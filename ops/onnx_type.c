/* ONNX's numbers for element types: see onnx_type.h. */
#include "ops/onnx_type.h"

/* The types of ONNX's TensorProto.DataType that tensors here can have. */
bool fovea_dtype_of_onnx(int64_t type, enum fovea_dtype *out) {
    static const struct {
        int onnx;
        enum fovea_dtype dtype;
    } known[] = {
        {1, FOVEA_F32},  {2, FOVEA_U8},   {3, FOVEA_I8},    {4, FOVEA_U16},  {5, FOVEA_I16},
        {6, FOVEA_I32},  {7, FOVEA_I64},  {9, FOVEA_BOOL},  {10, FOVEA_F16}, {11, FOVEA_F64},
        {12, FOVEA_U32}, {13, FOVEA_U64}, {16, FOVEA_BF16},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].onnx == type) {
            *out = known[i].dtype;
            return true;
        }
    }
    return false;
}

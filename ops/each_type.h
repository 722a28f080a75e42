/*
 * The C type of each element type that arithmetic is done in, for tables of
 * functions made once per type: X(suffix, dtype, type).
 */
#ifndef FOVEA_OPS_EACH_TYPE_H
#define FOVEA_OPS_EACH_TYPE_H

#define FOVEA_EACH_FLOAT(X) X(f32, FOVEA_F32, float) X(f64, FOVEA_F64, double)

#define FOVEA_EACH_INT(X)                                                                          \
    X(i8, FOVEA_I8, int8_t)                                                                        \
    X(u8, FOVEA_U8, uint8_t)                                                                       \
    X(i16, FOVEA_I16, int16_t)                                                                     \
    X(u16, FOVEA_U16, uint16_t)                                                                    \
    X(i32, FOVEA_I32, int32_t)                                                                     \
    X(u32, FOVEA_U32, uint32_t)                                                                    \
    X(i64, FOVEA_I64, int64_t)                                                                     \
    X(u64, FOVEA_U64, uint64_t)

#endif

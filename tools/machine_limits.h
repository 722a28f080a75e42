/*
 * What this machine can do at most, measured in the same run as a model so
 * that a noisy neighbour slows both.
 */
#ifndef FOVEA_TOOLS_MACHINE_LIMITS_H
#define FOVEA_TOOLS_MACHINE_LIMITS_H

/* 10^9 a second, of all threads together; 0 where there is no such instruction or no memory. */
struct machine_limits {
    double f32, bf16, int8; /* operations, a multiply-add counted as two */
    double read_gbs;        /* bytes read from main memory */
    double copy_gbs;        /* bytes copied in main memory, each counted as read and as written */
    const char *f32_by, *bf16_by, *int8_by; /* the instructions; NULL with 0 */
};

/* With `threads` threads; about a second. */
void machine_limits_measure(int threads, struct machine_limits *out);

#endif

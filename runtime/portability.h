/*
 * Compiler extensions, all of them.
 *
 * FOVEA_KERNEL marks a function whose loops are worth compiling once for each
 * generation of x86-64 vector units; the loader picks the version that the CPU
 * runs. What it calls must be static inline. Sanitizers cannot see through the
 * indirection (ifunc), so they get the plain function.
 */
#ifndef FOVEA_RUNTIME_PORTABILITY_H
#define FOVEA_RUNTIME_PORTABILITY_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&       \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOVEA_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOVEA_KERNEL
#endif

#endif

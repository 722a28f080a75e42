/*
 * Compiler extensions, all of them: what the rest of the code may ask of gcc
 * or clang beyond C11, with a meaning that plain C falls back to.
 */
#ifndef FOVEA_RUNTIME_PORTABILITY_H
#define FOVEA_RUNTIME_PORTABILITY_H

#include <stdint.h>

/* The compiler's name; __VERSION__ goes on from there. */
#if defined(__clang__)
#define FOVEA_COMPILER "clang"
#elif defined(__GNUC__)
#define FOVEA_COMPILER "gcc"
#else
#define FOVEA_COMPILER "a compiler"
#define __VERSION__ "of no known version"
#endif

/*
 * An int that one thread or signal handler sets and others look at; nothing
 * else is ordered by it. A public header cannot have C11's _Atomic: C++ does not.
 */
#if defined(__GNUC__)
#define fovea_atomic_set(at, value) __atomic_store_n(at, value, __ATOMIC_RELAXED)
#define fovea_atomic_get(at) __atomic_load_n(at, __ATOMIC_RELAXED)
#else
#define fovea_atomic_set(at, value) ((void)(*(volatile int *)(at) = (value)))
#define fovea_atomic_get(at) (*(const volatile int *)(at))
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOVEA_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define FOVEA_SANITIZED 1
#endif
#endif

/*
 * A function whose loops are compiled for several levels of the x86-64
 * instruction set; the loader picks the best that the CPU runs. What it calls
 * must be inline. Not under sanitizers, which cannot see through the choice.
 */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&       \
    __GNUC__ >= 12 && !defined(FOVEA_SANITIZED)
#define FOVEA_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOVEA_KERNEL
#endif

/*
 * Vectors of f32 or integers with arithmetic by element, functions compiled for one level
 * of the instruction set, and whether the CPU runs it: for the few places that
 * are about registers. Everything else is left to the vectoriser.
 */
#if defined(__GNUC__)
typedef float fovea_f32x4 __attribute__((vector_size(16)));
typedef float fovea_f32x8 __attribute__((vector_size(32)));
typedef float fovea_f32x16 __attribute__((vector_size(64)));
typedef int32_t fovea_i32x16 __attribute__((vector_size(64)));
typedef uint32_t fovea_u32x8 __attribute__((vector_size(32)));
typedef uint64_t fovea_u64x8 __attribute__((vector_size(64)));
typedef uint8_t fovea_u8x16 __attribute__((vector_size(16)));

/* Elements of two vectors of 16 in turn: a0 b0 a1 b1 ..., from their lower or upper halves. */
#define FOVEA_INTERLEAVE_LOW(a, b)                                                                 \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define FOVEA_INTERLEAVE_HIGH(a, b)                                                                \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#endif
#if defined(__x86_64__) && defined(__GNUC__)
#define FOVEA_TARGET_V3 __attribute__((target("avx2,fma")))
#define FOVEA_TARGET_V4 __attribute__((target("avx512f,avx512vl,avx512dq,fma")))
#define fovea_cpu_has_v3() (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define fovea_cpu_has_v4() (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
#else
#define FOVEA_TARGET_V3
#define FOVEA_TARGET_V4
#define fovea_cpu_has_v3() 0
#define fovea_cpu_has_v4() 0
#endif

/* A function that must end up inside its caller, to be compiled for the caller's level. */
#if defined(__GNUC__)
#define FOVEA_INLINE static inline __attribute__((always_inline))
#else
#define FOVEA_INLINE static inline
#endif

/*
 * Bring the cache line at `address` into the first cache, to be written, or into
 * the second, to be read; the address may be any.
 */
#if defined(__GNUC__)
#define FOVEA_PREFETCH_WRITE(address) __builtin_prefetch(address, 1, 3)
#define FOVEA_PREFETCH_NEAR(address) __builtin_prefetch(address, 0, 2)
#else
#define FOVEA_PREFETCH_WRITE(address) ((void)0)
#define FOVEA_PREFETCH_NEAR(address) ((void)0)
#endif

/*
 * Before a loop: iterations do not depend on each other. Pointers into one
 * array may be equal, they do not overlap otherwise.
 */
#if defined(__clang__)
#define FOVEA_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define FOVEA_VECTOR_LOOP _Pragma("GCC ivdep")
#else
#define FOVEA_VECTOR_LOOP
#endif

#endif

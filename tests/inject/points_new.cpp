/* operator new as a point of failure: see points.h. */
#include "tests/inject/points.h"

#include <new>

void *operator new(std::size_t size) {
    void *block = points_malloc(size, __builtin_return_address(0));
    if (!block) {
        throw std::bad_alloc();
    }
    return block;
}

void *operator new[](std::size_t size) {
    void *block = points_malloc(size, __builtin_return_address(0));
    if (!block) {
        throw std::bad_alloc();
    }
    return block;
}

/* A table of what is alive, by address or number: see points.h. */
#ifndef FOVEA_TESTS_INJECT_ALIVE_H
#define FOVEA_TESTS_INJECT_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

enum { ALIVE_FRAMES = 12 };

void alive_clear(void);
void alive_add(uintptr_t key, uint64_t bytes, bool with_stack);
bool alive_remove(uintptr_t key);
long alive_count(void);
void alive_print(void);

#endif

/* Which build of the library this is. */
#ifndef FOVEA_RUNTIME_BUILD_ID_H
#define FOVEA_RUNTIME_BUILD_ID_H

/* 32 hexadecimal digits: the same for the same sources and compiler. */
const char *fovea_build_id(void);

#endif

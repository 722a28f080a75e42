/*
 * The page at /: page.html, made part of the program.
 */
#ifndef SERVICE_PAGE_H
#define SERVICE_PAGE_H

#include <stddef.h>

extern const unsigned char page_html[];
extern const size_t page_size;

/* Its Content-Security-Policy: nothing from elsewhere. */
extern const char page_policy[];

#endif

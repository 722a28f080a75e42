/*
 * The page at /, as bytes that the build made of page.html.
 */
#include "page.h"

const unsigned char page_html[] = {
#include "page_bytes.inc"
};
const size_t page_size = sizeof(page_html);

const char page_policy[] = "default-src 'none'; script-src 'unsafe-inline'; "
                           "style-src 'unsafe-inline'; img-src blob: data:; connect-src 'self'; "
                           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

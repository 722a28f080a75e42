/*
 * What is answered: a status, a body, and the few headers that vary.
 */
#ifndef SERVICE_REPLY_H
#define SERVICE_REPLY_H

#include "text.h"

struct reply {
    int status; /* 0: nothing was answered yet */
    struct text body;
    const char *type;  /* of the content; NULL: application/json */
    size_t json_size;  /* if not 0: the body begins with so many bytes of JSON, tensors follow */
    int retry_after;   /* in seconds, if not 0 */
    const char *allow; /* methods, of a 405 */
};

/*
 * Answer {"error": text}. The text is for strangers: no paths, no addresses,
 * nothing of other requests.
 */
__attribute__((format(printf, 3, 4))) void reply_error(struct reply *reply, int status,
                                                       const char *format, ...);

void reply_finish(struct reply *reply);

#endif

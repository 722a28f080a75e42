/*
 * The socket that connections come from, and its end without losing any.
 */
#ifndef SERVICE_LISTENER_H
#define SERVICE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/* A listening socket, non-blocking; *port is the one it got. -1 after a failure, with errno. */
int listener_open(const char *host, int *port);

/*
 * Let no new connection begin, while those that the kernel has accepted, or is
 * about to, can still be had. Closing at once would reset the ones it queues.
 */
void listener_ebb(int fd);

/* Whether none is queued. */
bool listener_is_empty(int fd);

/* As many descriptors as the system allows; how many that is. */
size_t listener_raise_limit(void);

#endif

/*
 * Connections, and how long each may take for what it is at. libmicrohttpd
 * knows only of silence; a client that sends a byte now and then is not silent.
 */
#ifndef SERVICE_CLIENT_H
#define SERVICE_CLIENT_H

#include "options.h"

enum client_phase {
    CLIENT_WAITING, /* for a request line */
    CLIENT_HEAD,    /* has sent one; more of the header is to come */
    CLIENT_BODY,
    CLIENT_WORK, /* the request is whole: it is our turn */
    CLIENT_WRITE,
};

struct client {
    struct client *prev, *next;
    int fd;
    enum client_phase phase;
    bool fresh; /* no request yet */
    bool slow;  /* it was ended already */
    void *work; /* the exchange whose request is in work, or NULL */
    double since, deadline;
    size_t received; /* of the body */
    size_t seen;     /* what `received` was when it was last looked at */
    int in_vain;     /* looks in a row that found bytes waiting, and none received */
};

struct client_list {
    const struct service_options *options;
    struct client *first;
    size_t length;
};

/* NULL if there is no memory. */
struct client *client_add(struct client_list *list, int fd);
void client_remove(struct client_list *list, struct client *client);

void client_enter(const struct client_list *list, struct client *client, enum client_phase phase);

/* So many bytes of its body came. */
void client_received(struct client *client, size_t size);

/*
 * Look at all of them, some times a second. End the connections that are too slow, with 408 if they
 * have a request under way, whose bodies libmicrohttpd can make nothing of, with 400, or gone.
 */
void client_end_slow(struct client_list *list);

/* Whether all wait for a request line, for so long that none seems to be on its way. */
bool client_all_idle(const struct client_list *list, double seconds);

/* Send `status` with {"error": text} around libmicrohttpd, which cannot now; then end it. */
void client_refuse(struct client *client, int status, const char *text);

#endif

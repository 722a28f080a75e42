/*
 * Deadlines of connections. To end one its socket is shut down, which
 * libmicrohttpd then finds closed by the peer: it closes and forgets it.
 */
#include "client.h"

#include "clock.h"
#include "metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct client *client_add(struct client_list *list, int fd) {
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        return NULL;
    }
    client->fd = fd;
    client->next = list->first;
    if (list->first) {
        list->first->prev = client;
    }
    list->first = client;
    list->length++;
    client->phase = CLIENT_WAITING;
    client->fresh = true;
    client->since = clock_now();
    client->deadline = client->since + list->options->header_seconds;
    return client;
}

void client_remove(struct client_list *list, struct client *client) {
    if (client->prev) {
        client->prev->next = client->next;
    } else {
        list->first = client->next;
    }
    if (client->next) {
        client->next->prev = client->prev;
    }
    list->length--;
    free(client);
}

void client_enter(const struct client_list *list, struct client *client, enum client_phase phase) {
    const struct service_options *options = list->options;
    const double seconds[] = {
        [CLIENT_WAITING] = options->idle_seconds, [CLIENT_HEAD] = options->header_seconds,
        [CLIENT_BODY] = options->stall_seconds,   [CLIENT_WORK] = 1e9, /* the queue's to bound */
        [CLIENT_WRITE] = options->write_seconds,
    };
    bool first = client->fresh;
    client->phase = phase;
    client->fresh = false;
    if (first) {
        return; /* the deadline of a connection's first header began with the connection */
    }
    client->since = clock_now();
    client->deadline = client->since + seconds[phase];
    client->received = 0;
}

void client_received(struct client *client, size_t size) {
    client->received += size;
}

void client_refuse(struct client *client, int status, const char *text) {
    char line[512];
    int body = snprintf(NULL, 0, "{\"error\":\"%s\"}\n", text);
    int n = snprintf(line, sizeof(line),
                     "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\nConnection: close\r\n\r\n{\"error\":\"%s\"}\n",
                     status, status == 413 ? "Content Too Large" : "Refused", body, text);
    if (n > 0 && (size_t)n < sizeof(line)) {
        /* It is small and the first of its connection: where it does not fit, nobody reads. */
        (void)!send(client->fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(client->fd, SHUT_RDWR);
    client->slow = true;
}

/* What is too slow, or N_COUNTS. */
static enum metrics_count slowness(const struct client_list *list, const struct client *client,
                                   double now) {
    static const enum metrics_count counts[] = {
        [CLIENT_WAITING] = COUNT_TIMEOUT_IDLE, [CLIENT_HEAD] = COUNT_TIMEOUT_HEADER,
        [CLIENT_BODY] = COUNT_TIMEOUT_BODY,    [CLIENT_WORK] = N_COUNTS,
        [CLIENT_WRITE] = COUNT_TIMEOUT_WRITE,
    };
    double earned = 0;
    if (client->phase == CLIENT_BODY) {
        earned = (double)client->received / (double)list->options->min_rate;
    }
    return now > client->deadline + earned ? counts[client->phase] : N_COUNTS;
}

/*
 * Whether it closed its connection and everything it sent was read. libmicrohttpd 0.9.75, which
 * waits for edges and takes a short read for the end of what there is, does not see an end that
 * came together with data.
 */
static bool is_gone(const struct client *client) {
    char byte;
    return client->phase < CLIENT_WORK && !client->slow &&
           recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/*
 * Whether bytes of its body have been waiting for some looks, and libmicrohttpd takes none: its
 * buffer is full with what it makes nothing of, such as a chunk's size of 64 KiB of zeros. 0.9.75
 * looks through all of that whenever it is called, until that client is ended.
 */
static bool is_stuck(struct client *client) {
    enum { LOOKS = 5 };
    int unread = 0;
    bool moved = client->received != client->seen;
    client->seen = client->received;
    if (moved || client->phase != CLIENT_BODY || client->slow ||
        ioctl(client->fd, FIONREAD, &unread) != 0 || unread == 0) {
        client->in_vain = 0;
        return false;
    }
    return ++client->in_vain >= LOOKS;
}

void client_end_slow(struct client_list *list) {
    double now = clock_now();
    for (struct client *client = list->first; client; client = client->next) {
        if (is_gone(client)) {
            shutdown(client->fd, SHUT_RDWR);
            client->slow = true;
            continue;
        }
        if (is_stuck(client)) {
            metrics_add(COUNT_TIMEOUT_BODY);
            client_refuse(client, 400, "the body's chunks cannot be told apart");
            continue;
        }
        enum metrics_count count = client->slow ? N_COUNTS : slowness(list, client, now);
        if (count == N_COUNTS) {
            continue;
        }
        metrics_add(count);
        if (client->phase == CLIENT_HEAD || client->phase == CLIENT_BODY) {
            client_refuse(client, 408, "the request came too slowly");
        } else {
            shutdown(client->fd, SHUT_RDWR);
            client->slow = true;
        }
    }
}

bool client_all_idle(const struct client_list *list, double seconds) {
    double now = clock_now();
    for (const struct client *client = list->first; client; client = client->next) {
        if (client->phase != CLIENT_WAITING || now - client->since < seconds) {
            return false;
        }
    }
    return true;
}

/*
 * A listening TCP socket.
 */
#include "listener.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int port_of(int fd) {
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size)) {
        return -1;
    }
    return address.ss_family == AF_INET6
               ? ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port)
               : ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
}

int listener_open(const char *host, int *port) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1, on = 1;
    if (getaddrinfo(host, NULL, &hints, &found)) {
        errno = EINVAL;
        return -1;
    }
    if (found->ai_family == AF_INET6) {
        ((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port = htons((uint16_t)*port);
    } else {
        ((struct sockaddr_in *)(void *)found->ai_addr)->sin_port = htons((uint16_t)*port);
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 1024) ||
        (*port = port_of(fd)) < 0) {
        int error = errno;
        freeaddrinfo(found);
        if (fd >= 0) {
            close(fd);
        }
        errno = error;
        return -1;
    }
    freeaddrinfo(found);
    return fd;
}

void listener_ebb(int fd) {
    /* Segments with SYN are dropped, so new clients try again, and find the port closed or another
     * process at it; the ACKs that end handshakes under way pass. The filter sees segments from
     * their TCP header on, whose flags are byte 13. */
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    /* Where a kernel has no filters, connections queued at the close are lost, as ever. */
    (void)!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

bool listener_is_empty(int fd) {
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    return poll(&asked, 1, 0) <= 0;
}

size_t listener_raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return 256;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit)) {
        return 256;
    }
    return limit.rlim_cur == RLIM_INFINITY ? 1 << 20 : (size_t)limit.rlim_cur;
}

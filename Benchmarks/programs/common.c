#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

struct sockaddr_in loopback_address(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    char host[INET_ADDRSTRLEN] = "";
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) die("\"%s\" is not like 127.0.0.1:1502.", text);
    memcpy(host, text, (size_t)(colon - text));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || (ntohl(address.sin_addr.s_addr) >> 24) != 127)
        die("\"%s\" is not an address of loopback.", host);
    address.sin_port = htons((uint16_t)number("the port", colon + 1, 1, 65535));
    return address;
}

struct sockaddr_in address_after(struct sockaddr_in address, unsigned count) {
    address.sin_addr.s_addr = htonl(ntohl(address.sin_addr.s_addr) + count);
    return address;
}

static void without_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int listen_on(struct sockaddr_in address) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
        die("Port %u: %s", ntohs(address.sin_port), strerror(errno));
    return fd;
}

int accept_from(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) without_delay(fd);
    return fd;
}

int connect_to(struct sockaddr_in address, struct in_addr source) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = source};
    if (fd < 0) die("socket: %s", strerror(errno));
    // The port is chosen when connecting, where one that rests in TIME_WAIT can be used again.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind: %s", strerror(errno));
    // Loopback connects at once, so this may block.
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    without_delay(fd);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("fcntl: %s", strerror(errno));
    return fd;
}

uint64_t number(const char *name, const char *text, uint64_t low, uint64_t high) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || *text == '-' || value < low || value > high)
        die("%s must be a number from %llu to %llu, not \"%s\".", name, (unsigned long long)low,
            (unsigned long long)high, text);
    return value;
}

double decimal(const char *name, const char *text, double low, double high) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != 0 || !(value >= low && value <= high))
        die("%s must be from %g to %g, not \"%s\".", name, low, high, text);
    return value;
}

int make_poll(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) die("epoll_create1: %s", strerror(errno));
    return poll;
}

void watch(int poll, int fd, uint32_t events, void *context) {
    struct epoll_event event = {.events = events, .data.ptr = context};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

void watch_again(int poll, int fd, uint32_t events, void *context) {
    struct epoll_event event = {.events = events, .data.ptr = context};
    if (epoll_ctl(poll, EPOLL_CTL_MOD, fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

void allow_descriptors(uint64_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count) return;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

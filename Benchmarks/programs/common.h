// What the three programs share: errors, loopback addresses, sockets, the clock, numbers of the command line.
#ifndef COMMON_H
#define COMMON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NANOSECONDS 1000000000ULL

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

// Prints a sentence and exits with 1.
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Parses "127.0.0.1:1502". Only loopback is taken: nothing here may ever be pointed at somebody's device.
struct sockaddr_in loopback_address(const char *text);

// So many addresses further, at the same port: 127.0.0.3:1502 is two after 127.0.0.1:1502.
enum { devices_most = 200 };
struct sockaddr_in address_after(struct sockaddr_in address, unsigned count);

// A listening socket, not blocking.
int listen_on(struct sockaddr_in address);

// The next connection, not blocking and without Nagle's delay; -1 if there is none.
int accept_from(int listener);

// A connection, not blocking and without Nagle's delay; -1 if it was refused. The source may be any loopback address.
int connect_to(struct sockaddr_in address, struct in_addr source);

// A number of the command line, or the end.
uint64_t number(const char *name, const char *text, uint64_t low, uint64_t high);
double decimal(const char *name, const char *text, double low, double high);

// An epoll instance, and what it is told of.
int make_poll(void);
void watch(int poll, int fd, uint32_t events, void *context);
void watch_again(int poll, int fd, uint32_t events, void *context);

// Up to so many file descriptors, as far as the system lets us.
void allow_descriptors(uint64_t count);

#endif

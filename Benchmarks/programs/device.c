// A Modbus/TCP device that is fast enough not to be the limit, or many of them. What it answers follows from unit and
// address, so that whoever asked can tell its own answer. It watches how long it idles between a response and the next
// request.
//
// SIGUSR1 prints what was counted since the last time and counts anew; SIGTERM ends it.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "histogram.h"
#include "modbus.h"

// Writing takes a third of that, in nanoseconds, unless another program is let run meanwhile.
static const uint64_t interrupted = 10000;

// A program under test has no more than 16 in flight; the load generator by itself may have 64.
enum { late_most = 64 };

struct late_request {
    uint64_t due;
    uint8_t frame[modbus_request];
};

// Connections and listeners are told apart by this, which is what they begin with.
enum kind { kind_signals, kind_device, kind_connection };

// Each device listens on an address of its own and knows nothing of the others.
struct device {
    enum kind kind;
    int listener;
    unsigned open_connections;
};

struct connection {
    enum kind kind;
    int fd;
    struct device *device;
    struct connection *next, **place;
    size_t in_length, out_length;
    uint64_t answered;  // when the last response was written, if nothing is unanswered
    unsigned late_first, late_count;
    struct late_request late[late_most];
    uint8_t in[8192], out[modbus_longest * 1024];
};

static uint64_t delay;
static unsigned lie;
static bool spins;
static unsigned room = 1, refused, requests, most_in_flight, broken;
static struct connection *connections;
static struct histogram gaps;
static int poll_fd, signals;
static enum kind signals_kind = kind_signals;

static void report(void) {
    printf("{\"requests\": %u, \"gaps\": %lu, \"gap_p50_us\": %.2f, \"gap_p99_us\": %.2f, \"most_in_flight\": %u, "
           "\"refused\": %u, \"broken\": %u}\n",
           requests, gaps.count, (double)histogram_quantile(&gaps, 0.5) / 1e3,
           (double)histogram_quantile(&gaps, 0.99) / 1e3, most_in_flight, refused, broken);
    fflush(stdout);
    memset(&gaps, 0, sizeof gaps);
    requests = most_in_flight = refused = broken = 0;
}

static void end_connection(struct connection *connection) {
    close(connection->fd);
    *connection->place = connection->next;
    if (connection->next != NULL) connection->next->place = connection->place;
    connection->device->open_connections -= 1;
    free(connection);
}

static void accept_all(struct device *device) {
    for (int fd; (fd = accept_from(device->listener)) >= 0;) {
        if (device->open_connections == room) {
            refused += 1;
            close(fd);
            continue;
        }
        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) die("No memory.");
        connection->kind = kind_connection;
        connection->fd = fd;
        connection->device = device;
        connection->next = connections;
        connection->place = &connections;
        if (connections != NULL) connections->place = &connection->next;
        connections = connection;
        device->open_connections += 1;
        watch(poll_fd, fd, EPOLLIN, connection);
    }
}

static void answer(struct connection *connection, const uint8_t *request) {
    uint8_t *out = connection->out + connection->out_length;
    unsigned unit = request[6], address = get16(request + 8), count = get16(request + 10);
    if (request[7] == modbus_write) {
        memcpy(out, request, modbus_request);
        connection->out_length += modbus_request;
        return;
    }
    memcpy(out, request, 8);
    if (request[7] != modbus_read || count < 1 || count > modbus_registers) {
        put16(out + 4, 3);
        out[7] |= modbus_exception;
        out[8] = request[7] == modbus_read ? 3 : 1;
        connection->out_length += 9;
        return;
    }
    put16(out + 4, 3 + 2 * count);
    out[8] = (uint8_t)(2 * count);
    for (unsigned index = 0; index < count; index++) put16(out + 9 + 2 * index, modbus_value(unit, address + index));
    static unsigned answers;
    if (lie > 0 && ++answers % lie == 0) out[9 + answers % (2 * count)] ^= 1;
    connection->out_length += 9 + 2 * count;
}

// Whatever is answered leaves at once; a peer that leaves its answers lying would not be a multiplexer.
static bool flush_answers(struct connection *connection) {
    if (connection->out_length == 0) return true;
    uint64_t before = now_ns();
    ssize_t sent = send(connection->fd, connection->out, connection->out_length, MSG_NOSIGNAL);
    if (sent != (ssize_t)connection->out_length) return false;
    connection->out_length = 0;
    if (connection->late_count > 0 || connection->in_length > 0) return true;
    uint64_t after = now_ns();
    // When it took that long, whoever was woken has run in our place: the gap began before.
    connection->answered = after - before < interrupted ? after : before;
    return true;
}

// Takes all whole requests of the input. False if there is something else.
static bool take_requests(struct connection *connection, uint64_t now) {
    size_t used = 0;
    unsigned taken = 0;
    for (;;) {
        const uint8_t *frame = connection->in + used;
        int length = modbus_frame_length(frame, connection->in_length - used);
        if (length < 0) return false;
        if (length == 0 || (size_t)length > connection->in_length - used) break;
        if (length < modbus_request) return false;
        if (delay == 0) {
            answer(connection, frame);
        } else {
            if (connection->late_count == late_most) return false;
            unsigned last = (connection->late_first + connection->late_count - 1) % late_most;
            bool works = connection->late_count > 0 && connection->late[last].due > now;
            uint64_t start = works ? connection->late[last].due : now;
            struct late_request *late = &connection->late[(last + 1) % late_most];
            late->due = start + delay;
            memcpy(late->frame, frame, modbus_request);
            connection->late_count += 1;
        }
        used += (size_t)length;
        taken += 1;
    }
    connection->in_length -= used;
    memmove(connection->in, connection->in + used, connection->in_length);
    requests += taken;
    unsigned in_flight = delay == 0 ? taken : connection->late_count;
    if (in_flight > most_in_flight) most_in_flight = in_flight;
    return true;
}

static void read_requests(struct connection *connection) {
    size_t space = sizeof connection->in - connection->in_length;
    ssize_t count = recv(connection->fd, connection->in + connection->in_length, space, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        end_connection(connection);
        return;
    }
    uint64_t now = now_ns();
    if (connection->answered != 0) histogram_add(&gaps, now - connection->answered);
    connection->answered = 0;
    connection->in_length += (size_t)count;
    if (take_requests(connection, now) && flush_answers(connection)) return;
    broken += 1;
    end_connection(connection);
}

// Answers what has waited long enough, and says when the next one has.
static uint64_t answer_late(uint64_t now) {
    uint64_t next = UINT64_MAX;
    for (struct connection *connection = connections, *following; connection != NULL; connection = following) {
        following = connection->next;
        while (connection->late_count > 0 && connection->late[connection->late_first].due <= now) {
            answer(connection, connection->late[connection->late_first].frame);
            connection->late_first = (connection->late_first + 1) % late_most;
            connection->late_count -= 1;
        }
        if (!flush_answers(connection)) {
            end_connection(connection);
            continue;
        }
        if (connection->late_count > 0 && connection->late[connection->late_first].due < next)
            next = connection->late[connection->late_first].due;
    }
    return next;
}

static bool read_signal(void) {
    struct signalfd_siginfo signal;
    if (read(signals, &signal, sizeof signal) != sizeof signal) return true;
    if (signal.ssi_signo != SIGUSR1) return false;
    report();
    return true;
}

static void serve(void) {
    for (;;) {
        struct epoll_event events[64];
        uint64_t now = delay == 0 ? 0 : now_ns(), next = delay == 0 ? UINT64_MAX : answer_late(now);
        uint64_t left = next - now;
        struct timespec wait = {.tv_sec = (time_t)(left / NANOSECONDS), .tv_nsec = (long)(left % NANOSECONDS)};
        if (spins) wait = (struct timespec){0};
        int count = epoll_pwait2(poll_fd, events, 64, next == UINT64_MAX && !spins ? NULL : &wait, NULL);
        for (int index = 0; index < count; index++) {
            void *context = events[index].data.ptr;
            enum kind kind = *(enum kind *)context;
            if (kind == kind_connection) read_requests(context);
            else if (kind == kind_device) accept_all(context);
            else if (!read_signal()) return;
        }
    }
}

static void use(void) {
    die("usage: bench-device --listen 127.0.0.1:PORT [--devices N] [--delay SECONDS] [--connections N] [--spin] "
        "[--lie N]\n"
        "  --devices      so many, at this address and those after it (1)\n"
        "  --delay        how long each works on a request, one after the other (0)\n"
        "  --connections  how many each accepts (1)\n"
        "  --spin         look for requests instead of sleeping until they come\n"
        "  --lie          one answer of N has a wrong bit, to see whether that is seen");
}

int main(int count, char **arguments) {
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"devices", required_argument, NULL, 'D'},
                                            {"spin", no_argument, NULL, 'p'},
                                            {"delay", required_argument, NULL, 'd'},
                                            {"connections", required_argument, NULL, 'c'},
                                            {"lie", required_argument, NULL, 'L'},
                                            {0}};
    const char *address = NULL;
    unsigned count_of_devices = 1;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'l') address = optarg;
        else if (option == 'D') count_of_devices = (unsigned)number("--devices", optarg, 1, devices_most);
        else if (option == 'p') spins = true;
        else if (option == 'd') delay = (uint64_t)(decimal("--delay", optarg, 0, 60) * 1e9);
        else if (option == 'c') room = (unsigned)number("--connections", optarg, 1, 4096);
        else if (option == 'L') lie = (unsigned)number("--lie", optarg, 1, 1000000);
        else use();
    }
    if (address == NULL || optind != count) use();

    // Delays end when they should, and not up to 50 us later.
    prctl(PR_SET_TIMERSLACK, 1UL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    allow_descriptors((room + 1) * count_of_devices + 16);
    poll_fd = make_poll();
    watch(poll_fd, signals, EPOLLIN, &signals_kind);
    for (unsigned index = 0; index < count_of_devices; index++) {
        struct device *device = calloc(1, sizeof *device);
        if (device == NULL) die("No memory.");
        device->kind = kind_device;
        device->listener = listen_on(address_after(loopback_address(address), index));
        watch(poll_fd, device->listener, EPOLLIN, device);
    }
    serve();
    return 0;
}

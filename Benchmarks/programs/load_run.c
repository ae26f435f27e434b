#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common.h"
#include "load.h"

enum { batch = 256, opening_most = 16 };

// How long requests that were sent in time may take, before they count as unanswered.
static const uint64_t patience = 5 * NANOSECONDS;

static int poll_fd;
static bool sending;            // further requests may be sent
static uint64_t begin, end;     // what is between is counted
static uint64_t over;           // the load goes on for a while, so that whoever reads times at the end is not late
static uint64_t start, period;  // at a fixed rate: request number n is due at start + n * period
static uint64_t scheduled;      // at a fixed rate: how many have been due

static uint64_t processor_time(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * NANOSECONDS +
           ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
}

// Whoever watches the program under test reads its times at these two lines.
static void say(const char *word) {
    puts(word);
    fflush(stdout);
}

static uint64_t began, ended, busy;

static void set_times(void) {
    start = now_ns();
    begin = start + (uint64_t)(settings.warmup * 1e9);
    end = begin + (uint64_t)(settings.seconds * 1e9);
    over = end + NANOSECONDS / 10;
}

// Says when the counting begins and ends.
static void mark(uint64_t now) {
    if (began == 0 && now >= begin) {
        began = now;
        busy = processor_time();
        say("begin");
    }
    if (ended == 0 && now >= end) {
        ended = now;
        busy = processor_time() - busy;
        say("end");
    }
}

static uint64_t next_mark(void) { return began == 0 ? begin : ended == 0 ? end : over; }

static struct span counted(void) {
    if (ended == 0) mark(now_ns());
    return (struct span){.seconds = settings.seconds, .busy = (double)busy / (double)(ended - began)};
}

static void handle(int timeout, uint64_t until, answer_handler *on_answer) {
    struct epoll_event events[batch];
    uint64_t now = now_ns(), wait = until > now ? until - now : 0;
    struct timespec time = {.tv_sec = (time_t)(wait / NANOSECONDS), .tv_nsec = (long)(wait % NANOSECONDS)};
    if (timeout == 0) time = (struct timespec){0};
    int count = epoll_pwait2(poll_fd, events, batch, &time, NULL);
    if (count < 0 && errno != EINTR) die("epoll_pwait2: %s", strerror(errno));
    for (int index = 0; index < count; index++) {
        struct connection *connection = events[index].data.ptr;
        if (connection == NULL || connection->state == state_closed) continue;
        if (connection->state == state_handshaking) {
            connection_handshake(connection, poll_fd);
        } else {
            connection_receive(connection, on_answer);
            connection_flush(connection);
        }
    }
}

static void ignore(struct connection *connection, uint64_t intended, uint64_t now) {
    (void)connection, (void)intended, (void)now;
}

// Opens all connections and asks each once, a few at a time: who waits behind thousands of handshakes is given up.
static void open_all(struct connection *connections) {
    uint64_t limit = now_ns() + 60 * NANOSECONDS;
    poll_fd = make_poll();
    for (unsigned first = 0; first < settings.clients; first += opening_most) {
        unsigned count = settings.clients - first < opening_most ? settings.clients - first : opening_most, ready = 0;
        bool asked[opening_most] = {false};
        for (unsigned index = 0; index < count; index++) connection_open(&connections[first + index], poll_fd);
        while (ready < count) {
            ready = 0;
            for (unsigned index = 0; index < count; index++) {
                struct connection *connection = &connections[first + index];
                if (connection->state == state_closed)
                    die("Client %u could not connect: %s.", first + index + 1, tls_reason());
                if (connection->state == state_open && !asked[index]) {
                    asked[index] = true;
                    connection_ask(connection, now_ns());
                    connection_flush(connection);
                }
                ready += asked[index] && connection->in_flight == 0;
            }
            if (now_ns() > limit) die("The clients could not all connect and ask within a minute.");
            if (ready < count) handle(1, now_ns() + NANOSECONDS / 10, ignore);
        }
    }
    if (totals.wrong + totals.exceptions + totals.closed > 0) die("The first requests were not all answered right.");
}

static void ask_due(struct connection *connection) {
    while (connection->due > 0 && connection->in_flight < settings.depth && connection->state == state_open) {
        connection_ask(connection, start + connection->next_due * period);
        connection->next_due += settings.clients;
        connection->due -= 1;
    }
}

// At a fixed rate, what counts is when a request should have been sent, so that a stall is felt by all requests that it
// held back. Otherwise requests follow answers, and those that end in time count.
static void count_answer(struct connection *connection, uint64_t intended, uint64_t now) {
    uint64_t moment = period > 0 ? intended : now;
    if (moment >= begin && moment < end) {
        totals.answered += 1;
        histogram_add(&totals.latency, now - intended);
    }
    if (period > 0) ask_due(connection);
    else if (sending) connection_ask(connection, now);
}

static void schedule(struct connection *connections, uint64_t now) {
    while (now >= start + scheduled * period && start + scheduled * period < over) {
        struct connection *connection = &connections[scheduled % settings.clients];
        connection->due += 1;
        scheduled += 1;
        ask_due(connection);
        connection_flush(connection);
    }
}

static bool something_is_left(struct connection *connections) {
    for (unsigned index = 0; index < settings.clients; index++) {
        const struct connection *connection = &connections[index];
        if (connection->state == state_open && connection->in_flight + connection->due > 0) return true;
    }
    return false;
}

static void count_late(uint64_t intended, uint64_t now) {
    if (intended >= begin && intended < end) histogram_add(&totals.latency, now - intended);
}

// What was never answered has waited at least until now.
static void count_unanswered(struct connection *connections) {
    uint64_t now = now_ns();
    for (unsigned index = 0; index < settings.clients; index++) {
        struct connection *connection = &connections[index];
        for (unsigned place = 0; place < depth_most; place++) {
            struct pending *pending = &connection->pending[place];
            if (pending->used) count_late(pending->intended, now);
        }
        totals.unanswered += connection->in_flight + connection->due;
        for (; connection->due > 0; connection->due -= 1, connection->next_due += settings.clients)
            count_late(start + connection->next_due * period, now);
    }
}

struct span run_load(struct connection *connections) {
    open_all(connections);
    if (settings.hold) {
        say("ready");
        getchar();
    }
    set_times();
    period = settings.rate > 0 ? (uint64_t)(1e9 / settings.rate) : 0;
    sending = true;
    for (unsigned index = 0; index < settings.clients; index++) {
        connections[index].next_due = index;
        if (period > 0) continue;
        for (unsigned count = 0; count < settings.depth; count++) connection_ask(&connections[index], now_ns());
        connection_flush(&connections[index]);
    }
    uint64_t now;
    while ((now = now_ns()) < over) {
        mark(now);
        if (period > 0) schedule(connections, now);
        uint64_t until = next_mark();
        if (period > 0 && start + scheduled * period < until) until = start + scheduled * period;
        handle(settings.spin ? 0 : 1, until, count_answer);
    }
    sending = false;
    if (period > 0) schedule(connections, now);
    for (uint64_t limit = now + patience; now_ns() < limit && something_is_left(connections);)
        handle(1, now_ns() + NANOSECONDS / 100, count_answer);
    count_unanswered(connections);
    return counted();
}

static void count_connect(struct connection *connection, uint64_t intended, uint64_t now) {
    (void)intended;
    if (now >= begin && now < end) {
        totals.answered += 1;
        histogram_add(&totals.latency, now - connection->opened);
    }
    connection_close(connection);
}

// Connects, asks once and closes, over and over. With TLS 1.3 a client's handshake ends before the server has looked at
// its certificate: only an answer shows that it was accepted.
struct span run_connects(struct connection *connections) {
    uint64_t now;
    poll_fd = make_poll();
    set_times();
    while ((now = now_ns()) < over) {
        mark(now);
        if (totals.closed > 100 && totals.answered == 0 && began != 0) die("No client is accepted: %s.", tls_reason());
        for (unsigned index = 0; index < settings.clients; index++) {
            struct connection *connection = &connections[index];
            if (connection->state == state_closed) connection_open(connection, poll_fd);
            if (connection->state == state_open && connection->in_flight == 0) {
                connection_ask(connection, now_ns());
                connection_flush(connection);
            }
        }
        handle(settings.spin ? 0 : 1, next_mark(), count_connect);
    }
    // What is under way was cut off by us.
    uint64_t unanswered = totals.unanswered;
    for (unsigned index = 0; index < settings.clients; index++) connection_close(&connections[index]);
    totals.unanswered = unanswered;
    return counted();
}

// Connections that have asked once and then say nothing, until our input ends.
struct span run_idle(struct connection *connections) {
    uint64_t opened = now_ns();
    struct epoll_event events[batch];
    open_all(connections);
    say("ready");
    watch(poll_fd, STDIN_FILENO, EPOLLIN, NULL);
    for (bool finished = false; !finished;) {
        int count = epoll_wait(poll_fd, events, batch, -1);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            char byte;
            if (connection == NULL) finished = finished || read(STDIN_FILENO, &byte, 1) <= 0;
            else connection_receive(connection, ignore);
        }
    }
    return (struct span){.seconds = (double)(now_ns() - opened) / 1e9};
}

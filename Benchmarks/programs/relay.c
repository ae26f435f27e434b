// Only what any Modbus/TCP multiplexer must do: many clients, one connection to the device, first come first served,
// ids of its own, so many in flight. No timeouts, no limits, no log: the practical limit for all others.
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "modbus.h"

enum { window_most = 16 };

struct client {
    int fd;
    unsigned unanswered;
    bool left, has_answers;
    size_t in_length, out_length;
    struct client *next;       // of those that have answers to be written
    struct client *next_left;  // of those that have left
    uint8_t in[1024], out[1024];
};

struct request {
    struct request *next;
    struct client *client;
    uint16_t id;  // the client's
    uint16_t length;
    uint8_t frame[modbus_longest];
};

static unsigned window = 1;
static int poll_fd, listener, device;
static struct request *first, **last = &first, *unused;
static struct client *left_clients;
static struct request *in_flight[window_most];
static unsigned free_places[window_most], free_count;
static unsigned sequence;
static uint8_t device_in[64 * 1024], device_out[window_most * modbus_longest];
static size_t device_in_length, device_out_length;

static struct request *new_request(void) {
    struct request *request = unused;
    if (request != NULL) unused = request->next;
    else request = malloc(sizeof *request);
    if (request == NULL) die("No memory.");
    return request;
}

static void release(struct request *request) {
    request->client->unanswered -= 1;
    request->next = unused;
    unused = request;
}

static void leave(struct client *client) {
    if (client->left) return;
    close(client->fd);
    client->left = true;
    client->next_left = left_clients;
    left_clients = client;
}

// Those that have left and are spoken of nowhere any more: neither in an event nor in a request.
static void free_left_clients(void) {
    for (struct client **place = &left_clients; *place != NULL;) {
        struct client *client = *place;
        if (client->unanswered > 0) {
            place = &client->next_left;
            continue;
        }
        *place = client->next_left;
        free(client);
    }
}

// Moves what waits into the window. The id says which place of the window it has.
static void fill_window(void) {
    while (free_count > 0 && first != NULL) {
        struct request *request = first;
        first = request->next;
        if (first == NULL) last = &first;
        if (request->client->left) {
            release(request);
            continue;
        }
        unsigned place = free_places[--free_count];
        in_flight[place] = request;
        put16(request->frame, (sequence++ * window_most + place) & 0xFFFF);
        memcpy(device_out + device_out_length, request->frame, request->length);
        device_out_length += request->length;
    }
}

static void flush_device(void) {
    if (device_out_length == 0) return;
    // All of the window fits into the socket's buffer.
    if (send(device, device_out, device_out_length, MSG_NOSIGNAL) != (ssize_t)device_out_length)
        die("The device does not take what it is sent.");
    device_out_length = 0;
}

static void flush_client(struct client *client) {
    if (client->left || client->out_length == 0) return;
    // A client that does not read is of no interest here.
    ssize_t sent = send(client->fd, client->out, client->out_length, MSG_NOSIGNAL);
    bool whole = sent == (ssize_t)client->out_length;
    client->out_length = 0;
    if (!whole) leave(client);
}

static void read_client(struct client *client) {
    if (client->left) return;
    ssize_t count = recv(client->fd, client->in + client->in_length, sizeof client->in - client->in_length, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        leave(client);
        return;
    }
    client->in_length += (size_t)count;
    size_t used = 0;
    for (;;) {
        const uint8_t *frame = client->in + used;
        int length = modbus_frame_length(frame, client->in_length - used);
        if (length < 0) {
            leave(client);
            return;
        }
        if (length == 0 || (size_t)length > client->in_length - used) break;
        struct request *request = new_request();
        request->next = NULL;
        request->client = client;
        request->id = get16(frame);
        request->length = (uint16_t)length;
        memcpy(request->frame, frame, (size_t)length);
        client->unanswered += 1;
        *last = request;
        last = &request->next;
        used += (size_t)length;
    }
    client->in_length -= used;
    memmove(client->in, client->in + used, client->in_length);
}

static void read_device(void) {
    ssize_t count = recv(device, device_in + device_in_length, sizeof device_in - device_in_length, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) die("The device has closed the connection.");
    device_in_length += (size_t)count;
    size_t used = 0;
    struct client *answered = NULL;
    for (;;) {
        uint8_t *frame = device_in + used;
        int length = modbus_frame_length(frame, device_in_length - used);
        if (length < 0) die("The device does not speak Modbus.");
        if (length == 0 || (size_t)length > device_in_length - used) break;
        used += (size_t)length;
        unsigned place = get16(frame) % window_most;
        struct request *request = place < window ? in_flight[place] : NULL;
        if (request == NULL || get16(request->frame) != get16(frame)) continue;
        in_flight[place] = NULL;
        free_places[free_count++] = place;
        struct client *client = request->client;
        if (!client->left) {
            if (client->out_length + (size_t)length > sizeof client->out) flush_client(client);
            put16(frame, request->id);
            memcpy(client->out + client->out_length, frame, (size_t)length);
            client->out_length += (size_t)length;
            if (!client->has_answers) {
                client->has_answers = true;
                client->next = answered;
                answered = client;
            }
        }
        release(request);
    }
    device_in_length -= used;
    memmove(device_in, device_in + used, device_in_length);
    // The device first: it has nothing to do, while clients have an answer to work on soon enough.
    fill_window();
    flush_device();
    while (answered != NULL) {
        struct client *client = answered;
        answered = client->next;
        client->has_answers = false;
        flush_client(client);
    }
}

static void accept_all(void) {
    for (int fd; (fd = accept_from(listener)) >= 0;) {
        struct client *client = calloc(1, sizeof *client);
        if (client == NULL) die("No memory.");
        client->fd = fd;
        watch(poll_fd, fd, EPOLLIN, client);
    }
}

static void use(void) {
    die("usage: bench-relay --listen 127.0.0.1:PORT --device 127.0.0.1:PORT [--max-in-flight N]");
}

int main(int count, char **arguments) {
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"device", required_argument, NULL, 'd'},
                                            {"max-in-flight", required_argument, NULL, 'm'},
                                            {0}};
    const char *listen_text = NULL, *device_text = NULL;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'l') listen_text = optarg;
        else if (option == 'd') device_text = optarg;
        else if (option == 'm') window = (unsigned)number("--max-in-flight", optarg, 1, window_most);
        else use();
    }
    if (listen_text == NULL || device_text == NULL || optind != count) use();

    while (free_count < window) {
        free_places[free_count] = free_count;
        free_count += 1;
    }
    allow_descriptors(1 << 16);
    device = connect_to(loopback_address(device_text), (struct in_addr){htonl(INADDR_LOOPBACK)});
    if (device < 0) die("The device cannot be reached.");
    listener = listen_on(loopback_address(listen_text));
    poll_fd = make_poll();
    watch(poll_fd, listener, EPOLLIN, &listener);
    watch(poll_fd, device, EPOLLIN, &device);
    for (;;) {
        struct epoll_event events[128];
        int ready = epoll_wait(poll_fd, events, 128, -1);
        for (int index = 0; index < ready; index++) {
            void *context = events[index].data.ptr;
            if (context == &listener) accept_all();
            else if (context == &device) read_device();
            else read_client(context);
        }
        fill_window();
        flush_device();
        free_left_clients();
    }
}

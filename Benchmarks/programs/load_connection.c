#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "load.h"

struct totals totals;

void connection_open(struct connection *connection, int poll) {
    connection->opened = now_ns();
    connection->in_flight = 0;
    connection->in_length = connection->out_length = 0;
    connection->next_id = 1;
    memset(connection->pending, 0, sizeof connection->pending);
    connection->fd = connect_to(connection->target, connection->source);
    if (connection->fd < 0) {
        totals.closed += 1;
        return;
    }
    watch(poll, connection->fd, EPOLLIN, connection);
    connection->state = state_open;
    if (settings.tls == NULL) return;
    connection->tls = tls_session(settings.tls, connection->fd);
    connection->state = state_handshaking;
    connection_handshake(connection, poll);
}

void connection_close(struct connection *connection) {
    if (connection->state == state_closed) return;
    if (connection->tls != NULL) {
        if (connection->state == state_open) SSL_shutdown(connection->tls);
        SSL_free(connection->tls);
        connection->tls = NULL;
    }
    close(connection->fd);
    connection->state = state_closed;
    totals.unanswered += connection->in_flight;
    connection->in_flight = 0;
}

static void lose(struct connection *connection) {
    totals.closed += 1;
    if (connection->tls != NULL) {
        tls_note_reason();
        // Without a farewell, which OpenSSL does not allow after an error.
        SSL_free(connection->tls);
        connection->tls = NULL;
    }
    connection_close(connection);
}

void connection_handshake(struct connection *connection, int poll) {
    int result = SSL_do_handshake(connection->tls);
    if (result == 1) {
        connection->state = state_open;
        watch_again(poll, connection->fd, EPOLLIN, connection);
        return;
    }
    int error = SSL_get_error(connection->tls, result);
    if (error == SSL_ERROR_WANT_WRITE) watch_again(poll, connection->fd, EPOLLOUT, connection);
    else if (error == SSL_ERROR_WANT_READ) watch_again(poll, connection->fd, EPOLLIN, connection);
    else lose(connection);
}

void connection_ask(struct connection *connection, uint64_t intended) {
    // Each read is another one, so that none can be answered by what another one brought.
    static unsigned sequence;
    struct pending *pending;
    uint16_t id = connection->next_id;
    while ((pending = &connection->pending[id % depth_most])->used) id += 1;
    unsigned address = settings.same ? 0 : sequence++ % (0x10000 - settings.registers);
    *pending = (struct pending){.intended = intended, .id = id, .address = (uint16_t)address, .used = true};
    unsigned function = settings.write ? modbus_write : modbus_read;
    unsigned last = settings.write ? modbus_value(settings.unit, address) : settings.registers;
    modbus_put_request(connection->out + connection->out_length, id, settings.unit, function, address, last);
    connection->out_length += modbus_request;
    connection->next_id = (uint16_t)(id + 1);
    connection->in_flight += 1;
}

void connection_flush(struct connection *connection) {
    size_t length = connection->out_length;
    if (length == 0 || connection->state != state_open) return;
    connection->out_length = 0;
    // Not even the deepest pipeline fills a socket's buffer.
    if (connection->tls != NULL) {
        if (SSL_write(connection->tls, connection->out, (int)length) != (int)length) lose(connection);
    } else {
        if (send(connection->fd, connection->out, length, MSG_NOSIGNAL) != (ssize_t)length) lose(connection);
    }
}

static bool is_right(const uint8_t *frame, int length, unsigned address) {
    if (settings.write) {
        uint8_t same[modbus_request];
        modbus_put_request(same, get16(frame), settings.unit, modbus_write, address,
                           modbus_value(settings.unit, address));
        return length == modbus_request && memcmp(frame, same, sizeof same) == 0;
    }
    unsigned count = settings.registers;
    if (length != 9 + 2 * (int)count || frame[6] != settings.unit || frame[7] != modbus_read || frame[8] != 2 * count)
        return false;
    for (unsigned index = 0; index < count; index++)
        if (get16(frame + 9 + 2 * index) != modbus_value(settings.unit, address + index)) return false;
    return true;
}

static void verify(struct connection *connection, const uint8_t *frame, int length, uint64_t now,
                   answer_handler *on_answer) {
    struct pending *pending = &connection->pending[get16(frame) % depth_most];
    if (!pending->used || pending->id != get16(frame)) {
        totals.wrong += 1;
        return;
    }
    pending->used = false;
    connection->in_flight -= 1;
    unsigned function = settings.write ? modbus_write : modbus_read;
    bool refused = length == 9 && frame[6] == settings.unit && frame[7] == (function | modbus_exception);
    if (refused) totals.exceptions += 1;
    else if (!is_right(frame, length, pending->address)) totals.wrong += 1;
    on_answer(connection, pending->intended, now);
}

static ssize_t receive(struct connection *connection) {
    uint8_t *space = connection->in + connection->in_length;
    size_t length = sizeof connection->in - connection->in_length;
    if (connection->tls == NULL) {
        ssize_t count = recv(connection->fd, space, length, 0);
        return count < 0 && errno == EAGAIN ? 0 : count <= 0 ? -1 : count;
    }
    int count = SSL_read(connection->tls, space, (int)length);
    if (count > 0) return count;
    return SSL_get_error(connection->tls, count) == SSL_ERROR_WANT_READ ? 0 : -1;
}

void connection_receive(struct connection *connection, answer_handler *on_answer) {
    do {
        ssize_t count = receive(connection);
        if (count < 0) lose(connection);
        if (count <= 0) return;
        uint64_t now = now_ns();
        connection->in_length += (size_t)count;
        size_t used = 0;
        while (connection->state == state_open) {
            const uint8_t *frame = connection->in + used;
            int length = modbus_frame_length(frame, connection->in_length - used);
            if (length < 0) {
                totals.wrong += 1;
                lose(connection);
                return;
            }
            if (length == 0 || (size_t)length > connection->in_length - used) break;
            verify(connection, frame, length, now, on_answer);
            used += (size_t)length;
        }
        if (connection->state != state_open) return;
        connection->in_length -= used;
        memmove(connection->in, connection->in + used, connection->in_length);
        // What OpenSSL has read already, no socket tells of.
    } while (connection->tls != NULL && SSL_has_pending(connection->tls));
}

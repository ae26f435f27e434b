// The load generator: one thread, so that its own time is known and can be kept on a processor of its own.
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "modbus.h"

enum { depth_most = 64 };

struct settings {
    struct sockaddr_in target;
    unsigned clients, depth, registers, unit, sources, targets;
    double rate, warmup, seconds;
    bool connects, idle, hold, same, spin, write;
    SSL_CTX *tls;
};

extern struct settings settings;

// A request that is sent and unanswered.
struct pending {
    uint64_t intended;  // when it should have been sent
    uint16_t id, address;
    bool used;
};

enum state { state_closed, state_handshaking, state_open };

struct connection {
    enum state state;
    int fd;
    SSL *tls;
    struct sockaddr_in target;
    struct in_addr source;
    uint64_t opened;
    uint16_t next_id;
    unsigned in_flight;
    uint64_t due, next_due;  // at a fixed rate: how many should have been sent, and the number of the first of them
    size_t in_length, out_length;
    struct pending pending[depth_most];
    uint8_t in[4 * 1024], out[depth_most * modbus_request];
};

struct totals {
    uint64_t answered, exceptions, wrong, closed, unanswered;
    struct histogram latency;
};

extern struct totals totals;

// Opens a connection; with TLS its handshake goes on when it is told that the socket is ready.
void connection_open(struct connection *connection, int poll);
void connection_close(struct connection *connection);

// Goes on with the handshake. Closes the connection if it fails.
void connection_handshake(struct connection *connection, int poll);

// Adds a request to the output, and writes the output.
void connection_ask(struct connection *connection, uint64_t intended);
void connection_flush(struct connection *connection);

// Reads and verifies what has come, and tells of each answer. Closes the connection if it is at its end.
typedef void answer_handler(struct connection *connection, uint64_t intended, uint64_t now);
void connection_receive(struct connection *connection, answer_handler *on_answer);

// The client's side of TLS 1.3, with a certificate of the client's.
SSL_CTX *tls_context(const char *authority, const char *certificate, const char *key);
SSL *tls_session(SSL_CTX *context, int fd);
// Why the last connection was lost: to be noted at once, and for whoever asks later.
void tls_note_reason(void);
const char *tls_reason(void);

// The kinds of load. Each fills the totals and says how many seconds it counted, and for how much of them it was busy.
struct span {
    double seconds, busy;
};
struct span run_load(struct connection *connections);
struct span run_connects(struct connection *connections);
struct span run_idle(struct connection *connections);

#endif

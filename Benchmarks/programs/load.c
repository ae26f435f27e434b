#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "common.h"
#include "load.h"

struct settings settings = {
    .clients = 1, .depth = 1, .registers = 10, .unit = 1, .sources = 1, .targets = 1, .warmup = 0.5, .seconds = 2};

static void use(void) {
    die("usage: bench-load --target 127.0.0.1:PORT [options]\n"
        "Reads registers, verifies each answer, and prints what it measured as JSON.\n"
        "  --targets N    this address and those after it, client after client another one (1)\n"
        "  --clients N    connections (1)\n"
        "  --depth N      requests that each has in flight at most (1)\n"
        "  --rate N       requests per second of all together, each timed from when it should have been sent;\n"
        "                 otherwise each answer is followed by the next request\n"
        "  --connects     each client connects, asks once and closes, over and over\n"
        "  --idle         each client asks once; then they stay until the input ends\n"
        "  --hold         each client asks once; the rest begins with the next line of the input\n"
        "  --seconds S    how long to count (2)\n"
        "  --warmup S     how long to wait before (0.5)\n"
        "  --registers N  per request (10)\n"
        "  --unit N       the unit id (1)\n"
        "  --write        writes one register instead of reading\n"
        "  --same         all read the same registers, otherwise each request reads others\n"
        "  --sources N    client addresses, 127.0.0.1 and on (1)\n"
        "  --spin         look for answers instead of sleeping until they come\n"
        "  --ca FILE      TLS 1.3: who may have signed the server's certificate\n"
        "  --certificate FILE --key FILE\n"
        "                 the client's");
}

static const struct option options[] = {
    {"target", required_argument, NULL, 't'},
    {"clients", required_argument, NULL, 'c'},
    {"depth", required_argument, NULL, 'd'},
    {"rate", required_argument, NULL, 'r'},
    {"connects", no_argument, NULL, 'C'},
    {"idle", no_argument, NULL, 'I'},
    {"hold", no_argument, NULL, 'H'},
    {"seconds", required_argument, NULL, 's'},
    {"warmup", required_argument, NULL, 'w'},
    {"registers", required_argument, NULL, 'n'},
    {"unit", required_argument, NULL, 'u'},
    {"targets", required_argument, NULL, 'T'},
    {"write", no_argument, NULL, 'W'},
    {"same", no_argument, NULL, 'S'},
    {"sources", required_argument, NULL, 'a'},
    {"spin", no_argument, NULL, 'p'},
    {"ca", required_argument, NULL, 'A'},
    {"certificate", required_argument, NULL, 'e'},
    {"key", required_argument, NULL, 'k'},
    {0}};

static void parse(int count, char **arguments) {
    const char *authority = NULL, *certificate = NULL, *key = NULL;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 't': settings.target = loopback_address(optarg); break;
        case 'c': settings.clients = (unsigned)number("--clients", optarg, 1, 10000); break;
        case 'd': settings.depth = (unsigned)number("--depth", optarg, 1, depth_most); break;
        case 'r': settings.rate = decimal("--rate", optarg, 1, 1e6); break;
        case 'C': settings.connects = true; break;
        case 'I': settings.idle = true; break;
        case 'H': settings.hold = true; break;
        case 's': settings.seconds = decimal("--seconds", optarg, 0.1, 600); break;
        case 'w': settings.warmup = decimal("--warmup", optarg, 0, 60); break;
        case 'n': settings.registers = (unsigned)number("--registers", optarg, 1, modbus_registers); break;
        case 'u': settings.unit = (unsigned)number("--unit", optarg, 0, 255); break;
        case 'T': settings.targets = (unsigned)number("--targets", optarg, 1, devices_most); break;
        case 'W': settings.write = true; break;
        case 'S': settings.same = true; break;
        case 'a': settings.sources = (unsigned)number("--sources", optarg, 1, 250); break;
        case 'p': settings.spin = true; break;
        case 'A': authority = optarg; break;
        case 'e': certificate = optarg; break;
        case 'k': key = optarg; break;
        default: use();
        }
    }
    if (settings.target.sin_port == 0 || optind != count || (certificate == NULL) != (key == NULL)) use();
    if (authority != NULL) settings.tls = tls_context(authority, certificate, key);
    else if (certificate != NULL) use();
}

int main(int count, char **arguments) {
    parse(count, arguments);
    allow_descriptors(settings.clients + 32);
    // Sleeps end when they should, and not up to 50 us later.
    prctl(PR_SET_TIMERSLACK, 1UL);

    struct connection *connections = calloc(settings.clients, sizeof *connections);
    if (connections == NULL) die("No memory.");
    for (unsigned index = 0; index < settings.clients; index++) {
        connections[index].target = address_after(settings.target, index % settings.targets);
        connections[index].source.s_addr = htonl(INADDR_LOOPBACK + index % settings.sources);
    }
    struct span span = settings.connects ? run_connects(connections)
                       : settings.idle   ? run_idle(connections)
                                         : run_load(connections);

    const struct histogram *latency = &totals.latency;
    printf("{\"answered\": %lu, \"seconds\": %.3f, \"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"p999_us\": %.1f, \"max_us\": %.1f, \"busy\": %.3f, "
           "\"exceptions\": %lu, \"wrong\": %lu, \"closed\": %lu, \"unanswered\": %lu}\n",
           totals.answered, span.seconds, (double)totals.answered / span.seconds,
           (double)histogram_quantile(latency, 0.5) / 1e3, (double)histogram_quantile(latency, 0.99) / 1e3,
           (double)histogram_quantile(latency, 0.999) / 1e3, (double)latency->max / 1e3, span.busy, totals.exceptions,
           totals.wrong, totals.closed, totals.unanswered);
    bool faults = totals.exceptions + totals.wrong + totals.closed + totals.unanswered > 0;
    for (unsigned index = 0; index < settings.clients; index++) connection_close(&connections[index]);
    free(connections);
    SSL_CTX_free(settings.tls);
    return faults ? 1 : 0;
}

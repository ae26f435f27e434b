#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common.h"
#include "load.h"

static char reason[256] = "the connection was closed";

void tls_note_reason(void) {
    unsigned long code = ERR_peek_last_error();
    if (code != 0) ERR_error_string_n(code, reason, sizeof reason);
    // What is left in the queue would be taken for the next call's error.
    ERR_clear_error();
}

const char *tls_reason(void) { return reason; }

static _Noreturn void give_up(const char *what) {
    tls_note_reason();
    die("%s: %s", what, reason);
}

SSL_CTX *tls_context(const char *authority, const char *certificate, const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) give_up("OpenSSL");
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    if (SSL_CTX_load_verify_locations(context, authority, NULL) != 1) give_up(authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (certificate != NULL) {
        if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) give_up(certificate);
        if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) give_up(key);
    }
    // Handshakes are to be full ones.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // A record's header and its body in one read.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

SSL *tls_session(SSL_CTX *context, int fd) {
    SSL *tls = SSL_new(context);
    if (tls == NULL || SSL_set_fd(tls, fd) != 1) give_up("OpenSSL");
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), "127.0.0.1");
    SSL_set_connect_state(tls);
    return tls;
}

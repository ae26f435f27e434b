// OpenSSL 3 for Swift: the library's own headers, and its macros as functions, since Swift imports no function-like
// macro. Only what is used.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline void COpenSSL_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline int COpenSSL_ERR_R_UNSUPPORTED(void) { return ERR_R_UNSUPPORTED; }
static inline void COpenSSL_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline uint64_t COpenSSL_SSL_OP_CIPHER_SERVER_PREFERENCE(void) { return SSL_OP_CIPHER_SERVER_PREFERENCE; }
static inline uint64_t COpenSSL_SSL_OP_NO_COMPRESSION(void) { return SSL_OP_NO_COMPRESSION; }
static inline uint64_t COpenSSL_SSL_OP_NO_RENEGOTIATION(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline uint64_t COpenSSL_SSL_OP_NO_TICKET(void) { return SSL_OP_NO_TICKET; }

static inline int COpenSSL_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int COpenSSL_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}
static inline int COpenSSL_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline int COpenSSL_SSL_CTX_build_cert_chain(SSL_CTX *context, int flags) {
    return (int)SSL_CTX_build_cert_chain(context, flags);
}
static inline STACK_OF(X509) *COpenSSL_SSL_CTX_get0_chain(SSL_CTX *context) {
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(context, &chain);
    return chain;
}
static inline void COpenSSL_X509_free_all(STACK_OF(X509) *certificates) { sk_X509_pop_free(certificates, X509_free); }
static inline int COpenSSL_SSL_CTX_has_chain(SSL_CTX *context) {
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(context, &chain);
    return sk_X509_num(chain) > 0;
}
static inline void COpenSSL_SSL_CTX_set_max_cert_list(SSL_CTX *context, long length) {
    SSL_CTX_set_max_cert_list(context, length);
}
static inline void COpenSSL_SSL_CTX_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline void COpenSSL_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}
// The first trusted certificate with that subject, for the caller to free.
static inline X509 *COpenSSL_X509_STORE_CTX_first(X509_STORE_CTX *context, const X509_NAME *subject) {
    STACK_OF(X509) *found = subject == NULL ? NULL : X509_STORE_CTX_get1_certs(context, subject);
    X509 *first = sk_X509_shift(found);
    sk_X509_pop_free(found, X509_free);
    return first;
}
static inline int COpenSSL_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

// RFC 2253, with UTF-8 left readable; control characters stay escaped, so that a name cannot forge a log line.
static inline unsigned long COpenSSL_XN_FLAG_READABLE(void) { return XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB; }

#endif

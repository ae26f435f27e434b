// OpenSSL 3 for Swift: the library's own headers, and its macros as functions, since Swift imports no function-like
// macro.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif

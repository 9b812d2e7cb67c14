/* OpenSSL's headers, whose type ERR_STATE collides with an error code of ours: it goes by another name here. */
#ifndef HTTP_OPENSSL_H
#define HTTP_OPENSSL_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif

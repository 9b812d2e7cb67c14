/* TLS: 1.2 and 1.3, no renegotiation, HTTP/1.1 only; and a certificate for sites that have none. */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/id.h"
#include "http/internal.h"
#include "http/openssl.h"

enum { DAYS = 825, DAY_SECONDS = 86400 };

static int tls_error(struct err *e, const char *path) {
    unsigned long code = ERR_peek_last_error();
    const char *why = ERR_reason_error_string(code);
    ERR_clear_error();
    return err_set(e, ERR_IO, NULL, M_FILE, path, why ? why : "OpenSSL");
}

static int choose_protocol(SSL *tls UNUSED, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len,
                           void *arg UNUSED) {
    static const unsigned char own[] = "\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, own, sizeof own - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void ctx_freep(SSL_CTX **ctx) {
    SSL_CTX_free(*ctx);
}

int http_tls_open(const char *cert, const char *key, struct ssl_ctx_st **ret, struct err *e) {
    SSL_CTX *ctx CLEANUP(ctx_freep) = SSL_CTX_new(TLS_server_method());
    INVARIANT(ctx);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"lianfang", 8);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) return tls_error(e, cert);
    if (!key) key = cert;
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) return tls_error(e, key);
    if (SSL_CTX_check_private_key(ctx) != 1) return tls_error(e, key);
    *ret = TAKE(ctx);
    return 0;
}

void http_tls_close(struct ssl_ctx_st *ctx) {
    SSL_CTX_free(ctx);
}

/* ---- a certificate of one's own ---- */

static void x509_freep(X509 **x) {
    X509_free(*x);
}
static void key_freep(EVP_PKEY **k) {
    EVP_PKEY_free(*k);
}
static void names_freep(GENERAL_NAMES **names) {
    GENERAL_NAMES_free(*names);
}
static void file_closep(FILE **f) {
    if (*f) fclose(*f);
}

static GENERAL_NAME *name_made(const char *text) {
    GENERAL_NAME *name = GENERAL_NAME_new();
    uint8_t address[16];
    int n = inet_pton(AF_INET, text, address) == 1 ? 4 : inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
    ASN1_STRING *value = n ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    INVARIANT(name && value && ASN1_STRING_set(value, n ? (const void *)address : text, n ? n : -1));
    GENERAL_NAME_set0_value(name, n ? GEN_IPADD : GEN_DNS, value);
    return name;
}

static int serial_set(X509 *x) {
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    return ok;
}

static int usage_add(X509 *x, int nid, const char *value) {
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    int ok = ext && X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    return ok;
}

static X509 *certificate_made(EVP_PKEY *key, const char *const *names, size_t n) {
    X509 *x CLEANUP(x509_freep) = X509_new();
    GENERAL_NAMES *alt CLEANUP(names_freep) = GENERAL_NAMES_new();
    INVARIANT(x && alt);
    for (size_t i = 0; i < n; i++) INVARIANT(sk_GENERAL_NAME_push(alt, name_made(names[i])) > 0);
    X509_NAME *subject = X509_get_subject_name(x);
    const unsigned char *common = (const unsigned char *)(strlen(names[0]) <= 64 ? names[0] : "lianfang");
    bool ok = X509_set_version(x, X509_VERSION_3) && serial_set(x) && X509_gmtime_adj(X509_getm_notBefore(x), -DAY_SECONDS) &&
              X509_gmtime_adj(X509_getm_notAfter(x), (long)(DAYS - 1) * DAY_SECONDS) && X509_set_pubkey(x, key) &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, common, -1, -1, 0) && X509_set_issuer_name(x, subject) &&
              X509_add1_ext_i2d(x, NID_subject_alt_name, alt, 0, X509V3_ADD_DEFAULT) &&
              usage_add(x, NID_basic_constraints, "critical,CA:FALSE") && usage_add(x, NID_key_usage, "critical,digitalSignature") &&
              usage_add(x, NID_ext_key_usage, "serverAuth") && X509_sign(x, key, EVP_sha256());
    return ok ? TAKE(x) : NULL;
}

/* Only a new file: a key that is in use must not be lost. */
static FILE *file_new(const char *path, unsigned mode, struct err *e) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) err_set(e, ERR_IO, NULL, M_FILE, path, strerrordesc_np(errno));
    return f;
}

static int file_done(FILE *f, bool written, const char *path, struct err *e) {
    bool ok = written && fflush(f) == 0 && fsync(fileno(f)) == 0;
    return ok ? 0 : tls_error(e, path);
}

int http_self_signed(const char *cert_path, const char *key_path, const char *const *names, size_t n, struct err *e) {
    INVARIANT(n > 0);
    EVP_PKEY *key CLEANUP(key_freep) = EVP_EC_gen("P-256");
    X509 *x CLEANUP(x509_freep) = key ? certificate_made(key, names, n) : NULL;
    if (!x) return tls_error(e, cert_path);
    FILE *k CLEANUP(file_closep) = file_new(key_path, 0600, e);
    if (!k) return -1;
    TRY(file_done(k, PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL), key_path, e));
    FILE *c CLEANUP(file_closep) = file_new(cert_path, 0644, e);
    if (!c) return -1;
    return file_done(c, PEM_write_X509(c, x), cert_path, e);
}

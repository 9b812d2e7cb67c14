/* The key of a site, 32 random bytes in a file of its own.  Losing it loses every sealed value, so it is on the disk before
 * anything is sealed by it, and nothing ever writes over it. */
#include "crypto_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MASTER = crypto_kdf_KEYBYTES, SUBKEY_SEAL = 1, SUBKEY_FIND, SUBKEY_PROVE };
_Static_assert(MASTER == 32, "the key file holds 32 bytes");

void site_key_derive(const uint8_t master[32], struct site_key *ret) {
    static const char context[crypto_kdf_CONTEXTBYTES] = {'l', 'i', 'a', 'n', 'f', 'a', 'n', 'g'};
    crypto_kdf_derive_from_key(ret->seal, sizeof ret->seal, SUBKEY_SEAL, context, master);
    crypto_kdf_derive_from_key(ret->find, sizeof ret->find, SUBKEY_FIND, context, master);
    crypto_kdf_derive_from_key(ret->prove, sizeof ret->prove, SUBKEY_PROVE, context, master);
}

void site_key_wipe(struct site_key *k) {
    sodium_memzero(k, sizeof *k);
}

static int fail(const char *path, int system_error, struct err *e) {
    enum err_code code = ERR_IO;
    if (system_error == ENOENT) code = ERR_NOT_FOUND;
    if (system_error == ENOSPC || system_error == EDQUOT) code = ERR_STORAGE_FULL;
    if (system_error == EEXIST) code = ERR_CONFLICT;
    return err_set(e, code, NULL, M_FILE, path, strerror(system_error));
}

/* 0 or what errno says. */
static int write_and_sync(int fd, const uint8_t master[32]) {
    errno = EIO;
    bool ok = write(fd, master, MASTER) == MASTER && fsync(fd) == 0;
    int failed = ok ? 0 : errno;
    if (close(fd) && !failed) failed = errno;
    return failed;
}

static int sync_folder_of(const char *path) {
    struct arena a CLEANUP(arena_release) = {0};
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_printf(&a, "%.*s/", (int)(slash - path), path) : ".";
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int failed = fsync(fd) ? errno : 0;
    close(fd);
    return failed;
}

/* By way of another name: a key file is either whole or not there.  link() refuses a name that is taken. */
static int store(const char *path, const uint8_t master[32]) {
    struct arena a CLEANUP(arena_release) = {0};
    char *draft = arena_printf(&a, "%s.XXXXXX", path);
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0) return errno;
    int failed = write_and_sync(fd, master);
    if (!failed && link(draft, path)) failed = errno;
    unlink(draft);
    return failed ? failed : sync_folder_of(path);
}

int site_key_create(const char *path, struct site_key *ret, struct err *e) {
    uint8_t master[MASTER];
    crypto_kdf_keygen(master);
    int failed = store(path, master);
    if (!failed) site_key_derive(master, ret);
    sodium_memzero(master, sizeof master);
    return failed ? fail(path, failed, e) : 0;
}

static int check_file(int fd, const char *path, struct err *e) {
    struct stat st;
    if (fstat(fd, &st)) return fail(path, errno, e);
    if (!S_ISREG(st.st_mode)) return fail(path, EINVAL, e);
    if (st.st_mode & 077) return err_set(e, ERR_IO, NULL, M_KEY_MODE, path);
    char sizes[64];
    snprintf(sizes, sizeof sizes, "%lld B ≠ %d B", (long long)st.st_size, MASTER);
    return st.st_size == MASTER ? 0 : err_set(e, ERR_CORRUPT, NULL, M_FILE_DAMAGED, path, sizes);
}

static int read_master(int fd, const char *path, uint8_t master[32], struct err *e) {
    TRY(check_file(fd, path, e));
    ssize_t n = read(fd, master, MASTER);
    if (n != MASTER) return fail(path, n < 0 ? errno : EIO, e);
    /* What a file system may leave of a file after a power cut. */
    if (sodium_is_zero(master, MASTER)) return err_set(e, ERR_CORRUPT, NULL, M_FILE_DAMAGED, path, "0");
    return 0;
}

int site_key_load(const char *path, struct site_key *ret, struct err *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail(path, errno, e);
    uint8_t master[MASTER];
    int result = read_master(fd, path, master, e);
    close(fd);
    if (result == 0) site_key_derive(master, ret);
    sodium_memzero(master, sizeof master);
    return result;
}

#include "db/db_sqlite_log.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { FRAME_HEAD = 24, GATHERED_MOST = 120 << 10 }; /* the usual VFS takes less than 128 KiB at a time */

struct log_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind this one */
    char *gathered;
    int n;
    sqlite3_int64 end; /* of all that was written, gathered or not; -1: an error left that open */
    bool commits;      /* the frame that is being written */
};

static struct log_file *log_of(sqlite3_file *f) {
    return (struct log_file *)f;
}

static int flush(struct log_file *l) {
    int n = l->n;
    if (n == 0) return SQLITE_OK;
    l->n = 0;
    int rc = l->real->pMethods->xWrite(l->real, l->gathered, n, l->end - n);
    if (rc) l->end = -1;
    return rc;
}

/* What overwrites, as a log that begins anew does, is not held back. */
static int write_through(struct log_file *l, const void *p, int n, sqlite3_int64 at) {
    int rc = flush(l);
    if (rc == SQLITE_OK) rc = l->real->pMethods->xWrite(l->real, p, n, at);
    l->end = rc ? -1 : at + n;
    return rc;
}

/* Bytes 4 to 7 of a frame's head: the size of the database behind this commit, 0 in other frames. */
static bool is_commit(const unsigned char *head) {
    return head[4] || head[5] || head[6] || head[7];
}

static int log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
    struct log_file *l = log_of(f);
    bool is_head = n == FRAME_HEAD;
    if (is_head) l->commits = is_commit(p);
    if (at != l->end || n > GATHERED_MOST) return write_through(l, p, n, at);
    if (l->n + n > GATHERED_MOST) {
        int rc = flush(l);
        if (rc) return rc;
    }
    memcpy(l->gathered + l->n, p, (size_t)n);
    l->n += n;
    l->end += n;
    return l->commits && !is_head ? flush(l) : SQLITE_OK;
}

static int log_close(sqlite3_file *f) {
    struct log_file *l = log_of(f);
    int rc = flush(l), closed = l->real->pMethods->xClose(l->real);
    free(l->gathered);
    return rc ? rc : closed;
}

static int log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) {
    int rc = flush(log_of(f));
    return rc ? rc : log_of(f)->real->pMethods->xRead(log_of(f)->real, p, n, at);
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 size) {
    int rc = flush(log_of(f));
    return rc ? rc : log_of(f)->real->pMethods->xTruncate(log_of(f)->real, size);
}

static int log_sync(sqlite3_file *f, int flags) {
    int rc = flush(log_of(f));
    return rc ? rc : log_of(f)->real->pMethods->xSync(log_of(f)->real, flags);
}

static int log_size(sqlite3_file *f, sqlite3_int64 *ret) {
    int rc = flush(log_of(f));
    return rc ? rc : log_of(f)->real->pMethods->xFileSize(log_of(f)->real, ret);
}

static int log_lock(sqlite3_file *f, int level) {
    return log_of(f)->real->pMethods->xLock(log_of(f)->real, level);
}

static int log_unlock(sqlite3_file *f, int level) {
    return log_of(f)->real->pMethods->xUnlock(log_of(f)->real, level);
}

static int log_reserved(sqlite3_file *f, int *ret) {
    return log_of(f)->real->pMethods->xCheckReservedLock(log_of(f)->real, ret);
}

static int log_control(sqlite3_file *f, int what, void *arg) {
    return log_of(f)->real->pMethods->xFileControl(log_of(f)->real, what, arg);
}

static int log_sector(sqlite3_file *f) {
    return log_of(f)->real->pMethods->xSectorSize(log_of(f)->real);
}

static int log_device(sqlite3_file *f) {
    return log_of(f)->real->pMethods->xDeviceCharacteristics(log_of(f)->real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1, .xClose = log_close, .xRead = log_read, .xWrite = log_write, .xTruncate = log_truncate, .xSync = log_sync, .xFileSize = log_size,
    .xLock = log_lock, .xUnlock = log_unlock, .xCheckReservedLock = log_reserved, .xFileControl = log_control, .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_device,
};

static sqlite3_vfs *usual, own;

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags) {
    (void)vfs;
    if (!(flags & SQLITE_OPEN_WAL)) return usual->xOpen(usual, name, f, flags, ret_flags);
    struct log_file *l = log_of(f);
    *l = (struct log_file){.real = (sqlite3_file *)(l + 1), .end = -1, .gathered = malloc(GATHERED_MOST)};
    if (!l->gathered) return SQLITE_NOMEM;
    l->real->pMethods = NULL;
    int rc = usual->xOpen(usual, name, l->real, flags, ret_flags);
    if (rc == SQLITE_OK) l->base.pMethods = &log_methods;
    else free(l->gathered);
    return rc;
}

const char *db_sqlite_log_vfs(void) {
    usual = sqlite3_vfs_find(NULL);
    if (!usual) return NULL;
    own = *usual;
    own.pNext = NULL;
    own.zName = "lianfang";
    own.szOsFile = (int)sizeof(struct log_file) + usual->szOsFile;
    own.xOpen = vfs_open;
    return sqlite3_vfs_register(&own, 0) == SQLITE_OK ? own.zName : NULL;
}

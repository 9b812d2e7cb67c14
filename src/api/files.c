#include "api/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_SECONDS = 24 * 3600 };

static void sweep(const char *dir) {
    DIR *d = opendir(dir);
    struct dirent *x;
    struct stat st;
    if (!d) return;
    time_t now = time(NULL);
    while ((x = readdir(d)))
        if (x->d_name[0] != '.' && fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_mtime + KEPT_SECONDS < now)
            unlinkat(dirfd(d), x->d_name, 0);
    closedir(d);
}

int files_dir(struct request *rq, const char **ret, struct err *e) {
    char path[600];
    site_path(path, rq->site->dir, "imports");
    if (mkdir(path, 0700) && errno != EEXIST) return err_set(e, ERR_IO, NULL, M_FILE, "imports", strerrordesc_np(errno));
    sweep(path);
    *ret = arena_strz(rq->a, str_z(path));
    return 0;
}

int files_read(struct request *rq, const char *path, struct err *e) {
    enum { PIECE = 65536 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *room;
    ssize_t n = -1;
    if (fd < 0) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_ROUTE);
    while ((room = buf_room(rq->out, PIECE)) && (n = read(fd, room, PIECE)) > 0) buf_grew(rq->out, (size_t)n);
    close(fd);
    return n < 0 ? err_set(e, ERR_IO, NULL, M_FILE, "imports", "") : 0;
}

void files_attach(struct request *rq, const char *name, const char *type) {
    http_add_header(rq->call, "Content-Disposition", arena_printf(rq->a, "attachment; filename=\"%s\"", name));
    rq->type = type;
}

#include "bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/day.h"

static int failed(const char *what, struct err *e) {
    return err_set(e, ERR_IO, NULL, M_FILE, what, strerrordesc_np(errno));
}

/* In the child: dies with its parent, also with one that has died already. */
static void die_with(pid_t parent, int signal_number) {
    prctl(PR_SET_PDEATHSIG, signal_number);
    if (getppid() != parent) _exit(1);
}

static ssize_t read_all(int fd, void *to, size_t n) {
    size_t got = 0;
    while (got < n) {
        ssize_t r = read(fd, (char *)to + got, n - got);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

static void tell(int fd, const void *p, size_t n) {
    if (write(fd, p, n) != (ssize_t)n) _exit(1);
}

/* ---- work ---- */

struct outcome {
    int r;
    struct err e;
};

static void NORETURN do_work(int (*work)(const void *arg, void *ret, struct err *e), const void *arg, void *ret, size_t n, int to) {
    struct outcome o = {.r = 0};
    o.r = work(arg, ret, &o.e);
    tell(to, &o, sizeof o);
    tell(to, ret, n);
    _exit(0);
}

int process_run(int (*work)(const void *arg, void *ret, struct err *e), const void *arg, void *ret, size_t n, struct err *e) {
    int pipes[2];
    pid_t parent = getpid();
    struct outcome o;
    if (pipe2(pipes, O_CLOEXEC)) return failed("pipe", e);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return failed("fork", e);
    if (pid == 0) {
        die_with(parent, SIGKILL);
        do_work(work, arg, ret, n, pipes[1]);
    }
    close(pipes[1]);
    /* A pipe holds more than both. */
    bool told = read_all(pipes[0], &o, sizeof o) == (ssize_t)sizeof o && read_all(pipes[0], ret, n) == (ssize_t)n;
    close(pipes[0]);
    waitpid(pid, NULL, 0);
    if (!told) return err_set(e, ERR_IO, NULL, M_TEXT, "a process of the bench died");
    if (o.r) *e = o.e;
    return o.r;
}

/* ---- this program again ---- */

/* out -1: the log takes both. */
static void NORETURN become(const char *const argv[], const char *log, int out) {
    int err = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (err < 0 || dup2(out < 0 ? err : out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) _exit(1);
    execv("/proc/self/exe", (char *const *)argv);
    _exit(1);
}

static int said_last(const char *log, const char *otherwise, struct err *e) {
    char text[512] = "";
    FILE *f = fopen(log, "r");
    while (f && fgets(text, sizeof text, f)) continue;
    if (f) fclose(f);
    struct str last = str_trim(str_z(text));
    text[last.p - text + (ptrdiff_t)last.n] = 0;
    return err_set(e, ERR_IO, NULL, M_TEXT, last.n ? last.p : otherwise);
}

int process_exec(const char *const argv[], const char *out, struct process_cost *ret, struct err *e) {
    pid_t parent = getpid();
    int64_t began = monotonic_us();
    struct rusage used;
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return failed("fork", e);
    if (pid == 0) {
        die_with(parent, SIGTERM);
        become(argv, out, -1);
    }
    if (wait4(pid, &status, 0, &used) != pid) return failed("wait", e);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) return said_last(out, argv[1], e);
    *ret = (struct process_cost){
        .us = monotonic_us() - began,
        .cpu_us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * US_PER_SECOND + used.ru_utime.tv_usec + used.ru_stime.tv_usec,
    };
    return 0;
}

/* ---- services ---- */

int service_fork(int (*serve)(const void *arg, int tell, int hold, struct err *e), const void *arg, struct service *ret, struct err *e) {
    int out[2], hold[2];
    pid_t parent = getpid();
    struct err why;
    int32_t port = 0;
    if (pipe2(out, O_CLOEXEC) || pipe2(hold, O_CLOEXEC)) return failed("pipe", e);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return failed("fork", e);
    if (pid == 0) {
        die_with(parent, SIGKILL);
        close(hold[1]);
        _exit(serve(arg, out[1], hold[0], &why) ? 1 : 0);
    }
    close(out[1]);
    close(hold[0]);
    *ret = (struct service){.pid = pid, .hold = hold[1]};
    bool told = read_all(out[0], &port, sizeof port) == (ssize_t)sizeof port;
    close(out[0]);
    ret->port = port;
    if (told) return 0;
    service_end(ret);
    return err_set(e, ERR_IO, NULL, M_TEXT, "the bare server does not start");
}


/* Reads until the port has been said; what a server that ends has complained about last is in its log. */
static int heard_port(int fd) {
    struct buf said CLEANUP(buf_release) = BUF(1 << 16);
    char *to;
    ssize_t n;
    while ((to = buf_room(&said, 1024)) && (n = read(fd, to, 1024)) > 0) {
        struct str rest, line;
        buf_grew(&said, (size_t)n);
        rest = buf_str(&said);
        while (str_find_char(rest, '\n') >= 0 && str_cut(&rest, '\n', &line)) {
            int64_t port;
            if (!str_starts(line, STR("listening on "))) continue;
            const char *colon = memrchr(line.p, ':', line.n);
            if (colon && str_to_int((struct str){colon + 1, (size_t)(line.p + line.n - colon - 1)}, 1, 65535, &port)) return (int)port;
        }
    }
    return 0;
}

int service_exec(const char *const argv[], const char *log, struct service *ret, struct err *e) {
    int out[2];
    pid_t parent = getpid();
    if (pipe2(out, O_CLOEXEC)) return failed("pipe", e);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return failed("fork", e);
    if (pid == 0) {
        die_with(parent, SIGTERM);
        become(argv, log, out[1]);
    }
    close(out[1]);
    *ret = (struct service){.pid = pid, .hold = out[0]}; /* open as long as it runs: it may say more */
    ret->port = heard_port(out[0]);
    if (ret->port) return 0;
    service_end(ret);
    return said_last(log, "the server does not start", e);
}

void service_end(struct service *s) {
    if (s->pid <= 0) return;
    kill(s->pid, SIGTERM);
    close(s->hold);
    waitpid(s->pid, NULL, 0);
    *s = (struct service){0};
}

/* ---- what a process has used ---- */

static struct str proc_file(pid_t pid, const char *name, char *text, size_t cap) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read_all(fd, text, cap);
    if (fd >= 0) close(fd);
    return n > 0 ? (struct str){text, (size_t)n} : STR_NONE;
}

int64_t service_cpu_us(const struct service *s) {
    enum { UTIME = 11, STIME = 12 }; /* counted from behind the program's name, which may hold anything */
    char text[1024];
    struct str rest = proc_file(s->pid, "stat", text, sizeof text), word;
    int64_t ticks = 0, v;
    const char *end = rest.n ? memrchr(rest.p, ')', rest.n) : NULL;
    if (!end) return 0;
    rest = str_sub(rest, (size_t)(end - rest.p) + 2, rest.n);
    for (int i = 0; str_cut(&rest, ' ', &word); i++)
        if ((i == UTIME || i == STIME) && str_to_int(word, 0, INT64_MAX, &v)) ticks += v;
    return ticks * US_PER_SECOND / sysconf(_SC_CLK_TCK);
}

int64_t service_memory_kb(const struct service *s) {
    char text[4096];
    struct str rest = proc_file(s->pid, "status", text, sizeof text), line, word;
    int64_t kb = 0;
    while (str_cut(&rest, '\n', &line)) {
        if (!str_starts(line, STR("VmHWM:"))) continue;
        line = str_trim(str_sub(line, 6, line.n));
        if (str_cut(&line, ' ', &word)) str_to_int(word, 0, INT64_MAX, &kb);
    }
    return kb;
}

/* ---- the keeper ---- */

/* All that is started later inherits the writing end, so its end is the end of all of them. */
int keeper_start(void (*clear)(const char *dir), const char *dir, struct keeper *ret, struct err *e) {
    int hold[2];
    char c;
    if (pipe(hold)) return failed("pipe", e);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return failed("fork", e);
    if (pid == 0) {
        close(hold[1]);
        setsid(); /* Ctrl-C ends the bench, not who clears up behind it */
        while (read(hold[0], &c, 1) < 0 && errno == EINTR) continue;
        clear(dir);
        _exit(0);
    }
    close(hold[0]);
    *ret = (struct keeper){pid, hold[1]};
    return 0;
}

void keeper_end(struct keeper *k) {
    if (k->pid <= 0) return;
    close(k->hold);
    waitpid(k->pid, NULL, 0);
    *k = (struct keeper){0};
}

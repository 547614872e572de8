/* Counts the calls that change a disk, over all processes that share the file $FAULT_FILE, and lets the one fail or
   kills the process at the one whose number is asked for there. Reads of the files below $FAULT_READS, Git's aside, are
   counted for themselves, and one of them may fail. Loaded with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { FAIL, KILL, READ };
struct plan {
    long count; /* calls so far that change */
    long reads; /* reads so far */
    long at;    /* the one that fails; 0 for none, -1 while nothing counts */
    long kind;  /* a change that fails or kills, or a read that fails */
};
static struct plan *plan;
static const char *watched;

__attribute__((constructor)) static void load(void) {
    const char *name = getenv("FAULT_FILE");
    int file = name ? open(name, O_RDWR) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) plan = found;
    close(file);
    watched = getenv("FAULT_READS");
}

static int fails(void) {
    if (!plan || plan->at < 0) return 0;
    long number = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);
    if (plan->kind == READ || number != plan->at) return 0;
    if (plan->kind == KILL) kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return 1;
}

static int is_watched(int file) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return !strncmp(path, watched, strlen(watched)) && !strstr(path, "/.git/");
}

static int read_fails(int file) {
    if (!plan || plan->at < 0 || !watched || !is_watched(file)) return 0;
    long number = __atomic_add_fetch(&plan->reads, 1, __ATOMIC_SEQ_CST);
    if (plan->kind != READ || number != plan->at) return 0;
    errno = EIO;
    return 1;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name);

ssize_t read(int file, void *data, size_t size) {
    REAL(ssize_t, read, int, void *, size_t)
    return read_fails(file) ? -1 : real(file, data, size);
}
ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t)
    return file > 2 && fails() ? -1 : real(file, data, size);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
    return fails() ? -1 : real(file, data, size, at);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
    REAL(ssize_t, sendfile64, int, int, off64_t *, size_t)
    return fails() ? -1 : real(to, from, at, size);
}
int fsync(int file) {
    REAL(int, fsync, int)
    return fails() ? -1 : real(file);
}
int syncfs(int file) {
    REAL(int, syncfs, int)
    return fails() ? -1 : real(file);
}
int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *)
    return fails() ? -1 : real(from, to);
}
int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *)
    return fails() ? -1 : real(from, to);
}
int unlink(const char *path) {
    REAL(int, unlink, const char *)
    return fails() ? -1 : real(path);
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t)
    return fails() ? -1 : real(path, mode);
}
int ftruncate64(int file, off64_t size) {
    REAL(int, ftruncate64, int, off64_t)
    return fails() ? -1 : real(file, size);
}
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, name, const char *, int, ...) \
        mode_t mode = 0; \
        if (flags & O_CREAT) { \
            __builtin_va_list rest; \
            __builtin_va_start(rest, flags); \
            mode = __builtin_va_arg(rest, int); \
            __builtin_va_end(rest); \
            if (fails()) return -1; \
        } \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

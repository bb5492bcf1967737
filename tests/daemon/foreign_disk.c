/* Below the folder FOREIGN_DISK, a file system without what only those of Linux have: no links, no rename that replaces
   nothing, no modes, no syncing of folders, no unnamed files. Below FOREIGN_LOCKS there are no file locks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int below(const char *variable, const char *path) {
    const char *folder = getenv(variable);
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}
static int is_foreign(const char *path) { return below("FOREIGN_DISK", path); }
static int file_is_below(const char *variable, int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(variable, path);
}
static int fail(int error) { return errno = error, -1; }

int symlink(const char *target, const char *path) {
    return is_foreign(path) ? fail(EPERM) : REAL(symlink)(target, path);
}
int link(const char *from, const char *to) { return is_foreign(to) ? fail(EPERM) : REAL(link)(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    return is_foreign(to) ? fail(EPERM) : REAL(linkat)(a, from, b, to, flags);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned int flags) {
    return flags && is_foreign(to) ? fail(EINVAL) : REAL(renameat2)(a, from, b, to, flags);
}
int chmod(const char *path, mode_t mode) { return is_foreign(path) ? fail(EPERM) : REAL(chmod)(path, mode); }
int fchmod(int file, mode_t mode) {
    return file_is_below("FOREIGN_DISK", file) ? fail(EPERM) : REAL(fchmod)(file, mode);
}
int fsync(int file) {
    struct stat state;
    int is_folder = fstat(file, &state) == 0 && S_ISDIR(state.st_mode);
    return is_folder && file_is_below("FOREIGN_DISK", file) ? fail(EINVAL) : REAL(fsync)(file);
}
int flock(int file, int operation) {
    return file_is_below("FOREIGN_LOCKS", file) ? fail(ENOLCK) : REAL(flock)(file, operation);
}

/* Names as FAT and Windows have them. */
static int is_refused(const char *path) {
    const char *name = path ? strrchr(path, '/') : NULL;
    return name && is_foreign(path) && strpbrk(name, ":*?\"<>|");
}
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (is_refused(path)) return fail(EINVAL);
    if ((flags & O_TMPFILE) == O_TMPFILE && is_foreign(path)) return fail(EOPNOTSUPP);
    return REAL(open64)(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open64(path, flags, mode);
}

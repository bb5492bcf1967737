// Loaded into a process (LD_PRELOAD), it makes paths hang as a share does whose server is gone: a call about a file on
// or below a path of HANG_PATHS (separated by colons; the Nth, from 0) does not return while the file N is in the folder
// HANG_CONTROL. It acts in the program HANG_PROGRAM alone, and not in the programs that this one starts.
//
// What a call is about is told from its path, or from where the file of its descriptor was. Symbolic links are not
// followed, so a path through one is not below the path that it leads to. `close`, `mmap` and `ioctl` never hang.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_PATHS 8
#define POLL_MS 20

static char *paths[MAX_PATHS];
static char controls[MAX_PATHS][PATH_MAX];
static int path_count;

static long (*raw)(long, ...);

static void find_syscall(void) {
  if (!raw) raw = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
}

__attribute__((constructor)) static void read_environment(void) {
  find_syscall();
  const char *program = getenv("HANG_PROGRAM"), *list = getenv("HANG_PATHS"), *folder = getenv("HANG_CONTROL");
  if (!program || !list || !folder || strcmp(program, program_invocation_short_name) != 0) return;
  char *rest = strdup(list), *path;
  while (path_count < MAX_PATHS && (path = strsep(&rest, ":"))) {
    snprintf(controls[path_count], PATH_MAX, "%s/%d", folder, path_count);
    paths[path_count++] = path;
  }
}

static int hangs(int n) { return raw(SYS_faccessat, AT_FDCWD, controls[n], F_OK) == 0; }

static int any_hangs(void) {
  for (int n = 0; n < path_count; n++)
    if (hangs(n)) return 1;
  return 0;
}

// Waits while an absolute path hangs.
static void wait_for(const char *path) {
  for (int n = 0; n < path_count; n++) {
    size_t length = strlen(paths[n]);
    if (strncmp(path, paths[n], length) != 0 || (path[length] != '/' && path[length] != 0)) continue;
    struct timespec pause = {0, POLL_MS * 1000000L};
    while (hangs(n)) raw(SYS_nanosleep, &pause, NULL);
  }
}

// Where the file of a descriptor is, or the current folder; empty where it is none.
static void place_of(int fd, char *place) {
  char link[64];
  if (fd == AT_FDCWD)
    snprintf(link, sizeof link, "/proc/self/cwd");
  else
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = raw(SYS_readlinkat, AT_FDCWD, link, place, PATH_MAX - 1);
  place[length > 0 ? length : 0] = 0;
}

static void await_fd(int fd) {
  int saved = errno;
  if (path_count && any_hangs()) {
    char place[PATH_MAX];
    place_of(fd, place);
    wait_for(place);
  }
  errno = saved;
}

static void await_at(int folder, const char *path) {
  int saved = errno;
  int fd, length = 0;
  if (!path_count || !any_hangs()) return;
  if (!path || !*path) {
    await_fd(folder);
  } else if (sscanf(path, "/proc/self/fd/%d%n", &fd, &length) == 1) {
    await_at(fd, path[length] == '/' ? path + length + 1 : "");
  } else if (*path == '/') {
    wait_for(path);
  } else {
    char whole[2 * PATH_MAX];
    place_of(folder, whole);
    while (path[0] == '.' && path[1] == '/') path += 2;
    if (strcmp(path, ".") != 0) {
      size_t end = strlen(whole);
      snprintf(whole + end, sizeof whole - end, "/%s", path);
    }
    wait_for(whole);
  }
  errno = saved;
}

static void await_path(const char *path) { await_at(AT_FDCWD, path); }

// A function that waits and then does what the C library's does: its type, its name, its parameters, what it is
// about, its arguments.
#define HANGING(type, name, parameters, about, arguments) \
  type name parameters {                                  \
    static type(*next) parameters;                        \
    about;                                                \
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name); \
    return next arguments;                                \
  }

// The same for the functions that take a mode only where a file is made.
#define OPENING(name, parameters, about, flags, arguments)    \
  int name parameters {                                       \
    static int(*next) parameters;                             \
    mode_t mode = 0;                                          \
    if (flags & (O_CREAT | __O_TMPFILE)) {                    \
      va_list rest;                                           \
      va_start(rest, flags);                                  \
      mode = va_arg(rest, mode_t);                            \
      va_end(rest);                                           \
    }                                                         \
    about;                                                    \
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name);     \
    return next arguments;                                    \
  }

OPENING(open, (const char *path, int flags, ...), await_path(path), flags, (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), await_path(path), flags, (path, flags, mode))
OPENING(openat, (int folder, const char *path, int flags, ...), await_at(folder, path), flags, (folder, path, flags, mode))
OPENING(openat64, (int folder, const char *path, int flags, ...), await_at(folder, path), flags, (folder, path, flags, mode))

// On folders and names.
HANGING(DIR *, opendir, (const char *path), await_path(path), (path))
HANGING(struct dirent *, readdir, (DIR *folder), await_fd(dirfd(folder)), (folder))
HANGING(struct dirent64 *, readdir64, (DIR *folder), await_fd(dirfd(folder)), (folder))
HANGING(int, mkdir, (const char *path, mode_t mode), await_path(path), (path, mode))
HANGING(int, mkdirat, (int folder, const char *path, mode_t mode), await_at(folder, path), (folder, path, mode))
HANGING(int, rmdir, (const char *path), await_path(path), (path))
HANGING(int, unlink, (const char *path), await_path(path), (path))
HANGING(int, unlinkat, (int folder, const char *path, int flags), await_at(folder, path), (folder, path, flags))
HANGING(int, rename, (const char *from, const char *to), await_path(from); await_path(to), (from, to))
HANGING(int, renameat, (int one, const char *from, int other, const char *to),
        await_at(one, from); await_at(other, to), (one, from, other, to))
HANGING(int, renameat2, (int one, const char *from, int other, const char *to, unsigned flags),
        await_at(one, from); await_at(other, to), (one, from, other, to, flags))
HANGING(int, link, (const char *from, const char *to), await_path(from); await_path(to), (from, to))
HANGING(int, linkat, (int one, const char *from, int other, const char *to, int flags),
        await_at(one, from); await_at(other, to), (one, from, other, to, flags))
HANGING(int, symlink, (const char *target, const char *path), await_path(path), (target, path))
HANGING(int, symlinkat, (const char *target, int folder, const char *path), await_at(folder, path), (target, folder, path))
HANGING(ssize_t, readlink, (const char *path, char *to, size_t size), await_path(path), (path, to, size))
HANGING(ssize_t, readlinkat, (int folder, const char *path, char *to, size_t size), await_at(folder, path),
        (folder, path, to, size))
HANGING(char *, realpath, (const char *path, char *to), await_path(path), (path, to))
HANGING(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), await_path(path), (fd, path, mask))

// On what is known of a file.
HANGING(int, access, (const char *path, int mode), await_path(path), (path, mode))
HANGING(int, faccessat, (int folder, const char *path, int mode, int flags), await_at(folder, path),
        (folder, path, mode, flags))
HANGING(int, stat, (const char *path, struct stat *to), await_path(path), (path, to))
HANGING(int, stat64, (const char *path, struct stat64 *to), await_path(path), (path, to))
HANGING(int, lstat, (const char *path, struct stat *to), await_path(path), (path, to))
HANGING(int, lstat64, (const char *path, struct stat64 *to), await_path(path), (path, to))
HANGING(int, fstat, (int fd, struct stat *to), await_fd(fd), (fd, to))
HANGING(int, fstat64, (int fd, struct stat64 *to), await_fd(fd), (fd, to))
HANGING(int, fstatat, (int folder, const char *path, struct stat *to, int flags), await_at(folder, path),
        (folder, path, to, flags))
HANGING(int, fstatat64, (int folder, const char *path, struct stat64 *to, int flags), await_at(folder, path),
        (folder, path, to, flags))
HANGING(int, statx, (int folder, const char *path, int flags, unsigned mask, struct statx *to), await_at(folder, path),
        (folder, path, flags, mask, to))
HANGING(int, statfs, (const char *path, struct statfs *to), await_path(path), (path, to))
HANGING(int, statfs64, (const char *path, struct statfs64 *to), await_path(path), (path, to))
HANGING(int, fstatfs, (int fd, struct statfs *to), await_fd(fd), (fd, to))
HANGING(int, fstatfs64, (int fd, struct statfs64 *to), await_fd(fd), (fd, to))
HANGING(int, statvfs, (const char *path, struct statvfs *to), await_path(path), (path, to))
HANGING(int, statvfs64, (const char *path, struct statvfs64 *to), await_path(path), (path, to))
HANGING(int, fstatvfs, (int fd, struct statvfs *to), await_fd(fd), (fd, to))
HANGING(int, fstatvfs64, (int fd, struct statvfs64 *to), await_fd(fd), (fd, to))
HANGING(int, chmod, (const char *path, mode_t mode), await_path(path), (path, mode))
HANGING(int, fchmod, (int fd, mode_t mode), await_fd(fd), (fd, mode))
HANGING(int, fchmodat, (int folder, const char *path, mode_t mode, int flags), await_at(folder, path),
        (folder, path, mode, flags))
HANGING(int, utimensat, (int folder, const char *path, const struct timespec times[2], int flags), await_at(folder, path),
        (folder, path, times, flags))
HANGING(int, futimens, (int fd, const struct timespec times[2]), await_fd(fd), (fd, times))

// On what is in a file.
HANGING(ssize_t, read, (int fd, void *to, size_t size), await_fd(fd), (fd, to, size))
HANGING(ssize_t, readv, (int fd, const struct iovec *to, int count), await_fd(fd), (fd, to, count))
HANGING(ssize_t, pread, (int fd, void *to, size_t size, off_t at), await_fd(fd), (fd, to, size, at))
HANGING(ssize_t, pread64, (int fd, void *to, size_t size, off64_t at), await_fd(fd), (fd, to, size, at))
HANGING(ssize_t, write, (int fd, const void *from, size_t size), await_fd(fd), (fd, from, size))
HANGING(ssize_t, writev, (int fd, const struct iovec *from, int count), await_fd(fd), (fd, from, count))
HANGING(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), await_fd(fd), (fd, from, size, at))
HANGING(ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at), await_fd(fd), (fd, from, size, at))
HANGING(int, fsync, (int fd), await_fd(fd), (fd))
HANGING(int, fdatasync, (int fd), await_fd(fd), (fd))
HANGING(int, ftruncate, (int fd, off_t size), await_fd(fd), (fd, size))
HANGING(int, ftruncate64, (int fd, off64_t size), await_fd(fd), (fd, size))
HANGING(int, flock, (int fd, int operation), await_fd(fd), (fd, operation))
HANGING(ssize_t, copy_file_range, (int from, off64_t *at, int to, off64_t *there, size_t size, unsigned flags),
        await_fd(from); await_fd(to), (from, at, to, there, size, flags))
HANGING(ssize_t, sendfile, (int to, int from, off_t *at, size_t size), await_fd(from); await_fd(to), (to, from, at, size))
HANGING(ssize_t, sendfile64, (int to, int from, off64_t *at, size_t size), await_fd(from); await_fd(to),
        (to, from, at, size))
HANGING(ssize_t, splice, (int from, off64_t *at, int to, off64_t *there, size_t size, unsigned flags),
        await_fd(from); await_fd(to), (from, at, to, there, size, flags))

// What has no function in the C library, as `openat2`.
long syscall(long number, ...) {
  long arguments[6];
  va_list rest;
  va_start(rest, number);
  for (int n = 0; n < 6; n++) arguments[n] = va_arg(rest, long);
  va_end(rest);
  find_syscall();
  switch (number) {
    case SYS_openat2:
    case SYS_statx:
      await_at((int)arguments[0], (const char *)arguments[1]);
      break;
    case SYS_copy_file_range:
      await_fd((int)arguments[0]);
      await_fd((int)arguments[2]);
      break;
    case SYS_renameat2:
      await_at((int)arguments[0], (const char *)arguments[1]);
      await_at((int)arguments[2], (const char *)arguments[3]);
      break;
  }
  return raw(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

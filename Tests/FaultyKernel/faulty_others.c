/* What the faulty kernel has to do with files, random numbers, threads, and the C library's resolver. */
#define _GNU_SOURCE
#include "faulty_calls.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    FAIL_IF_TOLD(FAULTY_OPEN, -1);
    return next(path, flags, mode);
}

int fstat(int fd, struct stat *status)
{
    NEXT(fstat);
    FAIL_IF_TOLD(FAULTY_FSTAT, fd);
    return next(fd, status);
}

int stat(const char *restrict path, struct stat *restrict status)
{
    NEXT(stat);
    FAIL_IF_TOLD(FAULTY_STAT, -1);
    return next(path, status);
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    NEXT(lstat);
    FAIL_IF_TOLD(FAULTY_LSTAT, -1);
    return next(path, status);
}

int unlink(const char *path)
{
    NEXT(unlink);
    FAIL_IF_TOLD(FAULTY_UNLINK, -1);
    return next(path);
}

ssize_t getrandom(void *bytes, size_t n, unsigned flags)
{
    NEXT(getrandom);
    int fault = FAULT(FAULTY_GETRANDOM, -1);
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return next(bytes, fault == FAULTY_SHORT && n > 1 ? 1 : n, flags);
}

int pthread_attr_init(pthread_attr_t *attributes)
{
    NEXT(pthread_attr_init);
    int fault = FAULT(FAULTY_ATTR_INIT, -1);
    return fault > 0 ? fault : next(attributes);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *),
                   void *restrict argument)
{
    NEXT(pthread_create);
    int fault = FAULT(FAULTY_THREAD, -1);
    return fault > 0 ? fault : next(thread, attributes, run, argument);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    NEXT(pthread_key_create);
    int fault = FAULT(FAULTY_KEY, -1);
    return fault > 0 ? fault : next(key, destructor);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    NEXT(pthread_setspecific);
    int fault = FAULT(FAULTY_SETSPECIFIC, -1);
    return fault > 0 ? fault : next(key, value);
}

/* Its codes are its own: what EAI_SYSTEM means is in errno. */
int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    NEXT(getaddrinfo);
    int fault = FAULT(FAULTY_GETADDRINFO, -1);
    errno = fault == EAI_SYSTEM ? EMFILE : errno;
    return fault != 0 ? fault : next(host, service, hints, found);
}

int getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host, socklen_t host_room,
                char *restrict service, socklen_t service_room, int flags)
{
    NEXT(getnameinfo);
    int fault = FAULT(FAULTY_GETNAMEINFO, -1);
    errno = fault == EAI_SYSTEM ? EMFILE : errno;
    return fault != 0 ? fault : next(address, length, host, host_room, service, service_room, flags);
}

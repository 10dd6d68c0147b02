#define _GNU_SOURCE
#include "resolver.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

int threads_are_refused;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *lists[2]; /* IPv6, IPv4 */
static int holding[2], inside, held, most, all;

typedef int ask_function(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/** The C library's, for an address that is written as one. */
static int numeric(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct addrinfo as_numeric = *hints;
    ask_function *ask = (ask_function *)dlsym(RTLD_NEXT, "getaddrinfo");
    as_numeric.ai_flags |= AI_NUMERICHOST;
    return ask(host, service, &as_numeric, found);
}

static int scripted(const char *list, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    char copy[1024], *rest = NULL;
    *found = NULL;
    if (list == NULL)
        return EAI_NONAME;
    if (strcmp(list, "again") == 0)
        return EAI_AGAIN;
    if (strcmp(list, "emfile") == 0)
        return errno = EMFILE, EAI_SYSTEM;
    snprintf(copy, sizeof copy, "%s", list);
    struct addrinfo **end = found;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (numeric(word, service, hints, end) == 0)
            end = &(*end)->ai_next;
    }
    return *found != NULL ? 0 : EAI_NONAME;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int flags = hints != NULL ? hints->ai_flags : 0;
    if (host == NULL || strcmp(host, SCRIPTED) != 0 || (flags & AI_NUMERICHOST) != 0)
        return ((ask_function *)dlsym(RTLD_NEXT, "getaddrinfo"))(host, service, hints, found);
    int side = hints->ai_family == AF_INET6 ? 0 : 1;
    pthread_mutex_lock(&mutex);
    all++;
    if (++inside > most)
        most = inside;
    if (holding[side]) {
        held++;
        pthread_cond_broadcast(&changed);
        while (holding[side])
            pthread_cond_wait(&changed, &mutex);
        held--;
    }
    int code = scripted(lists[side], service, hints, found);
    inside--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return code;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (threads_are_refused)
        return EAGAIN;
    return ((create_function *)dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, run, arg);
}

void resolver_answers(const char *six, const char *four)
{
    pthread_mutex_lock(&mutex);
    lists[0] = six;
    lists[1] = four;
    pthread_mutex_unlock(&mutex);
}

void resolver_hold(int family)
{
    pthread_mutex_lock(&mutex);
    holding[0] = family != AF_INET;
    holding[1] = family != AF_INET6;
    pthread_mutex_unlock(&mutex);
}

void resolver_release(void)
{
    pthread_mutex_lock(&mutex);
    holding[0] = holding[1] = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void resolver_wait_for(int wanted)
{
    pthread_mutex_lock(&mutex);
    while (held < wanted)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

void wait_for_threads(void)
{
    int threads = 0;
    do {
        DIR *folder = opendir("/proc/self/task");
        for (threads = -2; readdir(folder) != NULL; threads++) /* less "." and ".." */
            ;
        closedir(folder);
        sched_yield();
    } while (threads > 1);
}

int resolver_most(void)
{
    return most;
}

int resolver_all(void)
{
    return all;
}

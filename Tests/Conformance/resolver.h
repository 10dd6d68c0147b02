/*
 * A resolver that says what the test wants, when the test wants it: getaddrinfo of this program, and so of the library
 * in it, for one name. What else is asked goes to the C library. Also a pthread_create that may refuse.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

/** The name that the script is about. */
#define SCRIPTED "scripted.example"

/** Its addresses from now on, each list separated by blanks; NULL for none, "again" for a temporary
 * failure, "emfile" for one of the system. */
void resolver_answers(const char *six, const char *four);
/** Questions about a family (AF_UNSPEC: both) find no end until resolver_release. */
void resolver_hold(int family);
void resolver_release(void);
/** Waits until so many questions have no end. */
void resolver_wait_for(int held);
/** Waits until every thread has ended but the one that calls. */
void wait_for_threads(void);
/** The most questions that there ever were at once, and all together. */
int resolver_most(void);
int resolver_all(void);
/** From now on, when it is not 0, no thread can be made. */
extern int threads_are_refused;

#endif

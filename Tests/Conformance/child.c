#include "child.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int wrong_line;

void in_child_of(const char *file, int line, void (*what)(void))
{
    int status, wrong = -1, report[2];
    MUST(pipe(report) == 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(20);
        what();
        IGNORE(write(report[1], &wrong_line, sizeof wrong_line) < 0);
        kill(getpid(), SIGKILL); /* nobody is to look for leaks */
    }
    MUST(waitpid(child, &status, 0) == child);
    close(report[1]);
    if (read(report[0], &wrong, sizeof wrong) != sizeof wrong)
        wrong = -1;
    check_at(file, line, wrong == 0, "line %d did not hold in the child, which ended with %#x", wrong,
             (unsigned)status);
    close(report[0]);
}

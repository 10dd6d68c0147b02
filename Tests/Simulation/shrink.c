#include "shrink.h"
#include "application.h"
#include "contexts.h"
#include "simulation.h"

#include <sys/wait.h>
#include <unistd.h>

static void print_command(void)
{
    printf("  simulate %llu", (unsigned long long)chosen.seed);
    if (chosen.connections >= 0)
        printf(" --connections %d", chosen.connections);
    if (chosen.actions >= 0)
        printf(" --actions %d", chosen.actions);
    if (chosen.faults != ~0u)
        printf(" --faults 0x%x", chosen.faults);
    if (chosen.deeds != ~0u)
        printf(" --deeds 0x%x", chosen.deeds);
    if (chosen.settings != ~0u)
        printf(" --settings 0x%x", chosen.settings);
    printf("\n");
}

void print_failure(const failure *why)
{
    fflush(stderr);
    printf("FAIL: seed %llu, connection %d: %s: %s\n", (unsigned long long)chosen.seed, why->connection, why->invariant,
           why->sentence);
    printf("the last that happened:\n");
    journal_print(stdout, 60);
    if (why->connection >= 0) {
        printf("the last that happened to connection %d:\n", why->connection);
        journal_print_of(stdout, why->connection, 200);
    }
    printf("once more:\n");
    print_command();
}

/** Runs what is chosen in a process of its own. Returns a name for how it failed, as a hash; 0 when it did not. */
static uint32_t failing_how(void)
{
    int ends[2];
    if (pipe(ends) < 0)
        abort();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failure why;
        uint32_t name = 0;
        alarm(60);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        if (!simulate(&why))
            for (const char *each = why.invariant; *each != 0; each++)
                name = name * 31 + (unsigned char)*each;
        _exit(write(ends[1], &name, sizeof name) != sizeof name);
    }
    uint32_t name = 0;
    int status = 0;
    close(ends[1]);
    waitpid(child, &status, 0);
    if (read(ends[0], &name, sizeof name) != sizeof name)
        name = 1; /* it has crashed */
    close(ends[0]);
    return name;
}

/** Takes `tried` if the seed fails with it as it did. */
static int fails_still(uint32_t how, choices tried)
{
    choices before = chosen;
    chosen = tried;
    if (failing_how() == how)
        return 1;
    chosen = before;
    return 0;
}

static void shrink_number(uint32_t how, int *number, int most)
{
    if (*number < 0) {
        choices tried = chosen;
        *(int *)((char *)&tried + ((char *)number - (char *)&chosen)) = most;
        if (!fails_still(how, tried))
            return;
    }
    for (int step = (*number + 1) / 2; step > 0; step = step > 1 ? (step + 1) / 2 : 0)
        for (;;) {
            choices tried = chosen;
            int *smaller = (int *)((char *)&tried + ((char *)number - (char *)&chosen));
            *smaller -= step;
            if (*smaller < 0 || !fails_still(how, tried))
                break;
        }
}

static void shrink_bits(uint32_t how, unsigned *bits, int count)
{
    for (int i = 0; i < count; i++) {
        choices tried = chosen;
        *(unsigned *)((char *)&tried + ((char *)bits - (char *)&chosen)) &= ~(1u << i);
        fails_still(how, tried);
    }
}

int shrink(uint64_t seed)
{
    chosen.seed = seed;
    uint32_t how = failing_how();
    if (how == 0)
        return printf("seed %llu does not fail\n", (unsigned long long)seed), 2;
    for (choices before = { .connections = -2 }; memcmp(&before, &chosen, sizeof before) != 0;) {
        before = chosen;
        shrink_number(how, &chosen.connections, 512);
        shrink_number(how, &chosen.actions, 20000);
        shrink_bits(how, &chosen.faults, FAULTS);
        shrink_bits(how, &chosen.deeds, DEEDS);
        shrink_bits(how, &chosen.settings, SETTINGS);
    }
    failure why = { .invariant = "a crash" };
    if (how == 1)
        print_command();
    else if (!simulate(&why))
        print_failure(&why);
    return 1;
}

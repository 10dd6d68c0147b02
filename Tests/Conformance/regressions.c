/*
 * Plays every scenario, or, with an argument, those whose sentence contains it.
 */
#include "regressions.h"

int main(int count, char **arguments)
{
    const char *wanted = count > 1 ? arguments[1] : NULL;
    begin("regressions");
    play_all(close_regressions, wanted);
    play_all(handshake_regressions, wanted);
    play_all(interest_regressions, wanted);
    play_all(limit_regressions, wanted);
    play_all(listener_regressions, wanted);
    play_all(loop_regressions, wanted);
    play_all(moving_regressions, wanted);
    play_all(name_regressions, wanted);
    play_all(thread_regressions, wanted);
    return finish();
}

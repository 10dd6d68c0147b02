/*
 * Which of the library's edges a fuzzer has been on, over all inputs of a run: at the end their addresses go to the file that
 * FUZZ_EDGES names, for a symbolizer to say in which lines they begin. libFuzzer itself counts anew for each input.
 */
#include "fuzz.h"

/* Made by the linker, of the sections that the instrumentation has written. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
extern const uintptr_t __start___sancov_pcs[];
extern const char __ehdr_start[];

static uint8_t *seen;

static void write_edges(void)
{
    FILE *file = fopen(getenv("FUZZ_EDGES"), "w");
    size_t n = (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
    for (size_t i = 0; file != NULL && i < n; i++)
        if (seen[i] || __start___sancov_cntrs[i])
            fprintf(file, "%#zx\n", (size_t)(__start___sancov_pcs[2 * i] - (uintptr_t)__ehdr_start));
    if (file != NULL)
        fclose(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    if (getenv("FUZZ_EDGES") == NULL)
        return 0;
    seen = calloc(1, (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs));
    MUST(seen != NULL && atexit(write_edges) == 0);
    return 0;
}

void keep_edges(void)
{
    for (size_t i = 0, n = (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs); seen != NULL && i < n; i++)
        seen[i] |= __start___sancov_cntrs[i];
}

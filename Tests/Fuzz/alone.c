/*
 * A fuzzer without libFuzzer, for wherever that is not to be had: each file of a corpus, and then inputs that are made of
 * them by chance, the same ones for the same seed.
 *
 *   NAME FILE...                            these inputs
 *   NAME --mutations N --seed S FOLDER...   all of the folders, and N more
 *
 * An input that ends the process is written to the file that FUZZ_FINDING names.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define MOST 4096

typedef struct {
    uint8_t *bytes;
    size_t n;
} sample;

static sample corpus[4096];
static size_t corpus_n;
static sample running;
static uint64_t state;

static uint32_t chance(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n); /* as libFuzzer has it: nothing behind it */
    MUST(copy != NULL);
    if (n > 0)
        memcpy(copy, bytes, n);
    running = (sample){ copy, n };
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/** Keeps what was running. */
static void on_fault(int signal_number)
{
    const char *path = getenv("FUZZ_FINDING");
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0)
        IGNORE(write(fd, running.bytes, running.n) < 0);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static sample load(const char *path)
{
    sample s = { malloc(1 << 20), 0 };
    FILE *file = fopen(path, "rb");
    if (file == NULL || s.bytes == NULL) {
        perror(path);
        exit(2);
    }
    s.n = fread(s.bytes, 1, 1 << 20, file);
    fclose(file);
    return s;
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static void load_folder(const char *folder)
{
    struct dirent **found;
    int n = scandir(folder, &found, NULL, by_name); /* in an order that is the same everywhere */
    if (n < 0) {
        perror(folder);
        exit(2);
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, found[i]->d_name);
        if (found[i]->d_name[0] != '.' && corpus_n < sizeof corpus / sizeof *corpus)
            corpus[corpus_n++] = load(path);
        free(found[i]);
    }
    free(found);
}

/** One change. */
static size_t change(uint8_t *at, size_t n)
{
    static const uint8_t odd[] = { 0, 1, 2, 16, 22, 23, 127, 128, 254, 255 };
    const sample *other = &corpus[chance((uint32_t)corpus_n)];
    size_t place = n > 0 ? chance((uint32_t)n) : 0, some;
    if (n == 0)
        return at[0] = (uint8_t)chance(256), 1;
    switch (chance(6)) {
    case 0: at[place] ^= (uint8_t)(1 << chance(8)); return n;
    case 1: at[place] = odd[chance(sizeof odd)]; return n;
    case 2: at[place] = (uint8_t)chance(256); return n;
    case 3: /* some are gone */
        some = 1 + chance(n - place < 32 ? (uint32_t)(n - place) : 32);
        memmove(at + place, at + place + some, n - place - some);
        return n - some;
    case 4: /* some are there twice */
        some = 1 + chance(n - place < 32 ? (uint32_t)(n - place) : 32);
        if (n + some > MOST)
            return n;
        memmove(at + place + some, at + place, n - place);
        return n + some;
    default: /* the end of another one */
        some = other->n > 0 ? chance((uint32_t)other->n) : 0;
        some = other->n - some < MOST - place ? some : other->n - (MOST - place);
        memcpy(at + place, other->bytes + some, other->n - some);
        return place + other->n - some;
    }
}

int main(int argc, char **argv)
{
    static const int faults[] = { SIGABRT, SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        signal(faults[i], on_fault);
    if (argc < 6 || strcmp(argv[1], "--mutations") != 0 || strcmp(argv[3], "--seed") != 0) {
        for (int i = 1; i < argc; i++) {
            sample s = load(argv[i]);
            run(s.bytes, s.n);
        }
        return argc < 2;
    }
    long mutations = strtol(argv[2], NULL, 10);
    state = strtoull(argv[4], NULL, 10);
    for (int i = 5; i < argc; i++)
        load_folder(argv[i]);
    MUST(corpus_n > 0);
    for (size_t i = 0; i < corpus_n; i++)
        run(corpus[i].bytes, corpus[i].n);
    for (long i = 0; i < mutations; i++) {
        static uint8_t bytes[MOST];
        const sample *from = &corpus[chance((uint32_t)corpus_n)];
        size_t n = from->n < MOST ? from->n : MOST;
        memcpy(bytes, from->bytes, n);
        for (uint32_t changes = 1 + chance(4); changes > 0; changes--)
            n = change(bytes, n);
        run(bytes, n);
    }
    printf("%zu inputs of the corpus and %ld made of them\n", corpus_n, mutations);
    return 0;
}

/* Files of ticket keys, good and bad: what is refused leaves the keys as they were, and its line is named. */
#include "fleet.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static const known_key good = { 0x11, -10, 600, 1200 };

#define HEX16 "0123456789abcdefABCDEF0123456789"
#define HEX80 HEX16 HEX16 HEX16 HEX16 HEX16

static const struct {
    const char *text, *sentence;
} bad[] = {
    { "", "it is empty" },
    { "\n\n", "there is no key in it" },
    { "# " HEX80 " 1 2 3\n", "there is no key in it" },
    { "words\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 "\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 " 1 2\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 " 1 2 3 4\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 " 1 2 3x\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 " -1 2 3\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 " 1 2 9999999999999999999\n", "line 1: it is not a key and three times in seconds" },
    { HEX80 "00 1 2 3\n", "line 1: the key does not have 160 hexadecimal digits" },
    { HEX16 " 1 2 3\n", "line 1: the key does not have 160 hexadecimal digits" },
    { HEX16 HEX16 HEX16 HEX16 "0123456789abcdef0123456789abcde_ 1 2 3\n", "line 1: the key does not have 160" },
    { "_123456789abcdef0123456789abcdef" HEX16 HEX16 HEX16 HEX16 " 1 2 3\n", "line 1: the key does not have 160" },
    { HEX80 " 2 2 3\n", "line 1: the key's times are not in order" },
    { HEX80 " 1 3 2\n", "line 1: the key's times are not in order" },
    { HEX80 " 1 2 3\n\n" HEX80 " 4 5 6\n", "line 3: there is a key of that name already" },
    { HEX80 " 1 2 3\r\nhalf", "line 2: it is not a key and three times in seconds" },
    { HEX16 "00000000000000000000000000000000" "00000000000000000000000000000000" "00000000000000000000000000000000"
      "00000000000000000000000000000000 1 2 3\n", "line 1: the key has no secret" },
};

static void expect_sentence(tlsmem_ctx *ctx, int status, const char *begins)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    CHECK_STATUS(status, TLSMEM_ECONFIG);
    CHECK(tlsmem_ctx_error(ctx, &error) == TLSMEM_OK && strncmp(error.sentence, begins, strlen(begins)) == 0,
          "\"%s\", expected \"%s...\"", error.sentence, begins);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    MUST(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void refused(const char *path)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = server_with_keys(0, &good, 1);
    tlsmem_session *session = visit(from, to, NULL, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char sentence[300];
        situation("bad text %zu: %s", i, bad[i].sentence);
        expect_sentence(to, tlsmem_ctx_set_ticket_keys_mem(to, bad[i].text, strlen(bad[i].text)), bad[i].sentence);
        write_file(path, bad[i].text);
        snprintf(sentence, sizeof sentence, "%s%s%s", path, strncmp(bad[i].sentence, "line", 4) == 0 ? ", " : ": ",
                 bad[i].sentence);
        expect_sentence(to, tlsmem_ctx_set_ticket_keys_file(to, path), sentence);
    }
    situation("bad files");
    MUST(unlink(path) == 0);
    expect_sentence(to, tlsmem_ctx_set_ticket_keys_file(to, path), path);
    expect_sentence(to, tlsmem_ctx_set_ticket_keys_file(to, "/"), "/: it is no regular file");
    MUST(mkfifo(path, 0600) == 0);
    expect_sentence(to, tlsmem_ctx_set_ticket_keys_file(to, path), path);
    MUST(unlink(path) == 0);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    MUST(fd >= 0 && ftruncate(fd, (1 << 20) + 1) == 0 && close(fd) == 0);
    expect_sentence(to, tlsmem_ctx_set_ticket_keys_file(to, path), path);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_file(to, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_mem(to, NULL, 1), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_mem(to, "x", SIZE_MAX), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, NULL), TLSMEM_EINVAL);
    CHECK_STATUS(tlsmem_ctx_remove_ticket_key(to, NULL), TLSMEM_EINVAL);

    situation("bad keys");
    tlsmem_ticket_key key = key_of(good);
    expect_sentence(to, tlsmem_ctx_add_ticket_key(to, &key), "there is a key of that name already");
    key.name[0]++;
    key.encrypt_until = key.encrypt_from;
    expect_sentence(to, tlsmem_ctx_add_ticket_key(to, &key), "the key's times are not in order");
    key = key_of((known_key){ 0, -1, 10, 10 });
    expect_sentence(to, tlsmem_ctx_add_ticket_key(to, &key), "the key has no secret");
    key = key_of((known_key){ 1, -1, 10, 9 });
    expect_sentence(to, tlsmem_ctx_add_ticket_key(to, &key), "the key's times are not in order");
    tlsmem_ctx *of_client = context(TLSMEM_CLIENT, 0);
    expect_sentence(of_client, tlsmem_ctx_set_ticket_keys_mem(of_client, HEX80 " 1 2 3", strlen(HEX80) + 6), "only a server");
    tlsmem_ctx_free(of_client);
    situation("after all that was refused, the keys are as they were");
    tlsmem_session *next = visit(from, to, session, 1);
    tlsmem_session_free(next);
    tlsmem_session_free(session);
    tlsmem_ctx_free(from);
    tlsmem_ctx_free(to);
}

static void taken(const char *path)
{
    char text[1024] = "# a remark\n\n  \t\r\n";
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = context(TLSMEM_SERVER, 0), *other = context(TLSMEM_SERVER, 0);
    situation("a file with everything that may be in it");
    add_line(text, good);
    memcpy(text + strlen(text) - 1, " \t# since today\r", 17);
    write_file(path, text);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_file(to, path), TLSMEM_OK);
    CHECK_STATUS(tlsmem_ctx_set_ticket_keys_file(other, path), TLSMEM_OK);
    tlsmem_ticket_key expired = key_of((known_key){ 0x22, -20, -10, -5 });
    CHECK_STATUS(tlsmem_ctx_add_ticket_key(other, &expired), TLSMEM_OK);
    tlsmem_session *session = visit(from, to, NULL, 0), *next = visit(from, other, session, 1);
    tlsmem_session_free(next);
    tlsmem_session_free(session);

    situation("1024 keys, and one more");
    for (int i = 0; i < 1024; i++) {
        tlsmem_ticket_key key = key_of((known_key){ 0x33, i, 2000, 3000 });
        memcpy(key.name, &i, sizeof i);
        CHECK_STATUS(tlsmem_ctx_add_ticket_key(to, &key), i < 1023 ? TLSMEM_OK : TLSMEM_ECONFIG);
    }
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(other);
    tlsmem_ctx_free(from);
}

/** One thread changes the keys of a context, another reads what was refused, and a third serves clients. */
static int changing;

static void *change(void *ctx)
{
    char text[512] = "", two[1024] = "";
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    add_line(text, good);
    add_line(add_line(two, good), (known_key){ 0x44, 1000, 1100, 1200 });
    for (long rounds = 0; __atomic_load_n(&changing, __ATOMIC_ACQUIRE); rounds++) {
        int even = rounds % 2 == 0, status = tlsmem_ctx_set_ticket_keys_mem(ctx, even ? two : text, strlen(even ? two : text));
        CHECK_STATUS(status, TLSMEM_OK);
        CHECK_STATUS(tlsmem_ctx_set_ticket_keys_mem(ctx, "words", 5), TLSMEM_ECONFIG);
        CHECK_STATUS(tlsmem_ctx_error(ctx, &error), TLSMEM_OK);
    }
    return NULL;
}

static void threads(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, 0), *to = server_with_keys(0, &good, 1);
    pthread_t thread[2];
    situation("keys change in two threads while a third serves");
    tlsmem_session *session = visit(from, to, NULL, 0);
    changing = 1;
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&thread[i], NULL, change, to) == 0);
    for (int i = 0; i < (short_run() ? 5 : 50); i++) {
        tlsmem_session *next = visit(from, to, session, 1); /* the one key is there always */
        tlsmem_session_free(session);
        session = next;
    }
    __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    tlsmem_session_free(session);
    tlsmem_ctx_free(to);
    tlsmem_ctx_free(from);
}

void fleet_files(void)
{
    char folder[] = "/tmp/tlsmem-fleet-XXXXXX", path[64];
    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keys", folder);
    refused(path);
    taken(path);
    MUST(unlink(path) == 0 && rmdir(folder) == 0);
    threads();
}

/* tlsmem_trace and tlsmem_metrics: what they write of a handshake, in numbers and names that a program may rely on. */
#include "explains.h"

static char lines[64][512], objects[64][512];
static int traced;

static void on_trace(tlsmem *c, const tlsmem_trace_info *info, void *user)
{
    (void)user;
    if (traced == 64)
        return;
    ptrdiff_t text = tlsmem_trace(c, info, TLSMEM_TRACE_AS_TEXT, lines[traced], sizeof lines[0]);
    ptrdiff_t json = tlsmem_trace(c, info, TLSMEM_TRACE_AS_JSON, objects[traced], sizeof objects[0]);
    CHECK(text == (ptrdiff_t)strlen(lines[traced]) && json == (ptrdiff_t)strlen(objects[traced]), "%td, %td", text, json);
    char little[8];
    CHECK(tlsmem_trace(c, info, TLSMEM_TRACE_AS_JSON, little, sizeof little) == json && strcmp(little, "{\"ms\":0") == 0,
          "cut: %s", little); /* the time of a pair begins at 0 */
    traced++;
}

static int traced_at(char found[64][512], const char *part)
{
    for (int i = 0; i < traced; i++)
        if (strstr(found[i], part) != NULL)
            return i;
    CHECK(0, "no line has %s", part);
    return -1;
}

static tlsmem_pair *met(tlsmem_ctx *from, tlsmem_ctx *to)
{
    tlsmem_pair *pair = tlsmem_pair_new(from, to);
    MUST(pair != NULL && tlsmem_set_server_name(tlsmem_pair_end(pair, 0), "localhost") == TLSMEM_OK);
    IGNORE(tlsmem_pair_run(pair, 0));
    return pair;
}

static void traces(void)
{
    tlsmem_ctx *from = context(TLSMEM_CLIENT, TLSMEM_TLS1_3), *to = context(TLSMEM_SERVER, 0);
    situation("a trace, in lines and in objects");
    MUST(tlsmem_ctx_set_trace_cb(from, on_trace, NULL) == TLSMEM_OK);
    tlsmem_pair *pair = met(from, to);
    int hello = traced_at(lines, ">   ClientHello, "), answer = traced_at(lines, "<   ServerHello, ");
    CHECK(hello > 0 && hello < answer, "ClientHello %d, ServerHello %d", hello, answer);
    CHECK(strncmp(lines[hello - 1], "> record 0x0301, ", 17) == 0 || strncmp(lines[hello - 1], "> record 0x0303, ", 17) == 0,
          "before it: %s", lines[hello - 1]);
    traced_at(lines, "<   it holds handshake");
    char expected[128];
    snprintf(expected, sizeof expected, "{\"ms\":0,\"connection\":\"%p\",\"role\":\"client\",\"kind\":\"message\",\"sent\":true,",
             (void *)tlsmem_pair_end(pair, 0));
    CHECK(strncmp(objects[hello], expected, strlen(expected)) == 0, "%s, and not %s", objects[hello], expected);
    CHECK(strstr(objects[hello], "\"content_type\":22,\"handshake_type\":1,\"name\":\"ClientHello\",\"length\":") != NULL, "%s",
          objects[hello]);
    CHECK(strstr(objects[hello - 1], "\"kind\":\"record\"") != NULL && strstr(objects[hello - 1], "\"handshake_type\":-1") != NULL,
          "%s", objects[hello - 1]);
    tlsmem_trace_info strange = { .size = sizeof strange, .version = -1, .content_type = -2, .kind = TLSMEM_TRACE_RECORD,
                                  .name = "\"\\\n", .lost = 3 };
    char line[512];
    CHECK(tlsmem_trace(tlsmem_pair_end(pair, 0), &strange, TLSMEM_TRACE_AS_JSON, line, sizeof line) > 0, "nothing");
    CHECK(strstr(line, "\"version\":-1,\"content_type\":-2,") != NULL && strstr(line, "\"name\":\"\\\"\\\\\\n\"") != NULL
          && strstr(line, "\"lost\":3}") != NULL, "%s", line);
    CHECK(tlsmem_trace(tlsmem_pair_end(pair, 0), &strange, TLSMEM_TRACE_AS_TEXT, line, sizeof line) > 0
          && strstr(line, "(3 pieces before it were lost)") != NULL, "%s", line);
    tlsmem_pair_free(pair), tlsmem_ctx_free(from), tlsmem_ctx_free(to);
}

static char metrics[32768];

static void counts(const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    CHECK(strstr(metrics, whole) != NULL, "there is no line \"%s\" in:\n%s", line, metrics);
}

static void ask(tlsmem_ctx *const *ctxs, const char *const *names, size_t n)
{
    ptrdiff_t length = tlsmem_metrics(ctxs, names, n, metrics, sizeof metrics);
    MUST(length > 0 && length < (ptrdiff_t)sizeof metrics && length == (ptrdiff_t)strlen(metrics));
    CHECK(tlsmem_metrics(ctxs, names, n, NULL, 0) == length && metrics[length - 1] == '\n', "%td bytes", length);
}

static void numbers(void)
{
    static char much[3000000];
    tlsmem_ctx *both[] = { context(TLSMEM_CLIENT, TLSMEM_TLS1_2), context(TLSMEM_SERVER, 0) };
    const char *names[] = { "up\"stream\\", NULL };
    situation("numbers for Prometheus");
    ask(both, NULL, 2);
    counts("tlsmem_connections{role=\"client\"} 0");
    counts("tlsmem_ends_total{role=\"server\",status=\"TLSMEM_EVERIFY\"} 0");
    tlsmem_pair *pair = met(both[0], both[1]);
    ask(both, names, 2);
    counts("tlsmem_connections{role=\"client\",context=\"up\\\"stream\\\\\"} 1");
    counts("tlsmem_connections_made_total{role=\"server\",context=\"\"} 1");
    counts("tlsmem_handshakes_total{role=\"server\",context=\"\",version=\"TLSv1.2\",resumed=\"false\"} 1");
    counts("tlsmem_handshakes_total{role=\"server\",context=\"\",version=\"TLSv1.3\",resumed=\"false\"} 0");
    counts("tlsmem_handshake_duration_seconds_bucket{role=\"server\",context=\"\",le=\"0.005\"} 1");
    counts("tlsmem_handshake_duration_seconds_bucket{role=\"server\",context=\"\",le=\"0.01\"} 1");
    counts("tlsmem_handshake_duration_seconds_bucket{role=\"server\",context=\"\",le=\"2.5\"} 1");
    counts("tlsmem_handshake_duration_seconds_bucket{role=\"server\",context=\"\",le=\"+Inf\"} 1");
    counts("tlsmem_handshake_duration_seconds_sum{role=\"server\",context=\"\"} 0");
    counts("tlsmem_ciphertext_bytes_total{role=\"server\",context=\"\",direction=\"received\"} 0");
    for (int sent = 0; sent < (int)sizeof much;) {
        char room[65536];
        ptrdiff_t n = tlsmem_write(tlsmem_pair_end(pair, 0), much, sizeof much - (size_t)sent);
        sent += n > 0 ? (int)n : 0;
        IGNORE(tlsmem_pair_run(pair, 0));
        while (tlsmem_read(tlsmem_pair_end(pair, 1), room, sizeof room) > 0)
            ;
        IGNORE(tlsmem_pair_run(pair, 0));
    }
    ask(both, NULL, 2);
    counts("tlsmem_ciphertext_bytes_total{role=\"server\",direction=\"received\"} 2097152"); /* of some 3,005,000 */
    counts("tlsmem_ciphertext_bytes_total{role=\"client\",direction=\"sent\"} 2097152");
    IGNORE(tlsmem_abort(tlsmem_pair_end(pair, 0)));
    tlsmem_report_info report = report_of(tlsmem_pair_end(pair, 1));
    tlsmem_pair_free(pair);
    ask(both, NULL, 2);
    char line[128];
    snprintf(line, sizeof line, "tlsmem_ciphertext_bytes_total{role=\"server\",direction=\"received\"} %llu",
             (unsigned long long)report.ciphertext_received);
    counts(line);
    counts("tlsmem_connections{role=\"server\"} 0");
    counts("tlsmem_ends_total{role=\"client\",status=\"TLSMEM_EABORTED\"} 1");
    counts("tlsmem_ends_total{role=\"server\",status=\"freed\"} 1");
    tlsmem_ctx *fresh = context(TLSMEM_SERVER, 0);
    CHECK_STATUS(tlsmem_ctx_reload(both[1], fresh), TLSMEM_OK);
    tlsmem_pair_free(met(both[0], both[1]));
    ask(both, NULL, 2);
    counts("tlsmem_context_generation{role=\"server\"} 2");
    counts("tlsmem_connections_made_total{role=\"server\"} 2");
    tlsmem_ctx_free(fresh), tlsmem_ctx_free(both[0]), tlsmem_ctx_free(both[1]);
}

void numbers_and_lines(void)
{
    traces();
    numbers();
}

/* https_get_url.c - the URL that https_get is given, whose parsing is http_parser's, and the request for it. */
#include "https_get.h"
#include <string.h>
#include <strings.h>

/* Copies a part of the URL that is there; what does not fit ends the program. */
static void copy(char *to, size_t room, const char *from, size_t n)
{
    if (n >= room)
        usage_error("the URL is too long");
    memcpy(to, from, n);
    to[n] = '\0';
}

void parse_url(const char *text, struct url *url)
{
    struct http_parser_url parts;
    http_parser_url_init(&parts);
    if (strncasecmp(text, "http://", 7) == 0)
        usage_error("%s: that is HTTP in plain, and this program speaks it over TLS only: https://", text);
    if (strncasecmp(text, "https://", 8) != 0)
        usage_error("%s: only https:// is spoken here", text);
    if (http_parser_parse_url(text, strlen(text), 0, &parts) != 0 || (parts.field_set & 1 << UF_HOST) == 0)
        usage_error("%s is no URL", text);
    if (parts.field_set & 1 << UF_USERINFO) /* and it is not repeated, because a password may be in it */
        usage_error("a URL with a user's name or password is not taken");
    url->port = parts.field_set & 1 << UF_PORT ? parts.port : 443;
    if (url->port == 0)
        usage_error("%s: 0 is no port", text);

    size_t host = parts.field_data[UF_HOST].off, host_n = parts.field_data[UF_HOST].len;
    int is_ipv6 = text[host - 1] == '[';
    copy(url->host, sizeof url->host, text + host, host_n);
    snprintf(url->authority, sizeof url->authority, is_ipv6 ? "[%s]" : "%s", url->host);
    size_t n = strlen(url->authority);
    if (url->port != 443)
        snprintf(url->authority + n, sizeof url->authority - n, ":%d", url->port);

    /* Everything behind the host and the port, up to the fragment, which is nobody's business but ours. */
    const char *rest = text + host + host_n;
    rest += strcspn(rest, "/?#");
    int has_path = *rest == '/';
    url->target[0] = '/';
    copy(url->target + !has_path, sizeof url->target - 1, rest, strcspn(rest, "#"));
}

const char *take_url(int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++) {
        const char *text = argv[i];
        if (text[0] == '-' || strstr(text, "://") == NULL)
            continue;
        memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof *argv); /* with the NULL at the end */
        --*argc;
        return text;
    }
    return NULL;
}

int ask(tlsmem *c, const struct wishes *w, const struct url *url)
{
    char request[sizeof *url + 256];
    int n = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: https_get/%s\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                     w->head ? "HEAD" : "GET", url->target, url->authority, tlsmem_version_string());
    ptrdiff_t early = w->early ? tlsmem_write_early(c, request, (size_t)n) : 0;
    if (early < 0)
        say("no early data: %s", tlsmem_strerror((int)early));
    early = early < 0 ? 0 : early;
    return tlsmem_write(c, request + early, (size_t)(n - early)) == n - early ? TLSMEM_OK : TLSMEM_ENOMEM;
}

/* fetch_url.c - a URL, whose parsing is http_parser's, and the request for it. */
#include "fetch.h"

/* A byte that has no business in a URL may be a line's end to a server, and begin another request there: http_parser,
   unless it was built to be strict, lets some pass. */
static bool is_plain(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        if (*at <= ' ' || *at >= 127)
            return false;
    return true;
}

bool url_parse(struct fetch *f)
{
    struct url *url = &f->url;
    const char *text = f->text;
    struct http_parser_url parts;
    if (text == NULL)
        return fault_set(&f->fault, ERRCODE_NULL_VALUE_NOT_ALLOWED, "the URL is null");
    if (pg_strncasecmp(text, "https://", 8) != 0)
        return fault_set(&f->fault, ERRCODE_INVALID_PARAMETER_VALUE, "only https:// is spoken here");
    http_parser_url_init(&parts);
    if (!is_plain(text) || http_parser_parse_url(text, strlen(text), 0, &parts) != 0
        || (parts.field_set & 1 << UF_HOST) == 0 || (parts.field_set & 1 << UF_PORT && parts.port == 0))
        return fault_set(&f->fault, ERRCODE_INVALID_PARAMETER_VALUE, "that is no URL");
    if (parts.field_set & 1 << UF_USERINFO)
        return fault_set(&f->fault, ERRCODE_INVALID_PARAMETER_VALUE, "a URL with a user's name or password is not taken");

    int port = parts.field_set & 1 << UF_PORT ? parts.port : 443;
    const char *host = text + parts.field_data[UF_HOST].off;
    size_t host_n = parts.field_data[UF_HOST].len;
    const char *rest = host + host_n;
    rest += strcspn(rest, "/?#"); /* behind the port */
    size_t rest_n = strcspn(rest, "#"); /* the fragment is nobody's business but ours */
    if (host_n >= sizeof url->host || rest_n > 8000) /* what servers have to take at least (RFC 9110, 4.1) */
        return fault_set(&f->fault, ERRCODE_INVALID_PARAMETER_VALUE, "the URL is too long");
    bool is_ipv6 = host[-1] == '[';
    snprintf(url->host, sizeof url->host, "%.*s", (int)host_n, host);
    snprintf(url->port, sizeof url->port, "%d", port);
    snprintf(url->authority, sizeof url->authority, "%s%s%s%s%s", is_ipv6 ? "[" : "", url->host, is_ipv6 ? "]" : "",
             port == 443 ? "" : ":", port == 443 ? "" : url->port);
    url->target = psprintf("%s%.*s", *rest == '/' ? "" : "/", (int)rest_n, rest);
    return true;
}

int url_ask(const struct url *url, tlsmem *c)
{
    char request[8192 + sizeof *url];
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tlsmem_fetch/%s\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                     url->target, url->authority, tlsmem_version_string());
    ptrdiff_t taken = tlsmem_write(c, request, (size_t)n);
    return taken == n ? TLSMEM_OK : taken < 0 ? (int)taken : TLSMEM_ENOMEM;
}

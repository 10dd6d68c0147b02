/* options.c - the command line of the example programs; see common.h. */
#include "settings.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* At the end it turns out whether all that was printed has arrived. */
static void close_output(void)
{
    int failed = ferror(stdout);
    if ((fclose(stdout) == 0 || errno == EBADF) && !failed)
        return;
    say("cannot write to standard output: %s", strerror(errno));
    _exit(EXIT_NETWORK);
}

enum { OPTIONS_MAX = 128 };

static void print_help(const char *about, const struct own_option *all, size_t count)
{
    printf("%s: %s\n\n", program_invocation_short_name, about);
    for (size_t i = 0; i < count; i++) {
        char left[48];
        snprintf(left, sizeof left, "--%s %s", all[i].name, all[i].argument != NULL ? all[i].argument : "");
        printf(strlen(left) < 24 ? "  %-24s%s\n" : "  %s\n                          %s\n", left, all[i].help);
    }
    printf("\nexit codes: 0 done, 1 usage, 2 network, 3 TLS\n");
    exit(EXIT_DONE);
}

void parse_options(int argc, char **argv, const char *about, struct options *o, const struct own_option *own)
{
    long help = 0;
    const struct own_option shared[] = {
        { "host", "H", &o->host, NULL, "name or address, IPv4 or IPv6" },
        { "port", "P", NULL, &o->port, "port; a server takes a free one for 0" },
        { "cert", "FILE", &o->cert, NULL, "our certificate and its chain, PEM" },
        { "key", "FILE", &o->key, NULL, "our private key, PEM" },
        { "sites", "DIR", &o->sites, NULL, "server: who asks for NAME gets DIR/NAME.pem and .key; other names are refused" },
        { "ca", "FILE", &o->ca, NULL, "the authorities that we trust, PEM; a server asks for certificates of theirs" },
        { "insecure", NULL, NULL, &o->insecure, "trust everybody: for tests" },
        { "alpn", "LIST", &o->alpn, NULL, "application protocols, \"h2,http/1.1\"" },
        { "keylog", "FILE", &o->keylog, NULL, "append the secrets to this file: for debugging" },
        { "help", NULL, NULL, &help, "print this" },
    };
    o->limits = (tlsmem_limits) TLSMEM_LIMITS_INIT;
    struct own_option all[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 1];
    size_t count = sizeof shared / sizeof shared[0];
    memcpy(all, shared, sizeof shared);
    for (const struct setting *s = settings; s->name != NULL && count < OPTIONS_MAX; s++)
        all[count++] = (struct own_option) { s->name, s->argument, NULL, NULL, s->help };
    for (; own->name != NULL && count < OPTIONS_MAX; own++)
        all[count++] = *own;
    memset(longs, 0, sizeof longs);
    for (size_t i = 0; i < count; i++) {
        longs[i].name = all[i].name;
        longs[i].has_arg = all[i].argument != NULL ? required_argument : no_argument;
    }

    atexit(close_output);
    signal(SIGPIPE, SIG_IGN); /* a standard output that was closed is an error of write */
    int index = 0, found;
    while ((found = getopt_long(argc, argv, "", longs, &index)) != -1) {
        if (found != 0)
            usage_error("--help lists the options");
        const struct own_option *chosen = &all[index];
        if (chosen->text != NULL)
            *chosen->text = optarg;
        else if (chosen->number == NULL)
            note_setting(o, chosen->name, optarg);
        else
            *chosen->number = chosen->argument != NULL ? number(chosen->name, optarg) : 1;
    }
    if (help)
        print_help(about, all, count);
    if (optind < argc)
        usage_error("%s is not an option", argv[optind]);
    if (o->port > 65535)
        usage_error("--port: %ld is no port", o->port);
}

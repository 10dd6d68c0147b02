/* flags.c - the table of flags, and how argv is read by it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flags.h"

enum kind { SWITCH, NUMBER, NUMBERS, TEXT };

#define FLAG(kind, field) { #field, kind, offsetof(struct flags, field) }

static const struct flag {
    const char *name;
    enum kind kind;
    size_t at;
} table[] = {
    FLAG(NUMBER, port), FLAG(NUMBER, resume_count), FLAG(SWITCH, server), FLAG(SWITCH, async),
    FLAG(SWITCH, implicit_handshake), FLAG(TEXT, key_file), FLAG(TEXT, cert_file), FLAG(TEXT, host_name),
    FLAG(TEXT, psk), FLAG(TEXT, psk_identity), FLAG(SWITCH, require_any_client_certificate), FLAG(SWITCH, verify_peer),
    FLAG(SWITCH, verify_fail), FLAG(SWITCH, use_custom_verify_callback), FLAG(SWITCH, use_early_callback),
    FLAG(SWITCH, fail_early_callback), FLAG(SWITCH, use_old_client_cert_callback), FLAG(NUMBER, min_version),
    FLAG(NUMBER, max_version), FLAG(NUMBER, max_cert_list), FLAG(SWITCH, no_tls1), FLAG(SWITCH, no_tls11),
    FLAG(SWITCH, no_tls12), FLAG(SWITCH, no_tls13), FLAG(SWITCH, fallback_scsv), FLAG(SWITCH, server_preference),
    FLAG(SWITCH, no_ticket), FLAG(NUMBERS, curves), FLAG(NUMBERS, signing_prefs), FLAG(NUMBERS, verify_prefs),
    FLAG(TEXT, cipher), FLAG(TEXT, advertise_alpn), FLAG(TEXT, select_alpn), FLAG(SWITCH, decline_alpn),
    FLAG(SWITCH, reject_alpn), FLAG(SWITCH, enable_early_data), FLAG(SWITCH, enable_ocsp_stapling),
    FLAG(SWITCH, renegotiate_once), FLAG(SWITCH, renegotiate_freely), FLAG(SWITCH, shim_writes_first),
    FLAG(SWITCH, shim_shuts_down), FLAG(SWITCH, check_close_notify), FLAG(SWITCH, peek_then_read),
    FLAG(SWITCH, partial_write), FLAG(SWITCH, key_update), FLAG(SWITCH, write_different_record_sizes),
    FLAG(SWITCH, no_op_extra_handshake), FLAG(SWITCH, tls_unique), FLAG(SWITCH, use_export_context),
    FLAG(SWITCH, use_exporter_between_reads), FLAG(NUMBER, read_size), FLAG(NUMBER, max_send_fragment),
    FLAG(NUMBER, export_keying_material), FLAG(TEXT, export_label), FLAG(TEXT, export_context),
    FLAG(NUMBER, expect_version), FLAG(NUMBER, expect_cipher), FLAG(NUMBER, expect_curve_id),
    FLAG(NUMBER, expect_peer_signature_algorithm), FLAG(NUMBER, expect_total_renegotiations),
    FLAG(SWITCH, install_ddos_callback), FLAG(SWITCH, fail_ddos_callback), FLAG(TEXT, expect_early_data_reason),
    FLAG(TEXT, expect_server_name), FLAG(TEXT, expect_alpn), FLAG(TEXT, expect_advertised_alpn),
    FLAG(TEXT, expect_ocsp_response), FLAG(TEXT, expect_peer_cert_file), FLAG(SWITCH, expect_session_miss),
    FLAG(SWITCH, expect_extended_master_secret), FLAG(SWITCH, expect_verify_result), FLAG(SWITCH, expect_hrr),
    FLAG(SWITCH, expect_no_hrr), FLAG(SWITCH, expect_secure_renegotiation),
    FLAG(SWITCH, expect_no_secure_renegotiation), FLAG(SWITCH, expect_no_session),
    FLAG(SWITCH, expect_ticket_supports_early_data), FLAG(SWITCH, expect_accept_early_data),
    FLAG(SWITCH, expect_reject_early_data), FLAG(SWITCH, expect_no_offer_early_data),
};

_Noreturn void unimplemented(const char *what)
{
    fprintf(stderr, "not implemented: %s\n", what);
    exit(EXIT_UNIMPLEMENTED);
}

bool flags_share_context(const struct flags *one, const struct flags *other)
{
    return memcmp(one, other, offsetof(struct flags, verify_fail)) == 0 && /* flags_parse has set to 0 what is between fields */
        (one->select_alpn == NULL) == (other->select_alpn == NULL) &&
        (one->expect_advertised_alpn == NULL) == (other->expect_advertised_alpn == NULL);
}

/* "-host-name" is the field host_name. */
static bool is_name_of(const char *argument, const char *field)
{
    if (*argument++ != '-')
        return false;
    for (; *argument != '\0' && *field != '\0'; argument++, field++)
        if (*argument != *field && !(*argument == '-' && *field == '_'))
            return false;
    return *argument == *field;
}

static int number(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < -1000000 || value > 1000000)
        unimplemented(text);
    return (int)value;
}

static void set(struct flags *flags, const struct flag *flag, const char *parameter)
{
    void *field = (char *)flags + flag->at;
    struct flag_list *list = field;
    switch (flag->kind) {
    case SWITCH: *(bool *)field = true; break;
    case NUMBER: *(int *)field = number(parameter); break;
    case TEXT: *(const char **)field = parameter; break;
    case NUMBERS:
        if (list->count == FLAG_LIST_MAX)
            unimplemented("so long a list");
        list->values[list->count++] = number(parameter);
    }
}

static const struct flag *find(const char *argument)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (is_name_of(argument, table[i].name))
            return &table[i];
    return NULL;
}

/* Passes over "-on-resume" of "-on-resume-verify-fail", if the flag begins so. */
static bool passed_prefix(const char **argument, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(*argument, prefix, length) != 0 || (*argument)[length] != '-')
        return false;
    *argument += length;
    return true;
}

static void add_to_sum(struct flags *flags, const char *text)
{
    while (*text != '\0')
        flags->sum = flags->sum * 31 + (unsigned char)*text++;
}

void flags_parse(int argc, char **argv, struct flags *first, struct flags *resumed)
{
    memset(first, 0, sizeof *first);
    memset(resumed, 0, sizeof *resumed);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "-is-handshaker-supported") == 0) { /* which the runner asks before all tests */
            puts("No");
            exit(0);
        }
        passed_prefix(&name, "-on-shim");
        bool only_first = passed_prefix(&name, "-on-initial"), only_resumed = passed_prefix(&name, "-on-resume");
        const struct flag *flag = find(name);
        if (flag == NULL)
            unimplemented(name);
        if (strcmp(flag->name, "port") != 0)
            add_to_sum(first, name);
        const char *parameter = NULL;
        if (flag->kind != SWITCH && (parameter = argv[++i]) == NULL)
            unimplemented("a flag without its parameter");
        if (!only_resumed)
            set(first, flag, parameter);
        if (!only_first)
            set(resumed, flag, parameter);
    }
    resumed->sum = first->sum;
}

/* fetch_fault.c - what goes wrong: the library's sentences, PostgreSQL's SQLSTATEs, and where the two meet. */
#include "fetch.h"

bool fault_set(struct fault *fault, int sqlstate, const char *format, ...)
{
    va_list arguments;
    if (fault->sqlstate != 0)
        return false;
    fault->sqlstate = sqlstate;
    va_start(arguments, format);
    vsnprintf(fault->sentence, sizeof fault->sentence, format, arguments);
    va_end(arguments);
    return false;
}

/* Who tries again needs to know whether that makes sense: the class 08 may pass by itself, a certificate that is not good
   does not. */
static int sqlstate_of(int status, bool was_established)
{
    switch (status) {
    case TLSMEM_EVERIFY:
    case TLSMEM_EHOST:
    case TLSMEM_EEXPIRED:
    case TLSMEM_ENOCERT:
        return ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
    case TLSMEM_EREJECTED:
        return ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION;
    case TLSMEM_ENOTTLS:
    case TLSMEM_EPROTOCOL:
        return ERRCODE_PROTOCOL_VIOLATION;
    case TLSMEM_ELIMIT:
        return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
    case TLSMEM_ENOMEM:
        return ERRCODE_OUT_OF_MEMORY;
    case TLSMEM_EINTERNAL:
        return ERRCODE_INTERNAL_ERROR;
    default:
        return was_established ? ERRCODE_CONNECTION_FAILURE : ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
    }
}

bool fault_of_connection(struct fault *fault, const tlsmem *c, int status)
{
    tlsmem_error_info error = TLSMEM_ERROR_INFO_INIT;
    bool is_told = tlsmem_error(c, &error) == TLSMEM_OK && error.status != TLSMEM_OK;
    if (fault->sqlstate != 0)
        return false;
    snprintf(fault->detail, sizeof fault->detail, "libtlsmem's status is %s.", tlsmem_status_name(status));
    if (status == TLSMEM_EVERIFY)
        fault->hint = "Name the file with the server's authority: in the argument ca, or in tlsmem_fetch.ca_file.";
    return fault_set(fault, sqlstate_of(status, tlsmem_is_established(c)), "%s",
                     is_told ? error.sentence : tlsmem_strerror(status));
}

void fault_raise(const struct fetch *f)
{
    const struct fault *fault = &f->fault;
    ereport(ERROR, (errcode(fault->sqlstate), errmsg("could not fetch from %s: %s",
                    f->url.authority[0] != '\0' ? f->url.authority : "that URL", fault->sentence),
                    fault->detail[0] != '\0' ? errdetail_internal("%s", fault->detail) : 0,
                    fault->hint != NULL ? errhint("%s", fault->hint) : 0));
    pg_unreachable();
}

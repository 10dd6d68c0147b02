/* fetch.c - the functions that SQL sees, and the settings. */
#include "fetch.h"

#include <access/htup_details.h>
#include <catalog/pg_authid.h>
#include <catalog/pg_type.h>
#include <fmgr.h>
#include <funcapi.h>
#include <mb/pg_wchar.h>
#include <miscadmin.h>
#include <utils/acl.h>
#include <utils/array.h>
#include <utils/builtins.h>
#include <utils/guc.h>
#include <utils/lsyscache.h>
#include <utils/tuplestore.h>
#include <utils/typcache.h>

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(fetch_version);
PG_FUNCTION_INFO_V1(fetch_get);
PG_FUNCTION_INFO_V1(fetch_get_all);
PGDLLEXPORT Datum fetch_version(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum fetch_get(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum fetch_get_all(PG_FUNCTION_ARGS);
PGDLLEXPORT void _PG_init(void);

static char *ca_file;
static int max_body, max_at_once, timeout, handshake_timeout;

void _PG_init(void)
{
    DefineCustomStringVariable("tlsmem_fetch.ca_file", "Certificate authorities that servers are verified by.",
                               "A file in PEM or DER. Empty: those that the system trusts.", &ca_file, "", PGC_SUSET, 0, NULL,
                               NULL, NULL);
    DefineCustomIntVariable("tlsmem_fetch.max_body", "Longest body of an answer that is taken.", NULL, &max_body,
                            16 * 1024 * 1024, 0, 512 * 1024 * 1024, PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
    DefineCustomIntVariable("tlsmem_fetch.max_at_once", "URLs that tlsmem_get_all fetches at the same time.", NULL,
                            &max_at_once, 64, 1, 1000, PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable("tlsmem_fetch.timeout", "Time in which one URL has to be fetched.", NULL, &timeout, 30000, 1,
                            24 * 3600 * 1000, PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
    DefineCustomIntVariable("tlsmem_fetch.handshake_timeout", "Time that its TLS handshake has of that.", NULL,
                            &handshake_timeout, 10000, 1, 24 * 3600 * 1000, PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
    MarkGUCPrefixReserved("tlsmem_fetch");
}

Datum fetch_version(PG_FUNCTION_ARGS)
{
    (void)fcinfo;
    PG_RETURN_TEXT_P(cstring_to_text(tlsmem_version_string()));
}

/* Who may not read the server's files is told nothing about them, be it only whether they are there. */
static const char *chosen_ca(const text *ca)
{
    if (ca == NULL)
        return ca_file;
    if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to name a file of the server"),
                        errhint("The argument ca is for members of pg_read_server_files. Others have tlsmem_fetch.ca_file.")));
    return text_to_cstring(ca);
}

/* Fetches all. However it ends, nothing but memory of this query is left of the connections. */
static void fetch_all(struct batch *b, const char *ca)
{
    b->timeout = timeout;
    b->handshake_timeout = (uint32_t)handshake_timeout;
    b->max_body = (size_t)max_body;
    PG_TRY();
    {
        batch_begin(b, ca, max_at_once);
        batch_run(b);
    }
    PG_CATCH(); /* not PG_FINALLY, of whose own variable gcc says that longjmp might clobber it */
    {
        batch_end(b);
        PG_RE_THROW();
    }
    PG_END_TRY();
    batch_end(b);
}

/* Servers may send any bytes in a field. What is no text in the database's encoding is shown as \xHH. */
static Datum field_text(const char *bytes)
{
    StringInfoData shown;
    if (pg_verify_mbstr(GetDatabaseEncoding(), bytes, (int)strlen(bytes), true))
        return CStringGetTextDatum(bytes);
    initStringInfo(&shown);
    for (const char *at = bytes; *at != '\0'; at++)
        appendStringInfo(&shown, IS_HIGHBIT_SET(*at) ? "\\x%02X" : "%c", (unsigned char)*at);
    return PointerGetDatum(cstring_to_text_with_len(shown.data, shown.len));
}

/* Makes an array of the type, of (name, value). */
static Datum fields_array(const StringInfoData *fields, Oid array_type)
{
    Oid type = get_element_type(array_type);
    TupleDesc shape = lookup_rowtype_tupdesc(type, -1);
    ArrayBuildState *array = initArrayResult(type, CurrentMemoryContext, false);
    const char *end = fields->data + fields->len;
    bool nulls[2] = { false, false };
    for (const char *name = fields->data; name < end;) {
        const char *value = name + strlen(name) + 1;
        Datum pair[2] = { field_text(name), field_text(value) };
        array = accumArrayResult(array, HeapTupleGetDatum(heap_form_tuple(shape, pair, nulls)), false, type,
                                 CurrentMemoryContext);
        name = value + strlen(value) + 1;
    }
    ReleaseTupleDesc(shape);
    return makeArrayResult(array, CurrentMemoryContext);
}

/* Fills in status, headers and body, from the column `first` on. */
static void fill(const struct answer *a, TupleDesc shape, int first, Datum *values)
{
    bytea *body = palloc((size_t)a->body.len + VARHDRSZ);
    SET_VARSIZE(body, (size_t)a->body.len + VARHDRSZ);
    memcpy(VARDATA(body), a->body.data, (size_t)a->body.len);
    values[first] = Int32GetDatum((int32)a->parser.status_code);
    values[first + 1] = fields_array(&a->fields, TupleDescAttr(shape, first + 1)->atttypid);
    values[first + 2] = PointerGetDatum(body);
}

/* Of (url, ca), a row of status, headers and body. */
Datum fetch_get(PG_FUNCTION_ARGS)
{
    struct fetch *f = palloc0(sizeof *f);
    struct batch b = { .fetches = f, .count = 1 };
    Datum values[3];
    bool nulls[3] = { false, false, false };
    TupleDesc shape;
    if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "tlsmem_get returns a row");
    shape = BlessTupleDesc(shape);
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    f->text = text_to_cstring(PG_GETARG_TEXT_PP(0));
    fetch_all(&b, chosen_ca(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1)));
    if (f->fault.sqlstate != 0)
        fault_raise(f);
    fill(&f->answer, shape, 0, values);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(shape, values, nulls)));
}

/* Of (urls, ca), rows of url, status, headers, body, error and sqlstate. */
Datum fetch_get_all(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *rows = (ReturnSetInfo *)fcinfo->resultinfo;
    struct batch b = { 0 };
    Datum *urls;
    bool *are_null;
    InitMaterializedSRF(fcinfo, 0);
    if (PG_ARGISNULL(0))
        return (Datum)0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &urls, &are_null, &b.count);
    b.fetches = MemoryContextAllocExtended(CurrentMemoryContext, sizeof *b.fetches * (size_t)Max(b.count, 1),
                                           MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
    for (int i = 0; i < b.count; i++)
        b.fetches[i].text = are_null[i] ? NULL : TextDatumGetCString(urls[i]);
    fetch_all(&b, chosen_ca(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1)));
    for (int i = 0; i < b.count; i++) {
        const struct fetch *f = &b.fetches[i];
        bool failed = f->fault.sqlstate != 0;
        Datum values[6] = { are_null[i] ? (Datum)0 : urls[i] };
        bool nulls[6] = { are_null[i], failed, failed, failed, !failed, !failed };
        if (!failed) {
            fill(&f->answer, rows->setDesc, 1, values);
        } else {
            values[4] = CStringGetTextDatum(f->fault.sentence);
            values[5] = CStringGetTextDatum(unpack_sql_state(f->fault.sqlstate));
        }
        tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
    }
    return (Datum)0;
}

/* shim_facts.c - what libtlsmem knows of a connection. */
#include <string.h>

#include "native.h"
#include "shim.h"

SSL *tls_native(struct tls *tls)
{
    return tlsmem_native(tls->c);
}

void tls_facts(struct tls *tls, struct facts *facts)
{
    tlsmem_stats_info stats = TLSMEM_STATS_INFO_INIT;
    tlsmem_early_data early = tlsmem_early_data_status(tls->c);
    *facts = (struct facts){
        .version = tlsmem_protocol(tls->c),
        .cipher = tlsmem_cipher_id(tls->c),
        .group = tlsmem_group_id(tls->c),
        .peer_scheme = tlsmem_signature_id(tls->c),
        .resumed = tlsmem_is_resumed(tls->c),
        .early_accepted = early == TLSMEM_EARLY_ACCEPTED,
        .server_name = tlsmem_server_name(tls->c),
        .client_hellos = tls->client_hellos,
    };
    if (tlsmem_alpn(tls->c, &facts->alpn, &facts->alpn_bytes) != TLSMEM_OK)
        facts->alpn = "", facts->alpn_bytes = 0;
    if (tlsmem_stats(tls->c, &stats) == TLSMEM_OK && facts->version < TLSMEM_TLS1_3)
        facts->renegotiations = (int)stats.key_updates_in;
}

/* The runner exports under an empty label as a rule, which libtlsmem refuses; and from TLS without extended master secret. */
bool tls_export(struct tls *tls, const char *label, const char *context, void *bytes, size_t n)
{
    int status = tlsmem_export_keying_material(tls->c, label, context, context != NULL ? strlen(context) : 0, bytes, n);
    bool refuses = status == TLSMEM_EINVAL || status == TLSMEM_ESTATE;
    return status == TLSMEM_OK || (refuses && native_export(tlsmem_native(tls->c), label, context, bytes, n));
}

ptrdiff_t tls_unique(struct tls *tls, void *bytes, size_t n)
{
    ptrdiff_t length = tlsmem_channel_binding(tls->c, TLSMEM_BINDING_UNIQUE, bytes, n);
    if (length == TLSMEM_ESTATE && tlsmem_protocol(tls->c) < TLSMEM_TLS1_3)
        unimplemented("tls-unique without extended master secret"); /* RFC 7627, 5.4: nothing may be bound to it */
    return length < 0 ? -1 : length;
}

ptrdiff_t tls_peer_certificate(struct tls *tls, size_t index, void *der, size_t n)
{
    ptrdiff_t length = tlsmem_peer_chain(tls->c, index, der, n);
    return length < 0 ? -1 : length;
}

ptrdiff_t tls_ocsp_response(struct tls *tls, void *der, size_t n)
{
    ptrdiff_t length = tlsmem_ocsp_response(tls->c, der, n);
    return length < 0 ? -1 : length;
}

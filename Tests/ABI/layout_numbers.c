/* The numbers of every status and constant, and what the _INIT macros say; see layout.h. */
#include "layout.h"

HOLDS(sizeof(void *) == 8 && sizeof(long) == 8 && sizeof(int) == 4);

HOLDS(sizeof(tlsmem_status) == 4);
HOLDS(TLSMEM_OK == 0);
HOLDS(TLSMEM_AGAIN == -1);
HOLDS(TLSMEM_CLOSED == -2);
HOLDS(TLSMEM_EINVAL == -3);
HOLDS(TLSMEM_ESTATE == -4);
HOLDS(TLSMEM_ENOMEM == -5);
HOLDS(TLSMEM_ESYSTEM == -6);
HOLDS(TLSMEM_ECONFIG == -7);
HOLDS(TLSMEM_ENAME == -8);
HOLDS(TLSMEM_ENOTRUST == -9);
HOLDS(TLSMEM_ENOIDENTITY == -10);
HOLDS(TLSMEM_ELIMIT == -11);
HOLDS(TLSMEM_ETIMEOUT == -12);
HOLDS(TLSMEM_EABORTED == -13);
HOLDS(TLSMEM_ERESET == -14);
HOLDS(TLSMEM_ETRUNCATED == -15);
HOLDS(TLSMEM_EHANDSHAKEEOF == -16);
HOLDS(TLSMEM_ENOTTLS == -17);
HOLDS(TLSMEM_EPROTOCOL == -18);
HOLDS(TLSMEM_EALERT == -19);
HOLDS(TLSMEM_EVERSION == -20);
HOLDS(TLSMEM_ECIPHER == -21);
HOLDS(TLSMEM_EALPN == -22);
HOLDS(TLSMEM_EVERIFY == -23);
HOLDS(TLSMEM_EHOST == -24);
HOLDS(TLSMEM_EEXPIRED == -25);
HOLDS(TLSMEM_ENOCERT == -26);
HOLDS(TLSMEM_EREJECTED == -27);
HOLDS(TLSMEM_EINTERNAL == -28);
HOLDS(TLSMEM_ERESOLVE == -29);
HOLDS(TLSMEM_ECONNECT == -30);
HOLDS(TLSMEM_ESESSION == -31);
HOLDS(TLSMEM_EPIN == -32);
HOLDS(TLSMEM_EREFUSED == -33);
HOLDS(TLSMEM_LATER == -34);
HOLDS(TLSMEM_EOCSP == -35);
HOLDS(TLSMEM_EPSK == -36);
HOLDS(TLSMEM_ESIGN == -37);

HOLDS(sizeof(tlsmem_role) == 4);
HOLDS(TLSMEM_CLIENT == 1);
HOLDS(TLSMEM_SERVER == 2);

HOLDS(sizeof(tlsmem_protocol_version) == 4);
HOLDS(TLSMEM_TLS1_2 == 0x0303);
HOLDS(TLSMEM_TLS1_3 == 0x0304);

HOLDS(sizeof(tlsmem_preset) == 4);
HOLDS(TLSMEM_PRESET_MODERN == 1);
HOLDS(TLSMEM_PRESET_INTERMEDIATE == 2);

HOLDS(sizeof(tlsmem_alpn_policy) == 4);
HOLDS(TLSMEM_ALPN_STRICT == 0);
HOLDS(TLSMEM_ALPN_LENIENT == 1);
HOLDS(TLSMEM_ALPN_REQUIRED == 2);

HOLDS(sizeof(tlsmem_renegotiation) == 4);
HOLDS(TLSMEM_RENEGOTIATE_NEVER == 0);
HOLDS(TLSMEM_RENEGOTIATE_ALWAYS == 1);
HOLDS(TLSMEM_RENEGOTIATE_ONCE == 2);

HOLDS(sizeof(tlsmem_verify) == 4);
HOLDS(TLSMEM_VERIFY_NONE == 0);
HOLDS(TLSMEM_VERIFY_OPTIONAL == 1);
HOLDS(TLSMEM_VERIFY_REQUIRED == 2);
HOLDS(TLSMEM_VERIFY_LATER == 3);

HOLDS(sizeof(tlsmem_crl_check) == 4);
HOLDS(TLSMEM_CRL_NONE == 0);
HOLDS(TLSMEM_CRL_LEAF == 1);
HOLDS(TLSMEM_CRL_CHAIN == 2);

HOLDS(sizeof(tlsmem_purpose) == 4);
HOLDS(TLSMEM_PURPOSE_PEER == 0);
HOLDS(TLSMEM_PURPOSE_INSECURE_ANY == 1);

HOLDS(sizeof(tlsmem_ticket_mode) == 4);
HOLDS(TLSMEM_TICKETS_WITH_WRITE == 0);
HOLDS(TLSMEM_TICKETS_WITH_HANDSHAKE == 1);
HOLDS(TLSMEM_TICKETS_NEVER == 2);

HOLDS(sizeof(tlsmem_trace_kind) == 4);
HOLDS(TLSMEM_TRACE_RECORD == 1);
HOLDS(TLSMEM_TRACE_CONTENT == 2);
HOLDS(TLSMEM_TRACE_MESSAGE == 3);

HOLDS(sizeof(tlsmem_question) == 4);
HOLDS(TLSMEM_QUESTION_NONE == 0);
HOLDS(TLSMEM_QUESTION_CLIENT_HELLO == 1);
HOLDS(TLSMEM_QUESTION_VERIFY == 2);
HOLDS(TLSMEM_QUESTION_OCSP == 3);
HOLDS(TLSMEM_QUESTION_PSK == 4);
HOLDS(TLSMEM_QUESTION_SESSION == 5);
HOLDS(TLSMEM_QUESTION_SIGN == 6);
HOLDS(TLSMEM_QUESTION_CLIENT_CERT == 7);

HOLDS(sizeof(tlsmem_state) == 4);
HOLDS(TLSMEM_STATE_NEW == 0);
HOLDS(TLSMEM_STATE_HANDSHAKING == 1);
HOLDS(TLSMEM_STATE_OPEN == 2);
HOLDS(TLSMEM_STATE_CLOSING == 3);
HOLDS(TLSMEM_STATE_CLOSED == 4);
HOLDS(TLSMEM_STATE_CONNECTING == 5);

HOLDS(sizeof(tlsmem_timeout) == 4);
HOLDS(TLSMEM_TIMEOUT_HANDSHAKE == 1);
HOLDS(TLSMEM_TIMEOUT_IDLE == 2);
HOLDS(TLSMEM_TIMEOUT_READ == 3);
HOLDS(TLSMEM_TIMEOUT_WRITE == 4);
HOLDS(TLSMEM_TIMEOUT_CLOSE == 5);

HOLDS(sizeof(tlsmem_early_data) == 4);
HOLDS(TLSMEM_EARLY_NONE == 0);
HOLDS(TLSMEM_EARLY_ACCEPTED == 1);
HOLDS(TLSMEM_EARLY_REJECTED == 2);

HOLDS(sizeof(tlsmem_binding) == 4);
HOLDS(TLSMEM_BINDING_EXPORTER == 1);
HOLDS(TLSMEM_BINDING_SERVER_END_POINT == 2);
HOLDS(TLSMEM_BINDING_UNIQUE == 3);

HOLDS(TLSMEM_VERSION_NUMBER == ((TLSMEM_VERSION_MAJOR << 16) | (TLSMEM_VERSION_MINOR << 8) | TLSMEM_VERSION_PATCH));

HOLDS(TLSMEM_WIRE_NEVER == UINT64_MAX);

/* The _INIT macros are constant, complete, and say the right size. */
typedef struct every_init {
    tlsmem_error_info error_info;
    tlsmem_limits limits;
    tlsmem_ticket_key ticket_key;
    tlsmem_reply reply;
    tlsmem_session_callbacks session_callbacks;
    tlsmem_ctx_stats_info ctx_stats_info;
    tlsmem_report_info report_info;
    tlsmem_callbacks callbacks;
    tlsmem_want_info want_info;
    tlsmem_peer_details peer_details;
    tlsmem_verify_details verify_details;
    tlsmem_ocsp_details ocsp_details;
    tlsmem_stats_info stats_info;
    tlsmem_loop_options loop_options;
    tlsmem_connect_options connect_options;
    tlsmem_listen_options listen_options;
    tlsmem_wire_faults wire_faults;
    tlsmem_wire_stats_info wire_stats_info;
    tlsmem_loop_stats_info loop_stats_info;
} every_init;
extern const every_init tlsmem_layout_inits;
const every_init tlsmem_layout_inits = {
    TLSMEM_ERROR_INFO_INIT, TLSMEM_LIMITS_INIT, TLSMEM_TICKET_KEY_INIT, TLSMEM_REPLY_INIT,
    TLSMEM_SESSION_CALLBACKS_INIT, TLSMEM_CTX_STATS_INFO_INIT, TLSMEM_REPORT_INFO_INIT, TLSMEM_CALLBACKS_INIT,
    TLSMEM_WANT_INFO_INIT, TLSMEM_PEER_DETAILS_INIT, TLSMEM_VERIFY_DETAILS_INIT, TLSMEM_OCSP_DETAILS_INIT,
    TLSMEM_STATS_INFO_INIT, TLSMEM_LOOP_OPTIONS_INIT, TLSMEM_CONNECT_OPTIONS_INIT, TLSMEM_LISTEN_OPTIONS_INIT,
    TLSMEM_WIRE_FAULTS_INIT, TLSMEM_WIRE_STATS_INFO_INIT, TLSMEM_LOOP_STATS_INFO_INIT
};

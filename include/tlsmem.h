/*
 * tlsmem.h - TLS for programs that keep their own sockets.
 *
 * SPDX-License-Identifier: MIT
 *
 * OpenSSL speaks the TLS protocol and sees nothing but memory; every byte that crosses the network is moved by
 * this library's own recv and send, or by the program itself. One object, `tlsmem`, is one TLS connection. It can
 * be driven in three ways, and may change from one to another in the middle of a connection:
 *
 *   buffers    tlsmem_feed, tlsmem_outgoing_peek, tlsmem_outgoing_consume: the program moves the ciphertext
 *   fd         tlsmem_set_fd, tlsmem_on_readable, tlsmem_on_writable, tlsmem_interest: the program has a loop
 *   registry   tlsmem_loop_listen, tlsmem_loop_add, tlsmem_loop_run: the library has the loop (epoll)
 *
 * CONVENTIONS
 *
 * Results    A function that can fail returns int (TLSMEM_OK on success) or ptrdiff_t (a count, 0 or more). A
 *            negative value is a tlsmem_status. TLSMEM_AGAIN means "nothing could be done now" and is no failure.
 *            Out-parameters are written only on success.
 * const      A function whose first parameter is const does not change the object.
 * Pointers   A pointer obtained from an object is valid until the next call on that object whose first parameter
 *            is not const. Whatever is passed in is copied, unless the comment says otherwise.
 * Structs    Every struct begins with `size`; one that the program makes is made with its _INIT macro. Structs only grow
 *            at their end, so a program built against an older header keeps working.
 * NULL       A NULL object gives TLSMEM_EINVAL (or 0, or NULL); freeing NULL does nothing. A NULL buffer is
 *            accepted only with length 0. A length above PTRDIFF_MAX, which is what a negative one turns into,
 *            gives TLSMEM_EINVAL.
 * Callbacks  Optional, all of them: what a callback reports can also be asked for. Inside a callback every call is
 *            allowed on every object of the same thread, tlsmem_free of the object it came from included. A call
 *            "may call back" only where its comment says so; made from inside a callback of the same connection,
 *            it returns first, and what it caused is reported after that callback has returned.
 * Threads    A connection and a loop belong to one thread at a time; different ones may be used by different
 *            threads at once. A connection may be handed to another thread when it is in no loop and none of its
 *            callbacks is running; tlsmem_loop_move does it for a live one. A context may be shared once it is set up
 *            (tlsmem_new freezes it). Only tlsmem_loop_stop, tlsmem_loop_wake, tlsmem_loop_post, tlsmem_loop_drain,
 *            the loop that tlsmem_loop_move and tlsmem_listener_add_loop are given, tlsmem_answer, tlsmem_ctx_ref,
 *            tlsmem_ctx_free, tlsmem_ctx_reload, tlsmem_ctx_stats, tlsmem_metrics, and the setters of ticket keys and of OCSP
 *            responses may be called on an object that another thread is using. The library starts threads for one thing only: the
 *            resolver blocks, so tlsmem_loop_connect with a name asks it in threads of its own.
 * fork       What was made before is the parent's. A child may free it, which sends nothing, shuts nothing down, and closes
 *            only its own copies of descriptors: the parent's epoll set, and the file of a Unix socket, stay. To the child
 *            a loop is as one that is being freed: whatever would add to it, wait or run returns TLSMEM_ESTATE, or NULL.
 *            One of the two may go on with a connection, if the other only frees it; the child takes it out of the
 *            parent's loop first (tlsmem_loop_remove). New contexts, loops and connections are as in any process. A child
 *            that was made inside a callback does not return from it. For all this there are fork handlers
 *            (pthread_atfork). What another thread of the parent had locked in OpenSSL stays locked in the child, and
 *            SSL_free locks: with threads, a child calls exec or _exit, or frees and makes nothing.
 * Misuse     What is used after its free, or by two threads at once, is undefined in the library as it is installed. A debug
 *            build of it (swift build: .build/debug/libtlsmem.so) sees it: a handle of any kind that was freed, one of
 *            another kind, a pointer that is none, and a connection or a loop that another thread is inside of, or whose
 *            loop is running in another thread. It says which function and what in one sentence on stderr, by
 *            tlsmem_misused, a place for a breakpoint, and the call does and returns what it does for NULL.
 * Process    The library closes no fd that it did not open (unless told), installs no signal or exit handler,
 *            raises no SIGPIPE, never sleeps or prints. It reads no environment, beyond what OpenSSL reads for its
 *            configuration file, the resolver for its own, tlsmem_ctx_set_ca_system for the system's authorities, and
 *            tlsmem_inherited_fd for the service manager's sockets. It loads one library at run time: libidn2, for the
 *            first international name.
 *            Others in the process may use OpenSSL as well: what they leave in its error queue is not taken for a failure
 *            here, and may be gone after a call. The shared library stays loaded after dlclose, for the sake of live
 *            connections and of threads that end later; a static copy of it may be there too.
 *            Signals may come at any time, with SA_RESTART or without: they end no more than a wait of
 *            tlsmem_loop_run_once, which then returns 0. Descriptors 0, 1 and 2 are as any others, should they be free.
 *            A thread needs 64 KiB of stack, and what the program's own callbacks take. The time of day may jump: it decides
 *            about certificates, sessions, early data and ticket keys only.
 *            If the system has no memory left for one of the library's own few small objects, the process is ended there
 *            and then, by a trap: SIGILL on x86-64, SIGTRAP on AArch64. OpenSSL's allocations, and those of whatever is
 *            large or a peer's, that fail come back as TLSMEM_ENOMEM.
 */
#ifndef TLSMEM_H
#define TLSMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TLSMEM_CHECK __attribute__((warn_unused_result))
#else
#define TLSMEM_CHECK
#endif

/* ------------------------------------------------------------------------------------------------- library */

#define TLSMEM_VERSION_MAJOR 0
#define TLSMEM_VERSION_MINOR 1
#define TLSMEM_VERSION_PATCH 0
/** The version as one number: 0x00MMmmpp. */
#define TLSMEM_VERSION_NUMBER ((TLSMEM_VERSION_MAJOR << 16) | (TLSMEM_VERSION_MINOR << 8) | TLSMEM_VERSION_PATCH)

/** Returns the version of the library that runs, to be compared with TLSMEM_VERSION_NUMBER. Any thread. */
unsigned tlsmem_version(void);
/** Returns the same as text, "0.1.0"; static. Any thread. */
const char *tlsmem_version_string(void);
/** Returns the version of the OpenSSL that runs, "OpenSSL 3.0.19 ..."; static. Any thread. */
const char *tlsmem_openssl_version(void);

/* -------------------------------------------------------------------------------------------------- status */

/** What a call or a connection ended with. Values never change; new ones are appended. */
typedef enum tlsmem_status {
    TLSMEM_OK = 0,           /**< done */
    TLSMEM_AGAIN = -1,       /**< nothing could be done now; no failure */
    TLSMEM_CLOSED = -2,      /**< the connection has ended cleanly; no failure */
    TLSMEM_EINVAL = -3,      /**< an argument is NULL, out of range, or a struct has a wrong size */
    TLSMEM_ESTATE = -4,      /**< the call does not fit the state of the object */
    TLSMEM_ENOMEM = -5,      /**< OpenSSL could not allocate */
    TLSMEM_ESYSTEM = -6,     /**< a system call failed: see sys_errno */
    TLSMEM_ECONFIG = -7,     /**< a setting was refused: unreadable, unparsable, unknown, or not fitting another */
    TLSMEM_ENAME = -8,       /**< a client that verifies was given no server name */
    TLSMEM_ENOTRUST = -9,    /**< verification is on and no certificate authority was set */
    TLSMEM_ENOIDENTITY = -10, /**< a server has no certificate and key, or none for the name that the client asks for */
    TLSMEM_ELIMIT = -11,     /**< the peer went past a limit of tlsmem_limits */
    TLSMEM_ETIMEOUT = -12,   /**< a deadline of tlsmem_limits passed */
    TLSMEM_EABORTED = -13,   /**< ended by tlsmem_abort, tlsmem_loop_free, or tlsmem_close before the handshake */
    TLSMEM_ERESET = -14,     /**< the transport was reset, or refused what was left to send */
    TLSMEM_ETRUNCATED = -15, /**< end of file without close_notify: the peer's data may be cut (RFC 8446, 6.1) */
    TLSMEM_EHANDSHAKEEOF = -16, /**< end of file during the handshake */
    TLSMEM_ENOTTLS = -17,    /**< the first bytes of the peer are not TLS */
    TLSMEM_EPROTOCOL = -18,  /**< the peer broke the protocol, or its records do not decrypt */
    TLSMEM_EALERT = -19,     /**< the peer ended the connection with an alert not listed below: see alert_received */
    TLSMEM_EVERSION = -20,   /**< no common protocol version (RFC 8446, alert 70) */
    TLSMEM_ECIPHER = -21,    /**< no common cipher, group or signature algorithm (alert 40 or 71) */
    TLSMEM_EALPN = -22,      /**< no common application protocol (RFC 7301, alert 120) */
    TLSMEM_EVERIFY = -23,    /**< the peer's certificate is not trusted: see verify_result */
    TLSMEM_EHOST = -24,      /**< the peer's certificate is for another name or address */
    TLSMEM_EEXPIRED = -25,   /**< the peer's certificate is not valid at this time */
    TLSMEM_ENOCERT = -26,    /**< the peer sent no certificate, and one is required */
    TLSMEM_EREJECTED = -27,  /**< the peer refuses our certificate, or misses one (alerts 42 to 46, 48, 49, 113, 116) */
    TLSMEM_EINTERNAL = -28,  /**< OpenSSL failed in a way that is none of the above: see openssl_code */
    TLSMEM_ERESOLVE = -29,   /**< the host name to connect to has no address: see the sentence */
    TLSMEM_ECONNECT = -30,   /**< no address could be connected to: see sys_errno, and the sentence for each of them */
    TLSMEM_ESESSION = -31,   /**< no session: the bytes are none, or it has expired */
    TLSMEM_EPIN = -32,       /**< the peer has no key that is pinned (tlsmem_ctx_add_pin) */
    TLSMEM_EREFUSED = -33,   /**< the program refused it by itself: its tlsmem_client_hello_cb the client (see alert_sent),
                              *   or its tlsmem_client_cert_cb to go on with a server that wants a certificate */
    TLSMEM_LATER = -34,      /**< of a callback that is asked something: tlsmem_answer has the answer, now or later */
    TLSMEM_EOCSP = -35,      /**< no good OCSP response for the server's certificate (tlsmem_ctx_request_ocsp; alert 113) */
    TLSMEM_EPSK = -36,       /**< the peer does not know the identity, or has another key for it (tlsmem_ctx_set_psk;
                              *   alert 115) */
    TLSMEM_ESIGN = -37       /**< a key that is held elsewhere has not signed (tlsmem_ctx_set_sign_cb), or wrongly: see the
                              *   sentence */
} tlsmem_status;

/** Returns the name of a status, "TLSMEM_EINVAL", or "TLSMEM_?"; static. Any thread. */
const char *tlsmem_status_name(int status);
/** Returns one sentence about a status; static. Any thread. */
const char *tlsmem_strerror(int status);

/** The whole truth about a failure, as a value. */
typedef struct tlsmem_error_info {
    size_t size;
    int status;                 /**< a tlsmem_status; TLSMEM_OK when nothing has failed */
    int alert_sent;             /**< the fatal alert that we sent (RFC 8446, 6.2), or -1 */
    int alert_received;         /**< the fatal alert that the peer sent, or -1 */
    int verify_depth;           /**< where in the chain verification failed, 0 is the peer itself; or -1 */
    long verify_result;         /**< OpenSSL's X509_V_ERR_..., or 0 */
    unsigned long openssl_code; /**< OpenSSL's packed error code, for ERR_error_string_n; or 0 */
    int sys_errno;              /**< errno of the system call that failed, or 0 */
    char sentence[256];         /**< what happened and why, for a person */
} tlsmem_error_info;
#define TLSMEM_ERROR_INFO_INIT { sizeof(tlsmem_error_info), 0, -1, -1, -1, 0, 0, 0, { 0 } }

/* ------------------------------------------------------------------------------------------------- context */

typedef struct tlsmem tlsmem;                   /**< one TLS connection */
typedef struct tlsmem_ctx tlsmem_ctx;           /**< what many connections have in common */
typedef struct tlsmem_loop tlsmem_loop;         /**< an epoll loop and its registry */
typedef struct tlsmem_listener tlsmem_listener; /**< a listening socket in a loop */
typedef struct tlsmem_timer tlsmem_timer;       /**< a timer in a loop */
typedef struct tlsmem_session tlsmem_session;   /**< what a client comes back to a server with */

typedef enum tlsmem_role { TLSMEM_CLIENT = 1, TLSMEM_SERVER = 2 } tlsmem_role;

/** Protocol versions, by their numbers on the wire. */
typedef enum tlsmem_protocol_version { TLSMEM_TLS1_2 = 0x0303, TLSMEM_TLS1_3 = 0x0304 } tlsmem_protocol_version;

/** Versions, ciphers and groups that go together: Mozilla's guide "Server Side TLS", version 5.7 of 2023-05-15, but
 *  without DHE, which version 5.8 has no more. */
typedef enum tlsmem_preset {
    TLSMEM_PRESET_MODERN = 1,      /**< TLS 1.3 only */
    TLSMEM_PRESET_INTERMEDIATE = 2 /**< TLS 1.2, with forward secrecy and authenticated encryption only, and 1.3 (a server's
                                    *   default) */
} tlsmem_preset;

/** What happens when two ends have no application protocol in common, or one of them speaks of none (RFC 7301). */
typedef enum tlsmem_alpn_policy {
    TLSMEM_ALPN_STRICT = 0,  /**< nothing in common ends the handshake; a peer that speaks of none goes on (the default) */
    TLSMEM_ALPN_LENIENT = 1, /**< the connection goes on without one */
    TLSMEM_ALPN_REQUIRED = 2 /**< a protocol in common, or no connection */
} tlsmem_alpn_policy;

/** How often the handshake may be repeated on a connection of TLS 1.2. */
typedef enum tlsmem_renegotiation {
    TLSMEM_RENEGOTIATE_NEVER = 0,  /**< whoever asks is refused (the default) */
    TLSMEM_RENEGOTIATE_ALWAYS = 1, /**< the peer as often as update_rate and update_burst say, we as often as we like */
    TLSMEM_RENEGOTIATE_ONCE = 2    /**< once, whoever begins it; the next who asks is refused */
} tlsmem_renegotiation;

/** Whether the peer must prove who it is. */
typedef enum tlsmem_verify {
    TLSMEM_VERIFY_NONE = 0,     /**< a server asks for no client certificate (its default) */
    TLSMEM_VERIFY_OPTIONAL = 1, /**< a server asks; a certificate that comes must be good */
    TLSMEM_VERIFY_REQUIRED = 2, /**< a good certificate or no connection (the default of a client) */
    TLSMEM_VERIFY_LATER = 3     /**< a server of TLS 1.3 asks after the handshake, when tlsmem_request_certificate is called,
                                 *   and then requires it; one of TLS 1.2, which cannot, as TLSMEM_VERIFY_REQUIRED */
} tlsmem_verify;

/** Which of the peer's certificates must be on no certificate revocation list. */
typedef enum tlsmem_crl_check {
    TLSMEM_CRL_NONE = 0, /**< none is looked for (the default without lists) */
    TLSMEM_CRL_LEAF = 1, /**< the peer's own */
    TLSMEM_CRL_CHAIN = 2 /**< the whole chain (the default with a list) */
} tlsmem_crl_check;

/** What the peer's certificates have to be made for (extended key usage: RFC 5280, 4.2.1.12). */
typedef enum tlsmem_purpose {
    TLSMEM_PURPOSE_PEER = 0,        /**< for servers on a client, for clients on a server (the default) */
    TLSMEM_PURPOSE_INSECURE_ANY = 1 /**< for anything: whoever has a certificate for mail, say, can be your server */
} tlsmem_purpose;

/** When a server gives its clients session tickets. */
typedef enum tlsmem_ticket_mode {
    TLSMEM_TICKETS_WITH_WRITE = 0,     /**< TLS 1.3: with the first tlsmem_write (the default) */
    TLSMEM_TICKETS_WITH_HANDSHAKE = 1, /**< TLS 1.3: as soon as the handshake is done */
    TLSMEM_TICKETS_NEVER = 2           /**< none, in TLS 1.2 either */
} tlsmem_ticket_mode;

/** Limits and deadlines of every connection of a context. 0 in a field that ends in _ms means "no deadline". */
typedef struct tlsmem_limits {
    size_t size;
    size_t outgoing_max;   /**< bytes that the program makes wait to be sent: hard; 32768 to 2147483647 */
    size_t outgoing_low;   /**< bytes: on_drain fires when what waits falls to this */
    size_t incoming_max;   /**< bytes of plaintext waiting to be read; then the socket is not read */
    size_t control_max;    /**< bytes that the peer makes wait and does not take: alerts, answers to its KeyUpdates */
    size_t wake_max;       /**< bytes taken from the kernel for one readiness event */
    size_t cert_list_max;  /**< bytes of the peer's certificate chain */
    uint32_t update_rate;  /**< KeyUpdates and renegotiations that the peer may ask for, a second, in the long run */
    uint32_t update_burst; /**< the same, at once */
    uint32_t handshake_ms; /**< from when it is given an fd, or is driven without one, to established */
    uint32_t idle_ms;      /**< without a byte in either direction */
    uint32_t close_ms;     /**< from tlsmem_close, or from a failure, to the end */
    uint32_t read_ms;      /**< established, reading, and without a byte from the peer */
    uint32_t write_ms;     /**< established, with bytes waiting to be sent, and none of them taken */
    size_t outgoing_high;  /**< bytes: with more waiting it is congested (tlsmem_is_congested); from outgoing_max on: never */
    size_t incoming_low;   /**< bytes: after incoming_max the socket is read again once what waits has fallen to this */
    uint32_t buffers_ms;   /**< OpenSSL's record buffers (16 to 33 KB) are given back after so long without a byte in either
                            *   direction: for connections that are busy most of the time. 0: after each record */
} tlsmem_limits;
/** The defaults. */
#define TLSMEM_LIMITS_INIT                                                                                      \
    { sizeof(tlsmem_limits), 1048576, 262144, 262144, 65536, 262144, 102400, 100, 1024, 10000, 0, 5000, 0, 0, \
      524288, 131072, 0 }

/**
 * Makes a context: TLS 1.2 and 1.3, verification on for clients.
 *
 * A server begins with TLSMEM_PRESET_INTERMEDIATE. A client begins with what OpenSSL, or its configuration file, offers,
 * less the ciphers without forward secrecy, static RSA (RFC 9325, 4.1): others with CBC stay, for the sake of old servers.
 *
 * Returns the context, which the caller owns (tlsmem_ctx_free); NULL for an unknown role or without memory.
 */
tlsmem_ctx *tlsmem_ctx_new(tlsmem_role role) TLSMEM_CHECK;
/** Adds an owner. Returns ctx. Any thread. */
tlsmem_ctx *tlsmem_ctx_ref(tlsmem_ctx *ctx);
/** Gives up one ownership; connections keep their context alive by themselves. Any thread. */
void tlsmem_ctx_free(tlsmem_ctx *ctx);

/*
 * Every setter returns TLSMEM_OK; TLSMEM_EINVAL for NULL or a value out of range; TLSMEM_ECONFIG when OpenSSL
 * refused it; TLSMEM_ENOMEM; TLSMEM_ESTATE once a connection was made from the context, unless its comment says that it
 * may be called later. A refused setting leaves
 * the context as it was, and tlsmem_ctx_error says in a sentence what was refused and why, a value out of range
 * included; only NULL, a length that was negative, and TLSMEM_ESTATE have none. They call nothing back, but for the
 * password of what is encrypted.
 */

/*
 * Files are regular ones of at most 1 MiB, or 16 MiB where they hold what we trust: anything else, which might block or
 * never end, is refused with TLSMEM_ECONFIG. They are read whole and not kept open, and wiped in memory after; the twins
 * that end in _mem take the same bytes. Each may be PEM or DER, whatever the file is called.
 */

/** Sets our certificate, followed by its chain. One that does not fit a key already set is refused. */
int tlsmem_ctx_set_cert_file(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
int tlsmem_ctx_set_cert_mem(tlsmem_ctx *ctx, const void *bytes, size_t n) TLSMEM_CHECK;
/**
 * Sets our private key: PKCS#8, PKCS#1 or SEC 1, encrypted or not (tlsmem_ctx_set_password_cb). The first one counts
 * of a PEM text that has several, or certificates besides. One that does not fit a certificate already set is refused; to
 * change both, tlsmem_ctx_add_keypair takes them together.
 */
int tlsmem_ctx_set_key_file(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
int tlsmem_ctx_set_key_mem(tlsmem_ctx *ctx, const void *bytes, size_t n) TLSMEM_CHECK;

/**
 * Asked for the password of something encrypted that a setter is to load: at most `size` bytes, without a zero at the end,
 * are written to `password`, which is wiped when the setter returns. `subject` is the path, NULL for what comes from memory.
 * Runs inside the setter, in its thread; it must not free the context, nor make connections from it. The one function of
 * the program that is called while a key is being loaded.
 *
 * Returns the length, 0 or more; a negative number when there is no password.
 */
typedef ptrdiff_t (*tlsmem_password_cb)(char *password, size_t size, const char *subject, void *user);
/**
 * Sets who knows the passwords of encrypted keys, for the setters that are called after it. NULL, the default: nobody
 * does, and what is encrypted is refused. Nobody is ever asked on a terminal.
 */
int tlsmem_ctx_set_password_cb(tlsmem_ctx *ctx, tlsmem_password_cb cb, void *user) TLSMEM_CHECK;

/**
 * Sets certificate, key and chain from one file (PKCS#12, RFC 7292; ".p12", ".pfx"), in place of those of
 * tlsmem_ctx_set_cert_file and tlsmem_ctx_set_key_file, also when they have another type of key.
 *
 * `password` is UTF-8. NULL: tlsmem_ctx_set_password_cb's is asked, or without one there is none, or an empty one. What is
 * encrypted with an algorithm that this OpenSSL has given up (RC2-40, in files of old programs) is refused, and the
 * sentence says so: `openssl pkcs12 -legacy` converts it.
 */
int tlsmem_ctx_set_pkcs12(tlsmem_ctx *ctx, const char *path, const char *password) TLSMEM_CHECK;
int tlsmem_ctx_set_pkcs12_mem(tlsmem_ctx *ctx, const void *der, size_t n, const char *password) TLSMEM_CHECK;

/**
 * Adds a certificate with its chain and its key, both as in tlsmem_ctx_set_cert_file and tlsmem_ctx_set_key_file.
 *
 * With name NULL it stands beside the pair that these have set, so that one context has RSA, ECDSA and Ed25519, and the
 * peer's algorithms decide; in place of it, if it has the same type of key. With a name it is for the clients of a server
 * that ask for that name (SNI), and one name may have a pair for each type of key. A name is "a.example", or "*.example.org"
 * for any one label in front of the rest (RFC 9525, 6.3), which counts where the whole name is not there; it is compared
 * without case, and may be international, as in tlsmem_set_server_name. Who asks for no name, or for one that is not
 * there, gets the pairs of no name (see tlsmem_ctx_set_sni_strict); without such, the handshake is refused with the alert
 * unrecognized_name, and ends with TLSMEM_ENOIDENTITY. Thousands of names may be added.
 *
 * With NULL for the key it is held elsewhere: tlsmem_ctx_set_sign_cb, which has to be called before.
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL for NULL, or for a name on a client; TLSMEM_ECONFIG also for what is no name, for a
 * certificate that is not for the name, and for a key that is not the certificate's; and as every setter.
 */
int tlsmem_ctx_add_keypair(tlsmem_ctx *ctx, const char *name, const char *cert_path, const char *key_path) TLSMEM_CHECK;
int tlsmem_ctx_add_keypair_mem(tlsmem_ctx *ctx, const char *name, const void *cert, size_t cert_n, const void *key,
                               size_t key_n) TLSMEM_CHECK;
/**
 * Says, with strict not 0, that a client which asks for a name that was not added (tlsmem_ctx_add_keypair) is refused with
 * the alert unrecognized_name, 112 (RFC 6066, 3), and the connection ends with TLSMEM_ENOIDENTITY. Default: it gets the
 * pairs of no name, as who asks for none does in both cases. TLSMEM_EINVAL on a client.
 *
 * With it, and wherever names were added, a session of TLS 1.2 is resumed only for the name that it was made with.
 */
int tlsmem_ctx_set_sni_strict(tlsmem_ctx *ctx, int strict) TLSMEM_CHECK;
/**
 * Sets what the authority says of our certificate, an OCSP response (RFC 6960), DER or PEM, which is given to clients that
 * ask for it ("stapled"; RFC 6066, 8). Set the certificate before. With several, of types or for names, each response goes
 * to those that it is about, by its CertID; a PEM text may have several responses. It takes the place of an earlier one for
 * the same certificate; a certificate that is set anew has none. Default: none is given, nor is one that has run out.
 *
 * A server renews it while it serves: unlike other setters, these may be called at any time, from any thread, also by several.
 * Connections that begin after it have the new response. After tlsmem_ctx_reload it is set for what has taken ctx's place.
 * Returns TLSMEM_OK; TLSMEM_ECONFIG when it cannot be read or parsed, is for none of our certificates, is not valid at this
 * time (5 minutes too early or too late are forgiven), or says that the responder has no answer: the earlier one stays;
 * TLSMEM_EINVAL for NULL, or for a client's context; TLSMEM_ENOMEM. What it says of the certificate is not looked at, nor
 * who has signed it: that is for clients to see.
 */
int tlsmem_ctx_set_ocsp_response(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
int tlsmem_ctx_set_ocsp_response_mem(tlsmem_ctx *ctx, const void *bytes, size_t n) TLSMEM_CHECK;

/**
 * Sets a key that both sides have from elsewhere (PSK; RFC 8446, 2.2; RFC 4279 and 5489 in TLS 1.2), and the identity by which
 * they call it. A client offers the one that was set last. A server takes all that were set; another key for an identity takes
 * the place of the first. The key is copied, and wiped when the context goes.
 *
 * The key proves to both sides who the other is, and no certificate is shown then: whatever is said of certificates,
 * authorities, names, pins, TLSMEM_VERIFY_REQUIRED, OCSP, does not hold for who has the key, and a server lets him in without
 * one. A server with keys needs no certificate, and a client with a key no authority: then a server that does not know the key
 * is refused, TLSMEM_EVERIFY, because nobody can vouch for its certificate. With certificates and authorities set as well,
 * either will do: peers that have the key use it, others do not. A client that trusts an authority needs a server name, too.
 *
 * Every key needs an identity of its own, and is for two peers only: who has it can be either of them. Its bytes are to be
 * random: what people can remember is found out by whoever has recorded, or offered, one handshake. The identity is sent in
 * the clear.
 *
 * Each key is for SHA-256 (RFC 8446, 4.2.11). Unless tlsmem_ctx_set_ciphers names others, the ciphers of TLS 1.3 with that
 * hash are put first, by a server's order, and those of TLS 1.2 that need no certificate before others: ECDHE-PSK, which has
 * forward secrecy, before PSK, which has none: who steals the key later reads what was recorded. RSA-PSK and DHE-PSK are left
 * out. In TLS 1.3 there is forward secrecy always, and no tickets are given to who has a key.
 *
 * What a server says of a key that is wrong: TLS 1.3 illegal_parameter (47), TLS 1.2 what any handshake that was tampered with
 * gets (bad_record_mac, 20, or decrypt_error, 51). Of an identity that is unknown: in TLS 1.2 the same, because a random key
 * is taken in its place; in TLS 1.3 nothing, and the handshake goes on by certificate, or ends with handshake_failure (40)
 * where there is none. So who tries can find out in TLS 1.3 which identities there are.
 *
 * Returns as every setter; TLSMEM_EINVAL, with a sentence, for an identity that is not 1 to 255 bytes of UTF-8, and for a key
 * of fewer than 16 bytes or more than 512.
 */
int tlsmem_ctx_set_psk(tlsmem_ctx *ctx, const char *identity, const void *key, size_t n) TLSMEM_CHECK;

/** Trusts the certificate authorities in a file. Each call adds. A server that asks for certificates names them to its
 *  clients, unless the names come to more than 64000 bytes in all (some 500 authorities): then none, which asks for any. */
int tlsmem_ctx_set_ca_file(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
/**
 * Trusts the authorities in a directory, under their hashed names (openssl rehash). OpenSSL opens its files, and the one of
 * SSL_CERT_FILE, when it needs them, and waits for one that is a FIFO: they must be files of people who are trusted.
 * TLSMEM_ECONFIG for a path with ':' in it, which OpenSSL takes for several.
 */
int tlsmem_ctx_set_ca_dir(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
/** Trusts the authorities in memory. Each call adds. */
int tlsmem_ctx_set_ca_mem(tlsmem_ctx *ctx, const void *bytes, size_t n) TLSMEM_CHECK;
/** Trusts what the system trusts: OpenSSL's default paths, or SSL_CERT_FILE and SSL_CERT_DIR of the environment. */
int tlsmem_ctx_set_ca_system(tlsmem_ctx *ctx) TLSMEM_CHECK;
/**
 * Sets whose certificates a server asks its clients for: the subjects of the certificates in a file, in place of those
 * of the authorities that it trusts by file or memory (RFC 8446, 4.2.4; RFC 5246, 7.4.4). A second call replaces the first.
 *
 * It helps a client to choose, and decides nothing: who is let in depends on whom the context trusts. TLSMEM_ECONFIG for a
 * client's context, too, and for more than 64000 bytes of names, which is what a handshake can carry.
 */
int tlsmem_ctx_set_accepted_ca_file(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
int tlsmem_ctx_set_accepted_ca_mem(tlsmem_ctx *ctx, const void *bytes, size_t n) TLSMEM_CHECK;

/**
 * Adds the certificate revocation lists in a file, PEM or DER (RFC 5280, 5). Each call adds.
 *
 * From the first on each certificate of a chain needs a list of its issuer's that is valid now and does not name it (but
 * see tlsmem_ctx_set_crl_check): without one the peer is refused, so do not let them run out. A list is read once; for a
 * newer one make a new context (tlsmem_ctx_reload).
 */
int tlsmem_ctx_add_crl(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
int tlsmem_ctx_add_crl_mem(tlsmem_ctx *ctx, const void *crl, size_t n) TLSMEM_CHECK;
/**
 * Says which certificates are looked for on revocation lists, whether or not lists were added: those in the directories of
 * tlsmem_ctx_set_ca_dir count as well (under their hashed names, HASH.r0), and are read when needed, newer ones too.
 *
 * Default: TLSMEM_CRL_CHAIN once a list was added, TLSMEM_CRL_NONE before. With TLSMEM_CRL_LEAF an authority between can be
 * revoked and still be believed.
 */
int tlsmem_ctx_set_crl_check(tlsmem_ctx *ctx, tlsmem_crl_check check) TLSMEM_CHECK;
/**
 * Has a client ask servers for what their authority says of their certificate, an OCSP response. One that comes must be good
 * (RFC 6066, 8): for this certificate, signed by its issuer or by who has that right from the issuer (RFC 6960, 4.2.2.2),
 * valid now (without a nextUpdate: a week from thisUpdate on), and saying "good", not "revoked" or "unknown". Otherwise the
 * server is refused with the alert 113, bad_certificate_status_response, and the connection ends with TLSMEM_EOCSP.
 *
 * None need come, unless the certificate promises one (RFC 7633, "must staple"); a response in which the responder says that
 * it has no answer is none. So who has stolen the key of a revoked certificate sends none: see tlsmem_ctx_require_ocsp.
 * Where the server's certificate was not verified, or was taken by tlsmem_ctx_set_verify_cb although it was bad, a response
 * decides nothing. Of the certificates above it none is asked about: see tlsmem_ctx_add_crl. Default: nobody is asked.
 * TLSMEM_EINVAL for a server's context.
 */
int tlsmem_ctx_request_ocsp(tlsmem_ctx *ctx) TLSMEM_CHECK;
/**
 * As tlsmem_ctx_request_ocsp, and a good response has to come: without one the server is refused as above. Without verification nobody is known
 * who could have signed one, so every server is refused. A resumed connection has no response: no session is taken then, by
 * tlsmem_session_set, which says TLSMEM_EOCSP.
 */
int tlsmem_ctx_require_ocsp(tlsmem_ctx *ctx) TLSMEM_CHECK;

/**
 * Says whether a server asks clients for a certificate; see tlsmem_verify.
 *
 * A client verifies always: for it anything but TLSMEM_VERIFY_REQUIRED is refused with TLSMEM_EINVAL.
 *
 * A certificate that is refused is answered with the alert of RFC 8446, 6.2. Where OpenSSL has another one: what is not valid
 * yet is certificate_expired (45); a signature in the chain, or on a revocation list, that does not verify is bad_certificate
 * (42), and so is an issuer that is no authority, or of fewer below it than there are; a list that is missing, and a key that
 * is not pinned, is certificate_unknown (46). verify_result is OpenSSL's code for what was found, whatever the alert.
 */
int tlsmem_ctx_set_verify(tlsmem_ctx *ctx, tlsmem_verify verify) TLSMEM_CHECK;
/**
 * Says, with offered not 0, that a client's certificate may be asked for after the handshake, at any time (TLS 1.3; RFC 8446,
 * 4.2.6). Default: not. A server that asks has the certificate, or none if there is none, without anybody being told; it can
 * make us sign as often as update_rate says. TLSMEM_EINVAL on a server.
 */
int tlsmem_ctx_set_post_handshake_auth(tlsmem_ctx *ctx, int offered) TLSMEM_CHECK;
/** Switches verification off, on a server as TLSMEM_VERIFY_NONE does: anybody can sit in the middle, unless a key is pinned
 *  (tlsmem_ctx_add_pin). For tests. */
int tlsmem_ctx_insecure_no_verify(tlsmem_ctx *ctx) TLSMEM_CHECK;
/**
 * Pins a public key, by the 32 bytes of the SHA-256 of its SubjectPublicKeyInfo in DER (RFC 7469, 2.4). Each call adds; have
 * a second one for the day when the first key is lost.
 *
 * With pins one key of the verified chain, the peer's own or that of an authority above it, must be pinned, in addition to
 * everything else; so the peer must show a certificate, also to TLSMEM_VERIFY_OPTIONAL (TLSMEM_ENOCERT). Without
 * verification (tlsmem_ctx_insecure_no_verify; on a server TLSMEM_VERIFY_NONE, its default) the peer must show a certificate
 * with a pinned key, and nothing else of it counts, neither name nor dates: so a pin stands in for authorities. A session is
 * held against the pins as well. A peer that has none of them fails with TLSMEM_EPIN, alert certificate_unknown, and
 * verify_result 65 (X509_V_ERR_DANE_NO_MATCH).
 *
 *     openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256
 */
int tlsmem_ctx_add_pin(tlsmem_ctx *ctx, const uint8_t *sha256) TLSMEM_CHECK;
/**
 * Sets how many certificates may stand between the peer's own and the trusted one at the end of the chain, neither of which
 * is counted: 0 to 100, default 100. Longer chains are refused with verify_result 22 (X509_V_ERR_CERT_CHAIN_TOO_LONG).
 */
int tlsmem_ctx_set_verify_depth(tlsmem_ctx *ctx, int intermediates) TLSMEM_CHECK;
/**
 * Lets a chain end, when enough is not 0, at any certificate that is trusted, be it an authority between, or the peer's own.
 * Default: at one that is its own issuer. Whatever is above it is not looked at then, revocation lists included.
 */
int tlsmem_ctx_set_partial_chain(tlsmem_ctx *ctx, int enough) TLSMEM_CHECK;
/** Sets what the peer's certificates have to be made for; see tlsmem_purpose. */
int tlsmem_ctx_set_purpose(tlsmem_ctx *ctx, tlsmem_purpose purpose) TLSMEM_CHECK;
/**
 * Sets OpenSSL's security level (SSL_CTX_set_security_level), 1 to 5: the least strength of keys, signatures, groups and
 * ciphers, of both sides. Default: 2, or more where OpenSSL's own default is: 112 bits, so no RSA key below 2048, and no
 * signature by SHA-1 or MD5 on a certificate.
 *
 * 1 takes RSA keys of 1024 bits, which can be broken with enough money. 0, which takes anything, is refused with
 * TLSMEM_ECONFIG. Set it before our certificate, which is held against it when it is set.
 */
int tlsmem_ctx_set_security_level(tlsmem_ctx *ctx, int level) TLSMEM_CHECK;

/*
 * Lists of ciphers, groups and signature algorithms are separated by colons, the best first. A name that OpenSSL does not
 * know is refused, and named by tlsmem_ctx_error; one that begins with "?" is left out where the OpenSSL that runs does not
 * know it: "?X25519MLKEM768:X25519". Refused are also an empty name, and a list of which nothing is left.
 */

/**
 * Sets versions, ciphers and groups together, over what was set before; single setters may follow. TLSMEM_EINVAL for an
 * unknown preset. What words of a list of ciphers have set besides (SUITEB128, @SECLEVEL=1) is taken back: the security
 * level is the usual one again, or that of tlsmem_ctx_set_security_level. Not in it, because not in the guide: signature
 * algorithms, which are OpenSSL's.
 *
 * All ciphers of a preset are good ones, so the client's order decides which it is. Groups: X25519, P-256, P-384, and before
 * them X25519MLKEM768, which resists quantum computers, where OpenSSL has it (3.5; the guide has it from version 5.8 on).
 * No DHE: it costs the server five times what ECDHE does, and the guide has none from version 5.8 on. Who needs it names
 * it in tlsmem_ctx_set_ciphers: then it has 2048 bits, or more where the key of the certificate is stronger.
 */
int tlsmem_ctx_set_preset(tlsmem_ctx *ctx, tlsmem_preset preset) TLSMEM_CHECK;
/** Sets the oldest and the newest version that is spoken, TLSMEM_TLS1_2 or TLSMEM_TLS1_3. Default: both spoken. Refused
 *  with TLSMEM_ECONFIG when they cross, or when tlsmem_ctx_set_ciphers has named ciphers for none that is left. */
int tlsmem_ctx_set_min_version(tlsmem_ctx *ctx, int version) TLSMEM_CHECK;
int tlsmem_ctx_set_max_version(tlsmem_ctx *ctx, int version) TLSMEM_CHECK;
/**
 * Sets the ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", by OpenSSL's names or the RFCs', or OpenSSL's
 * words (HIGH, ECDHE+AESGCM, !SHA1, @SECLEVEL=2). Those of TLS 1.3 and the older ones are two kinds: one that the list does
 * not name stays as it was. On a server the order of the list decides from now on, not the client's.
 *
 * Refused with TLSMEM_ECONFIG: a name that is unknown, also behind "!", "-" and "+" (but not a word for ciphers that
 * OpenSSL had once: !RC4, !EXPORT); one that stands only for ciphers without encryption or without authentication (other
 * words do not stand for these; who wants them has tlsmem_ctx_native); DEFAULT and SUITEB128 elsewhere than in front;
 * @SECLEVEL=0; ciphers for none of the versions that are spoken.
 */
int tlsmem_ctx_set_ciphers(tlsmem_ctx *ctx, const char *list) TLSMEM_CHECK;
/** Sets the groups for the key exchange: "X25519:P-256". A client sends its share for the first, and another after a
 *  round trip if the server wants that. In TLS 1.2 a client takes an ECDSA certificate only if its curve is among them, too
 *  (RFC 8422, 5.1.1). From OpenSSL 3.5 on its own marks are understood ("*", "/", "-"). */
int tlsmem_ctx_set_groups(tlsmem_ctx *ctx, const char *list) TLSMEM_CHECK;
/** Sets the signature algorithms, by their names in TLS or OpenSSL's: "ecdsa_secp256r1_sha256:RSA-PSS+SHA256". We sign with
 *  no others, and take no others from the peer, the certificates of clients included. Default: OpenSSL's. */
int tlsmem_ctx_set_signature_algorithms(tlsmem_ctx *ctx, const char *list) TLSMEM_CHECK;
/**
 * Sets the application protocols, "h2,http/1.1", in order of preference (RFC 7301); NULL or "" for none.
 *
 * What happens when the peer has none of them says tlsmem_ctx_set_alpn_policy. A server that answers with a protocol that
 * was not offered is refused: TLSMEM_EPROTOCOL (by OpenSSL, from 3.0.15 on).
 */
int tlsmem_ctx_set_alpn(tlsmem_ctx *ctx, const char *list) TLSMEM_CHECK;
/**
 * Says what happens without an application protocol in common; see tlsmem_alpn_policy. It means nothing while there is no
 * list. TLSMEM_EINVAL for an unknown policy.
 *
 * A server that refuses sends alert 120, no_application_protocol; both ends have TLSMEM_EALPN. A client with
 * TLSMEM_ALPN_REQUIRED ends with TLSMEM_EALPN before it is established, and nothing that was written to it is sent; there is
 * no alert for that, so the server sees close_notify behind the handshake. For a client the other two are the same.
 */
int tlsmem_ctx_set_alpn_policy(tlsmem_ctx *ctx, tlsmem_alpn_policy policy) TLSMEM_CHECK;
/**
 * Sets how many session tickets a TLS 1.3 server sends, 0 to 16; default 2. A client that has come back with one gets one.
 * When they go out says tlsmem_ctx_set_ticket_mode.
 */
int tlsmem_ctx_set_tickets(tlsmem_ctx *ctx, int count) TLSMEM_CHECK;
/**
 * Says when a server sends session tickets; see tlsmem_ticket_mode. TLSMEM_EINVAL on a client, and for an unknown mode.
 *
 * The default is not with the handshake, because a client that writes and closes without reading, over TCP, closes with the
 * tickets unread: its kernel then drops what it has not sent yet, and sends a reset. No server can help that. What had
 * reached ours is delivered, and then the connection ends with TLSMEM_ERESET. With the default, and with TLSMEM_TICKETS_NEVER,
 * nothing is unread before the server has written, and nothing is lost. A client of this library reads until its peer has closed
 * (tlsmem_close), and loses nothing in any mode. TLSMEM_TICKETS_WITH_HANDSHAKE is for clients that wait for tickets before
 * they say anything, and for servers that never write.
 * In TLS 1.2 the one ticket is a message of the handshake, which no client leaves unread, so the first two modes are the same;
 * with TLSMEM_TICKETS_NEVER clients of TLS 1.2 may come back by a session id still, which this context alone knows.
 */
int tlsmem_ctx_set_ticket_mode(tlsmem_ctx *ctx, tlsmem_ticket_mode mode) TLSMEM_CHECK;

/*
 * A fleet of servers. A ticket is good where the key is known that it was sealed with. OpenSSL makes a random one for each
 * context: so a client comes back to the same context of the same process, for as long as that lives, and to no other. With
 * keys of the program's own, clients come back to every server that has them, and after a restart. The settings that decide
 * about clients must be the same there, and so must what OpenSSL is given for them, byte for byte: authorities, revocation
 * lists, verification, pins, versions, ciphers, signature algorithms; where tlsmem_ctx_set_verify_cb is in use, tickets stay
 * good in one context only. With tlsmem_set_ctx the keys of the context count that the connection began with.
 *
 * Whoever has a key can read what was sent under its tickets in TLS 1.2, and be the server for clients that come back; and of
 * TLS 1.3 what is sent early. So let a key seal for hours, open for hours more, and then be gone: it is wiped, and nobody can
 * open what was recorded. A ticket is as OpenSSL has it (RFC 5077, 4; AES-256-CBC, HMAC-SHA256), and the 80 bytes of name and
 * secret are those of nginx's ssl_session_ticket_key and haproxy's tls-ticket-keys.
 *
 * These four may also be called while connections are served, from any thread, if there was a key, expired or not, or
 * tlsmem_ctx_set_ticket_key_cb, before the first connection; else TLSMEM_ESTATE. From then on the context never goes back to OpenSSL's own key: without a key that
 * seals now no tickets are sent. Each call is seen whole or not at all. tlsmem_ctx_error, which may be called in any thread
 * then, too, speaks of the last that was refused in any thread. TLSMEM_ECONFIG on a client.
 */

/**
 * A key for session tickets. Times are Unix time, in seconds. Of several that seal, the one that began last does. It opens
 * from when it is set, also before it seals: so give it to all servers before that. A ticket that another key opens than the
 * one that seals now is replaced by a new one.
 *
 * The times are compared with the real clock, which can be set: a clock that jumps ahead ends keys before their time, for
 * good, and has sessions be too old; one that jumps back has sessions begin in the future, which is taken to be an error
 * beyond a minute where clients have certificates or names are asked for; both lead to whole handshakes, never to a failure.
 * The clocks of a fleet should agree to the second.
 */
typedef struct tlsmem_ticket_key {
    size_t size;
    uint8_t name[16];      /**< goes in front of each ticket, in plain: random */
    uint8_t secret[64];    /**< 32 bytes for the HMAC, then 32 for AES: random, and not all zeros */
    int64_t encrypt_from;  /**< it seals from this second on, */
    int64_t encrypt_until; /**< up to this one, which is later and not included; */
    int64_t decrypt_until; /**< and opens up to this one, not earlier than that and not included; then it is wiped, as soon as a
                            *   ticket is sealed */
} tlsmem_ticket_key;
#define TLSMEM_TICKET_KEY_INIT { sizeof(tlsmem_ticket_key), { 0 }, { 0 }, 0, 0, 0 }
/** Adds a key, 1024 at most. TLSMEM_ECONFIG for times that are not in order, for no secret, and for a name that is there
 *  already. It is copied. */
int tlsmem_ctx_add_ticket_key(tlsmem_ctx *ctx, const tlsmem_ticket_key *key) TLSMEM_CHECK;
/** Takes away the key of that name, 16 bytes, and wipes it as soon as no thread is using it. TLSMEM_OK also when there is
 *  none. */
int tlsmem_ctx_remove_ticket_key(tlsmem_ctx *ctx, const uint8_t *name) TLSMEM_CHECK;
/**
 * Takes the keys in a file in place of all that there are: one a line, name and secret in 160 hexadecimal digits, then
 * encrypt_from, encrypt_until and decrypt_until. "#" begins a remark.
 *
 *     4b1d...e0  1800000000 1800043200 1800050400   # openssl rand -hex 80
 *
 * Call it again when the file has changed. Whoever changes it should write another and rename it. One bad line, two keys of
 * one name, or no key at all: TLSMEM_ECONFIG, the old keys stay, and tlsmem_ctx_error names file, line and reason. It may
 * have 1 MiB, and be read by nobody else.
 */
int tlsmem_ctx_set_ticket_keys_file(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
int tlsmem_ctx_set_ticket_keys_mem(tlsmem_ctx *ctx, const void *text, size_t n) TLSMEM_CHECK;

/**
 * Says how often either side may renegotiate in TLS 1.2: a tlsmem_renegotiation, which is an int here so that 0 and 1 go on
 * meaning never and always. TLSMEM_EINVAL for any other.
 *
 * A peer that is refused is sent the warning no_renegotiation (RFC 5246, 7.2.2), and the connection goes on if the peer lets
 * it; one that asks more often than update_rate allows is cut off: TLSMEM_ELIMIT. Only with peers that tie the new handshake
 * to the old one (RFC 5746): a client that does not is refused the same way, and a server that does not is left in the first
 * handshake, whatever is set here: TLSMEM_EPROTOCOL, alert 40.
 */
int tlsmem_ctx_set_renegotiation(tlsmem_ctx *ctx, int allowed) TLSMEM_CHECK;
/**
 * Says after how many bytes of plaintext, and after how many seconds, we change the key that we send with in TLS 1.3
 * (KeyUpdate: RFC 8446, 4.6.3), before the next bytes: as tlsmem_key_update does with ask_peer 0. 0 for any number: both are 0
 * by default. A key that nothing was sent with stays; what waits counts when it is encrypted. The peer has to see to its own.
 *
 * In any case the key is changed after 16777216 records (2^24), which OpenSSL does not do by itself: AES-GCM is safe for 2^24.5
 * of them (RFC 8446, 5.5). TLS 1.2 has no such thing; there tlsmem_renegotiate makes new keys. Some peers take only so many
 * KeyUpdates: GnuTLS eight a second, ourselves what update_rate says.
 */
int tlsmem_ctx_set_key_update(tlsmem_ctx *ctx, uint64_t bytes, uint32_t seconds) TLSMEM_CHECK;
/** Sets limits and deadlines; start from TLSMEM_LIMITS_INIT. */
int tlsmem_ctx_set_limits(tlsmem_ctx *ctx, const tlsmem_limits *limits) TLSMEM_CHECK;
/** Appends the secrets of every connection to a file (SSLKEYLOGFILE format), made with mode 0600: for debugging.
 *  TLSMEM_ECONFIG for what is neither a regular file nor /dev/null: a FIFO would make connections wait for its reader. What a
 *  full disk does not take is lost, in whole or in half lines, and the connections go on. */
int tlsmem_ctx_set_keylog(tlsmem_ctx *ctx, const char *path) TLSMEM_CHECK;
/**
 * Has the secrets of every connection told to the program, beside the file of tlsmem_ctx_set_keylog or instead of it: a
 * line of the SSLKEYLOGFILE format each time, without its newline, valid until the callback returns. Default, and with
 * NULL for cb: nobody is told. For debugging: who has the lines can read all that the connection carries.
 *
 * A line is told in order with what tlsmem_ctx_set_trace_cb tells, by the same rules; one that begins with '#' says how
 * many are missing before the next one. `user` is what is given here, not the connection's.
 */
int tlsmem_ctx_set_keylog_cb(tlsmem_ctx *ctx, void (*cb)(tlsmem *c, const char *line, void *user), void *user)
    TLSMEM_CHECK;

/** What a trace consists of. */
typedef enum tlsmem_trace_kind {
    TLSMEM_TRACE_RECORD = 1,  /**< the header of a record (RFC 8446, 5.1): of application data nothing else is shown */
    TLSMEM_TRACE_CONTENT = 2, /**< TLS 1.3: which type of content was in the encrypted record before it (RFC 8446, 5.2) */
    TLSMEM_TRACE_MESSAGE = 3  /**< a message of a handshake, an alert, or a change_cipher_spec that was sent (one that was
                               *   received shows by its record alone): whole, and in plain */
} tlsmem_trace_kind;

/** One piece of a trace. */
typedef struct tlsmem_trace_info {
    size_t size;
    tlsmem_trace_kind kind;
    int sent;             /**< 1: sent; 0: received */
    int version;          /**< of a record, as its header says; else the connection's, as far as it is known: 0x0304 */
    int content_type;     /**< 20 change_cipher_spec, 21 alert, 22 handshake, 23 application_data */
    int handshake_type;   /**< of a handshake's message (RFC 8446, 4): 1 is a ClientHello; else -1 */
    const char *name;     /**< "ClientHello", what an alert says, or the name of the content type; static */
    const void *bytes;    /**< a record's header, or the message; valid until the callback returns */
    size_t length;
    size_t record_length; /**< of a record: the bytes that follow its header; else 0 */
    size_t lost;          /**< pieces that were not kept just before this one */
} tlsmem_trace_info;
/**
 * Has everything that a connection sends and receives told to the program, application data excepted: of that only the
 * length. Default, and with NULL for cb: nobody is told, and nothing is spent on it.
 *
 * Messages are shown in plain, those too that TLS 1.3 encrypts: names, certificates, tickets. There is no key in them and
 * nothing that an application has sent, but they say who speaks to whom, and who has a ticket can be recognized by it.
 *
 * The callback comes after the step of OpenSSL's in which it happened, and before what followed from that: a Finished before
 * on_established, the last alert before on_close. Inside it every call is allowed, as in any callback, tlsmem_free too:
 * what else there was is then not told. What happens in a call that calls nothing back (tlsmem_write) is kept for the next
 * one that may, to which tlsmem_outgoing_peek belongs here; so is what happens inside on_accept. Up to 4096 pieces and
 * 1 MiB are kept for one connection; what is beyond is lost, and counted. What was kept is wiped. After tlsmem_set_ctx those
 * are told of the rest whom the other context names.
 * `user` is what is given here, not the connection's.
 */
int tlsmem_ctx_set_trace_cb(tlsmem_ctx *ctx, void (*cb)(tlsmem *c, const tlsmem_trace_info *info, void *user), void *user)
    TLSMEM_CHECK;

/*
 * Questions of a handshake that the program may answer itself, at once or later. The callback is called outside of OpenSSL
 * while the handshake stands still: every call is allowed on every object, as in any callback, on the connection too (what is
 * written waits for the handshake). What it returns is the answer, unless that is TLSMEM_LATER: then tlsmem_answer gives it,
 * before the callback returns or at any time after, and until then the connection waits and others go on. It does not read
 * meanwhile, so that a peer which goes away is found gone after the answer; its handshake deadline runs (or close_ms, once it
 * is closed), and tlsmem_close, tlsmem_abort, tlsmem_free and tlsmem_loop_move do what they always do. Nobody has to answer:
 * a deadline that passes ends the connection.
 * What a question points to is valid until its callback returns; whoever answers later copies what he needs.
 *
 * A handshake that may be asked about runs on a stack of its own, 256 KiB with a guard page, of which there is only what is
 * touched, some 20 KiB, until it is done; signal handlers without a stack of their own run there too.
 */

/** What is asked. */
typedef enum tlsmem_question {
    TLSMEM_QUESTION_NONE = 0,         /**< nothing */
    TLSMEM_QUESTION_CLIENT_HELLO = 1, /**< a tlsmem_client_hello_cb */
    TLSMEM_QUESTION_VERIFY = 2,       /**< a tlsmem_verify_cb */
    TLSMEM_QUESTION_OCSP = 3,         /**< a tlsmem_ocsp_cb */
    TLSMEM_QUESTION_PSK = 4,          /**< a tlsmem_psk_cb */
    TLSMEM_QUESTION_SESSION = 5,      /**< on_find of tlsmem_session_callbacks */
    TLSMEM_QUESTION_SIGN = 6,         /**< a tlsmem_sign_cb */
    TLSMEM_QUESTION_CLIENT_CERT = 7,  /**< a tlsmem_client_cert_cb */
    TLSMEM_QUESTION_TICKET_KEY = 8    /**< a tlsmem_ticket_key_cb */
} tlsmem_question;

/** What belongs to an answer beside its status; what the question does not ask for is passed over. */
typedef struct tlsmem_reply {
    size_t size;
    tlsmem_ctx *ctx;      /**< TLSMEM_QUESTION_CLIENT_HELLO: as tlsmem_set_ctx; one that cannot serve refuses the client with
                           *   internal_error. NULL: it stays. TLSMEM_QUESTION_CLIENT_CERT: whose certificates are shown */
    const char *alpn;     /**< TLSMEM_QUESTION_CLIENT_HELLO: as tlsmem_select_alpn; one that is not offered refuses the client
                           *   with no_application_protocol. NULL: by the list */
    const void *bytes;    /**< TLSMEM_QUESTION_SIGN: the signature. _OCSP: the response. _PSK: the key. _SESSION: the session.
                           *   _TICKET_KEY: the secret */
    size_t length;        /**< of bytes */
    const char *identity; /**< TLSMEM_QUESTION_PSK, on a client: what the server calls the key */
    int insecure_accept;  /**< TLSMEM_QUESTION_VERIFY: as in tlsmem_verdict */
} tlsmem_reply;
#define TLSMEM_REPLY_INIT { sizeof(tlsmem_reply), 0, 0, 0, 0, 0, 0 }
/**
 * Answers the question with this token: `status` is what its callback would return, `reply` may be NULL, and everything in it
 * is copied; a context gets an owner more. The bytes are wiped when the handshake has made use of them, or the connection ends.
 * The first answer counts, also against what the callback returns.
 *
 * Any thread, and any time: of `c` only the address is used, and no token is used twice (but after 2^40 questions), so that it
 * may have been freed. It calls nothing back. In a loop the connection goes on by itself; otherwise with its next driving call,
 * tlsmem_handshake for one, which tlsmem_interest and tlsmem_deadline then ask for: whoever answers from another thread has to
 * wake the thread that drives it.
 *
 * Returns TLSMEM_OK; TLSMEM_ESTATE when nobody waits for it: it is answered, or the connection has ended or was freed;
 * TLSMEM_EINVAL for NULL for c, a status TLSMEM_LATER, or an unknown size; TLSMEM_ENOMEM when there is no memory for the
 * bytes: the question is open still.
 */
int tlsmem_answer(tlsmem *c, uint64_t token, int status, const tlsmem_reply *reply);

/** What a client asks for, before anything was answered. What it points to is valid until the callback returns. */
typedef struct tlsmem_client_hello {
    size_t size;
    const char *server_name;      /**< the host name that it wants (SNI; RFC 6066, 3); NULL when it sent none, or no name */
    const uint8_t *alpn;          /**< the protocols that it offers, each behind one byte that is its length (RFC 7301, 3.1) */
    size_t alpn_bytes;            /**< 0 for none */
    const uint8_t *cipher_suites; /**< the cipher suites that it offers, two bytes each, the high one first; NULL when they are
                                   *   in the form of SSL 2 */
    size_t cipher_suites_bytes;
    int version;                  /**< the newest TLS version that it offers, 0x0304 for TLS 1.3 */
    uint64_t token;               /**< for tlsmem_answer */
} tlsmem_client_hello;
/**
 * Returns TLSMEM_LATER; TLSMEM_OK to go on; an alert to refuse the client with (RFC 8446, 6.2): 40, 42 to 51, 70, 71, 80,
 * 112, 115 or 120; anything else refuses it with internal_error (80). The connection then ends with TLSMEM_EREFUSED; or with
 * TLSMEM_ENOIDENTITY when it is to go on without any certificate.
 */
typedef int (*tlsmem_client_hello_cb)(tlsmem *c, const tlsmem_client_hello *hello, void *user);
/**
 * Has the ClientHello of a handshake shown to the program, which may call tlsmem_set_ctx and tlsmem_select_alpn; also that of
 * a renegotiation, where no protocol is offered any more, if the context that it has by then asks. Not the second that a
 * client sends when it was asked for another key share (RFC 8446, 4.1.4). One whose lists are malformed is refused before.
 * NULL for none, the default. The context itself needs no certificate then. As any setter, and TLSMEM_EINVAL on a client.
 */
int tlsmem_ctx_set_client_hello_cb(tlsmem_ctx *ctx, tlsmem_client_hello_cb cb, void *user) TLSMEM_CHECK;
/**
 * Has a connection go on with another server context, which is frozen by that: its certificates, authorities, verification,
 * versions, ciphers, protocols, limits and callbacks hold from now on. A session is resumed only if it was made where the same
 * decides about clients: authorities, revocation lists, verification, pins, versions, ciphers, signature algorithms; protocols
 * and certificates of our own are not compared. Only while a tlsmem_client_hello_cb has not been answered.
 *
 * Returns TLSMEM_OK; TLSMEM_ENOIDENTITY or TLSMEM_ENOTRUST when the context could serve nobody; TLSMEM_ESTATE when none is
 * open; TLSMEM_EINVAL for NULL or a client's context; TLSMEM_ENOMEM. Calls nothing back.
 */
int tlsmem_set_ctx(tlsmem *c, tlsmem_ctx *ctx) TLSMEM_CHECK;
/**
 * Chooses the application protocol, in place of what the context's list would give. Only while a
 * tlsmem_client_hello_cb has not been answered.
 *
 * Returns TLSMEM_OK; TLSMEM_EALPN when the client does not offer it; TLSMEM_ESTATE when none is open; TLSMEM_EINVAL.
 */
int tlsmem_select_alpn(tlsmem *c, const char *protocol) TLSMEM_CHECK;

/** What verification came to. */
typedef struct tlsmem_verdict {
    size_t size;
    long result;         /**< 0 for good (X509_V_OK), else OpenSSL's X509_V_ERR_... */
    int depth;           /**< where in the chain it failed, 0 is the peer itself; -1 when it did not */
    int insecure_accept; /**< 0; set to 1 it accepts a certificate that was found bad: who the peer is, is then the program's
                          *   own business */
    uint64_t token;      /**< for tlsmem_answer */
} tlsmem_verdict;
/**
 * Returns TLSMEM_LATER; TLSMEM_OK to leave the verdict as it is (a bad one stays bad); a number above 0 to refuse the peer as
 * if OpenSSL had found that X509_V_ERR_..., which chooses the alert (see tlsmem_ctx_set_verify); anything else refuses it as
 * X509_V_ERR_CERT_REJECTED.
 */
typedef int (*tlsmem_verify_cb)(tlsmem *c, tlsmem_verdict *verdict, void *user);
/**
 * Has each verdict on a peer's certificate shown to the program, good or bad; tlsmem_peer_certificate and its like tell what
 * it was about. Not asked: where verification is off and no key is pinned, where no certificate came, and when a session is
 * resumed. A server resumes only sessions of this very context, which asked about them when they began, and of clients whose
 * certificates are good without the program's word; a client has to see to it that a session which it offers
 * (tlsmem_session_set, which asks nobody) came from where the same was asked.
 * NULL for none, the default. As any setter.
 */
int tlsmem_ctx_set_verify_cb(tlsmem_ctx *ctx, tlsmem_verify_cb cb, void *user) TLSMEM_CHECK;

/** Which response is wanted. */
typedef struct tlsmem_ocsp_request {
    size_t size;
    const char *server_name; /**< the host name that the client wants, or NULL */
    const void *certificate; /**< the certificate that it gets, DER */
    size_t certificate_bytes;
    uint64_t token;          /**< for tlsmem_answer */
} tlsmem_ocsp_request;
/**
 * Returns TLSMEM_LATER, and tlsmem_answer is given TLSMEM_OK and the response, DER, as the reply's bytes; TLSMEM_OK to give
 * what tlsmem_ctx_set_ocsp_response has set, if anything; anything else to give none.
 */
typedef int (*tlsmem_ocsp_cb)(tlsmem *c, const tlsmem_ocsp_request *request, void *user);
/**
 * Has the program say what is stapled, each time a client asks for it. A response that is not for this certificate, or not
 * valid now, is not given. Not asked when a session is resumed by TLS 1.2, where there is no certificate. NULL for none, the
 * default. As any setter, and TLSMEM_EINVAL on a client.
 */
int tlsmem_ctx_set_ocsp_cb(tlsmem_ctx *ctx, tlsmem_ocsp_cb cb, void *user) TLSMEM_CHECK;

/** Which key is wanted. */
typedef struct tlsmem_psk_request {
    size_t size;
    const char *identity; /**< on a server: how the client calls the key; NULL on a client, which has to name one */
    const char *hint;     /**< on a client, in TLS 1.2: what the server says to help (RFC 4279, 2), or NULL */
    uint64_t token;       /**< for tlsmem_answer */
} tlsmem_psk_request;
/**
 * Returns TLSMEM_LATER, and tlsmem_answer is given TLSMEM_OK and the key as the reply's bytes, on a client with its identity;
 * anything else when there is no key. Both are as in tlsmem_ctx_set_psk: what that would refuse is no key either.
 */
typedef int (*tlsmem_psk_cb)(tlsmem *c, const tlsmem_psk_request *request, void *user);
/**
 * Has the program asked for keys. A server asks for identities that tlsmem_ctx_set_psk was not given, and that are 1 to 255
 * bytes of UTF-8, up to 8 in a handshake; what holds there of unknown ones holds here. A client without a key of that function
 * asks when it begins; when it was given none, and the server chooses TLS 1.2 with a key, once more, with the hint. All else is
 * as if a key had been set. NULL for none, the default. As any setter.
 *
 * The key is wiped when the handshake is done; in TLS 1.3 OpenSSL may have it in the session until the connection is freed.
 */
int tlsmem_ctx_set_psk_cb(tlsmem_ctx *ctx, tlsmem_psk_cb cb, void *user) TLSMEM_CHECK;

/** Which key is wanted. */
typedef struct tlsmem_ticket_key_request {
    size_t size;
    const uint8_t *name; /**< its name, 16 bytes, which anybody may have made up */
    uint64_t token;      /**< for tlsmem_answer */
} tlsmem_ticket_key_request;
/**
 * Returns TLSMEM_LATER, and tlsmem_answer is given TLSMEM_OK and the secret, 64 bytes, as the reply's bytes; anything else when
 * there is no such key, or none that is to open tickets still: then there is a whole handshake, as with another secret.
 */
typedef int (*tlsmem_ticket_key_cb)(tlsmem *c, const tlsmem_ticket_key_request *request, void *user);
/**
 * Has the program asked for keys of tickets: a server asks for names that tlsmem_ctx_add_ticket_key and the like did not give it,
 * or whose time is over, up to 8 in a handshake. It is for fleets that fetch a key when the first of its tickets comes. What is
 * answered opens the tickets of one handshake, and is wiped then; who wants to keep it adds it as well, which may be done before
 * answering. A ticket that was opened so is replaced if a key seals now, which only keys that were added do. With
 * tlsmem_set_ctx both contexts need the callback. NULL for none, the default. As any setter, and TLSMEM_ECONFIG on a client.
 */
int tlsmem_ctx_set_ticket_key_cb(tlsmem_ctx *ctx, tlsmem_ticket_key_cb cb, void *user) TLSMEM_CHECK;

/** A session that the program keeps, or is asked for. What it points to is valid until the callback returns. */
typedef struct tlsmem_session_entry {
    size_t size;
    const uint8_t *id;  /**< what the client comes back with */
    size_t id_length;   /**< 1 to 32 */
    const void *bytes;  /**< on_new: the session, which holds its secret; else NULL */
    size_t length;      /**< of bytes: some 200, and the client's certificate if it has shown one */
    int64_t expires;    /**< on_new, on_remove: Unix time, from which on it is not taken any more */
    int once;           /**< 1: it is of TLS 1.3, and good for one visit: whoever finds it takes it out, both in one step, so that
                         *   no two servers find it (RFC 8446, C.4) */
    uint64_t token;     /**< on_find: for tlsmem_answer */
} tlsmem_session_entry;
/** Where a server's sessions are kept. on_remove may be NULL. `user` is what is given with the struct. */
typedef struct tlsmem_session_callbacks {
    size_t size;
    /** Keep this session under its id, until it expires. Told as tlsmem_ctx_set_trace_cb tells: after the step in which it came
     *  to be; for tickets that go out with a write, with the next driving call. */
    void (*on_new)(tlsmem *c, const tlsmem_session_entry *entry, void *user);
    /** Look for a session: the bytes that on_new was given under this id are the answer, by tlsmem_answer with TLSMEM_OK and
     *  `bytes` in the reply, at once or later, and TLSMEM_LATER is returned. Anything else that is returned or answered
     *  means that there is none, and so do bytes of another session: then there is a whole handshake. A client may come
     *  with hundreds of ids at once: of one handshake up to 8 are looked for. */
    int (*on_find)(tlsmem *c, const tlsmem_session_entry *entry, void *user);
    /** Drop the session of this id, if it is there: its connection has failed, by an alert of either side or by breaking the
     *  protocol (RFC 5246, 7.2.2; RFC 8446, 6.2). Told before on_close. */
    void (*on_remove)(tlsmem *c, const tlsmem_session_entry *entry, void *user);
} tlsmem_session_callbacks;
#define TLSMEM_SESSION_CALLBACKS_INIT { sizeof(tlsmem_session_callbacks), 0, 0, 0 }
/**
 * Has the program keep the sessions of a server, as a rule in one place for many servers: clients get an id, in TLS 1.2 as
 * session id, in TLS 1.3 in tickets (as many, and when, as tlsmem_ctx_set_tickets and tlsmem_ctx_set_ticket_mode say), and
 * may come back to every server that finds it there. As in a fleet with keys for tickets (tlsmem_ctx_add_ticket_key) the same
 * settings must decide about clients there. What is found is looked at as a ticket is: age, the client's certificate, the
 * name. Keys for tickets are not used then, and OpenSSL keeps nothing itself.
 *
 * Who can read that place can read the connections of TLS 1.2 whose sessions are in it; who can write there can be any client.
 * NULL for `callbacks`: OpenSSL's own tickets, the default. The struct is copied. With tlsmem_set_ctx both contexts need them.
 * Handshakes may stand still for it as for any question. As any setter; TLSMEM_EINVAL also on a client, and without on_new or
 * on_find.
 */
int tlsmem_ctx_set_session_callbacks(tlsmem_ctx *ctx, const tlsmem_session_callbacks *callbacks, void *user) TLSMEM_CHECK;

/** A signature that is wanted from whoever holds the key. What it points to is valid until the callback returns. */
typedef struct tlsmem_sign_request {
    size_t size;
    const uint8_t *key_sha256; /**< which key: the SHA-256 of its SubjectPublicKeyInfo, 32 bytes, as for tlsmem_ctx_add_pin */
    const char *key_type;      /**< "RSA", "EC", "ED25519" or "ED448"; static */
    int scheme;                /**< how it is to be signed, by the number of TLS (RFC 8446, 4.2.3): 0x0804 */
    const char *scheme_name;   /**< "rsa_pss_rsae_sha256"; static. In TLS 1.2 an ecdsa_ name tells of the hash, not of the
                                *   curve */
    const void *message;       /**< what is to be signed, whole */
    size_t message_bytes;
    const char *hash;          /**< "SHA256", "SHA384", ...; static. NULL for ed25519 and ed448, which take the message */
    const uint8_t *digest;     /**< the hash of the message, for holders that sign a digest; NULL likewise */
    size_t digest_bytes;
    size_t signature_max;      /**< bytes of the longest signature of this key */
    uint64_t token;            /**< for tlsmem_answer */
} tlsmem_sign_request;
/**
 * Returns TLSMEM_LATER, and tlsmem_answer gives TLSMEM_OK with the signature in `bytes`, at once or later; anything else refuses
 * to sign, TLSMEM_OK without bytes too. The form is that of TLS: DER for ECDSA (RFC 8422, 5.4), and with RSA-PSS a salt as long
 * as the hash (RFC 8446, 4.2.3).
 */
typedef int (*tlsmem_sign_cb)(tlsmem *c, const tlsmem_sign_request *request, void *user);
/**
 * Has signatures asked of the program, for certificates whose keys are held elsewhere: in another process, a machine, a device.
 * Such are the certificate of tlsmem_ctx_set_cert_file, set before or after this, for as long as no key was set; and those of
 * tlsmem_ctx_add_keypair, after this, with NULL for the key. RSA, EC, Ed25519 and Ed448; others are refused with TLSMEM_ECONFIG,
 * as is NULL for cb, the default, once there is such a certificate. On a client as on a server.
 *
 * Without a signature the handshake fails with internal_error and TLSMEM_ESIGN. One of RSA is verified before it is sent, because
 * a wrong one can give the key away; verifying others costs more than signing, so that is done until a key's first good one. The
 * peer verifies each. Nothing is asked when a session is resumed, nor when the program uses tlsmem_ctx_native's SSL_CTX by
 * itself: that fails. Nobody decrypts: ciphers without forward secrecy (static RSA) are left out when the context is frozen.
 *
 * As any setter. `user` is what is given here, not the connection's.
 */
int tlsmem_ctx_set_sign_cb(tlsmem_ctx *ctx, tlsmem_sign_cb cb, void *user) TLSMEM_CHECK;

/** A certificate that a server wants of a client. What it points to is valid until the callback returns. */
typedef struct tlsmem_cert_request {
    size_t size;
    const uint8_t *authorities; /**< the names of the authorities that it takes, in DER, each behind two bytes that are its
                                 *   length, the high one first (RFC 8446, 4.2.4); NULL for any */
    size_t authorities_bytes;
    const uint8_t *schemes;     /**< the schemes that it takes signatures by (RFC 8446, 4.2.3), two bytes each, the high one
                                 *   first, the best first */
    size_t schemes_bytes;
    uint64_t token;             /**< for tlsmem_answer */
} tlsmem_cert_request;
/**
 * Returns TLSMEM_LATER, and tlsmem_answer gives TLSMEM_OK with a client's context in `ctx`, which is frozen by that: the peer is
 * shown what this has, by the server's algorithms; keys that are held elsewhere are asked of its tlsmem_sign_cb. TLSMEM_OK
 * without one: no certificate is sent, not even that of the connection's own context, which may be named as well. Whether that
 * is enough, the server decides.
 *
 * Anything else, or a server's context, ends the handshake with internal_error and TLSMEM_EREFUSED; a context without certificate
 * and key with TLSMEM_ENOIDENTITY.
 */
typedef int (*tlsmem_client_cert_cb)(tlsmem *c, const tlsmem_cert_request *request, void *user);
/**
 * Has the program choose the certificate that a client shows, when the server of a handshake wants one. Not asked when a session
 * is resumed. NULL for none, the default: that of the context. As any setter, and TLSMEM_EINVAL on a server.
 */
int tlsmem_ctx_set_client_cert_cb(tlsmem_ctx *ctx, tlsmem_client_cert_cb cb, void *user) TLSMEM_CHECK;

/*
 * Renewal without restart. A program makes a context anew, with the function that has made the first one, from the files of
 * today; whatever is wrong with them, a setter says, and the old one serves on. When all is well it puts the new one in
 * place of the old:
 *
 *     tlsmem_ctx *fresh = configure();            the setters; NULL when refused
 *     if (fresh == NULL || tlsmem_ctx_reload(ctx, fresh) != TLSMEM_OK)
 *         ...                                     ctx is as it was
 *     tlsmem_ctx_free(fresh);
 */

/**
 * Has the connections that are made of `ctx` from now on, by tlsmem_new, by its listeners, and by tlsmem_set_ctx, be those of
 * `fresh`, whole; connections that are there keep what they have. `ctx` holds `fresh` for as long as it lives. It may be done
 * again and again.
 *
 * Tickets that were given out go on being taken: the keys under which OpenSSL encrypts them, where the program has set none,
 * are handed on; the program's own (tlsmem_ctx_add_ticket_key) are one set for all generations, those of `fresh` if it has
 * some; and what a session must have in common says tlsmem_set_ctx. Sessions of TLS 1.2 without tickets are not. From now on
 * both take no more settings but those that may be set while connections are served, and tlsmem_ctx_native(ctx) is that of
 * `fresh`.
 *
 * Returns TLSMEM_OK; TLSMEM_ENOTRUST or TLSMEM_ENOIDENTITY when every connection of `fresh` would end with that, of which
 * tlsmem_ctx_error says nothing; TLSMEM_ESTATE when connections were made of it, or it was reloaded itself, or used for a
 * reload, and when `ctx` has been put in the place of another; TLSMEM_EINVAL for NULL, `ctx` itself, or another role;
 * TLSMEM_ENOMEM. Any thread, while others make connections; two reloads of one context at once are not allowed,
 * nor is anything else with `fresh` meanwhile.
 */
int tlsmem_ctx_reload(tlsmem_ctx *ctx, tlsmem_ctx *fresh) TLSMEM_CHECK;
/** How a context and those that have taken its place are in use. */
typedef struct tlsmem_ctx_stats_info {
    size_t size;
    uint64_t generation;      /**< what new connections are made of: 1, and 1 more with each reload */
    uint64_t connections;     /**< of that generation, that were not freed yet */
    uint64_t connections_old; /**< of all the ones before */
} tlsmem_ctx_stats_info;
#define TLSMEM_CTX_STATS_INFO_INIT { sizeof(tlsmem_ctx_stats_info), 0, 0, 0 }
/** Fills the struct: while connections come and go, with numbers that were so a moment ago. Returns TLSMEM_OK or
 *  TLSMEM_EINVAL. Any thread. */
int tlsmem_ctx_stats(const tlsmem_ctx *ctx, tlsmem_ctx_stats_info *stats);

/** Copies what the last refused setter has to say. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_ctx_error(const tlsmem_ctx *ctx, tlsmem_error_info *error);
/** Returns the SSL_CTX, for what this library does not offer; owned by ctx. Callbacks put on it or on an SSL must not
 *  call this library for the same connection; attaching BIOs or sockets breaks it. Who keeps it when ctx has gone has what
 *  OpenSSL verifies by itself; where there are pins, or a tlsmem_verify_cb, nobody is believed any more. */
void *tlsmem_ctx_native(tlsmem_ctx *ctx);

/* ---------------------------------------------------------------------------------------------- connection */

/** What became of a connection. */
typedef struct tlsmem_report_info {
    size_t size;
    int status;                    /**< TLSMEM_OK when both sides closed, or we did and the peer sent FIN; else why */
    int close_notify_sent;         /**< 1 when our close_notify was made */
    int close_notify_received;     /**< 1 when the peer's came: its data is complete */
    uint64_t bytes_accepted;       /**< plaintext that tlsmem_write took */
    uint64_t bytes_encrypted;      /**< of it, what was turned into records */
    uint64_t bytes_received;       /**< plaintext that came from the peer */
    uint64_t ciphertext_sent;      /**< ciphertext handed to the kernel (or consumed, in the buffers face) */
    uint64_t ciphertext_unsent;    /**< ciphertext that was made and not handed over */
    uint64_t ciphertext_received;  /**< ciphertext that came in */
} tlsmem_report_info;
#define TLSMEM_REPORT_INFO_INIT { sizeof(tlsmem_report_info), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** What a connection calls. Each may be NULL. `user` is what was given with the struct. */
typedef struct tlsmem_callbacks {
    size_t size;
    /** The handshake is done: facts are known, deferred writes are on their way. */
    void (*on_established)(tlsmem *c, void *user);
    /** Plaintext; `bytes` is valid until the callback returns. NULL: plaintext waits for tlsmem_read. */
    void (*on_data)(tlsmem *c, const void *bytes, size_t n, void *user);
    /** After a tlsmem_write that took less than it was given, or that left the connection congested (or was found so, by
     *  tlsmem_is_congested), and only then: what waits has fallen to outgoing_low. */
    void (*on_drain)(tlsmem *c, void *user);
    /** The peer sent close_notify; writing may go on. NULL, with on_data set: the library answers with a close. */
    void (*on_eof)(tlsmem *c, void *user);
    /** Exactly once and last, unless the connection is freed first; `report` is valid until it returns. With an fd, after the
     *  alert of a failure is on its way; in the buffers face that is still to be sent: see tlsmem_outgoing_peek. */
    void (*on_close)(tlsmem *c, const tlsmem_report_info *report, void *user);
} tlsmem_callbacks;
#define TLSMEM_CALLBACKS_INIT { sizeof(tlsmem_callbacks), 0, 0, 0, 0, 0 }

/**
 * Makes a connection of the context's role, and freezes the context.
 *
 * `cb` may be NULL and is copied; `user` comes back in each callback. Nothing is sent yet.
 * Returns the connection, to be freed exactly once with tlsmem_free; NULL when ctx is NULL, cb->size is unknown,
 * or OpenSSL has no memory.
 */
tlsmem *tlsmem_new(tlsmem_ctx *ctx, const tlsmem_callbacks *cb, void *user) TLSMEM_CHECK;
/**
 * Frees a connection, at any moment, also inside its own callbacks. No callback fires from now on.
 *
 * It leaves its loop at once. Nothing is flushed: use tlsmem_close and wait for on_close where that matters. The
 * fd is closed only if the connection owns it (tlsmem_own_fd, or it was accepted or connected by a loop).
 */
void tlsmem_free(tlsmem *c);
/** Replaces callbacks and user pointer. Plaintext that waits goes to a new on_data at the next driving call, in a loop
 *  at the end of the turn. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_set_callbacks(tlsmem *c, const tlsmem_callbacks *cb, void *user);
/** Returns which generation of its context it has (tlsmem_ctx_reload); 0 for NULL. */
uint64_t tlsmem_generation(const tlsmem *c);
/** Returns the user pointer. */
void *tlsmem_user(const tlsmem *c);
/** Returns the SSL, for what this library does not offer; owned by c. Reading or writing through it breaks c. */
void *tlsmem_native(tlsmem *c);
/**
 * Names the server that a client wants: a host name (sent as SNI) or an IP address. Verified against the certificate.
 *
 * By its subject alternative names only, never by its common name (RFC 9525, 2). "*" is one whole label, the first, before
 * two more at least; nobody looks up whether those belong to a registry, as in "*.co.uk".
 * An international name, in UTF-8, is turned into what the DNS and certificates have, "xn--bcher-kva.example" (IDNA2008,
 * RFC 5891), by libidn2, which is loaded for the first such name; where it is not installed (Debian: libidn2-0) they are
 * refused. A name in ASCII is taken as it is.
 *
 * What is an address then, in whichever digits, is one; and a name whose last label has digits only is none ("127.0.0.1.",
 * "1.2.3.256"; RFC 1123, 2.1).
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL for NULL, "", or a name that is no name; TLSMEM_ESTATE on a server, after
 * the handshake began, or after tlsmem_session_set. A client that verifies and has no name is refused with TLSMEM_ENAME when
 * it begins.
 */
int tlsmem_set_server_name(tlsmem *c, const char *name) TLSMEM_CHECK;

/* --------------------------------------------------------------------------------- handshake, state, deadlines */

typedef enum tlsmem_state {
    TLSMEM_STATE_NEW = 0,         /**< not begun */
    TLSMEM_STATE_HANDSHAKING = 1, /**< the first handshake is under way */
    TLSMEM_STATE_OPEN = 2,        /**< established; both directions, or one of them, open */
    TLSMEM_STATE_CLOSING = 3,     /**< tlsmem_close was called, or it failed and the alert is on its way */
    TLSMEM_STATE_CLOSED = 4,      /**< ended: the report is final */
    TLSMEM_STATE_CONNECTING = 5   /**< tlsmem_loop_connect is at work: there is no fd yet */
} tlsmem_state;

/** One snapshot, the single truth about what a connection waits for. */
typedef struct tlsmem_want_info {
    size_t size;
    tlsmem_state state;
    int needs_ciphertext;     /**< 1: it goes on when the peer's bytes arrive (poll for POLLIN, or feed) */
    int has_ciphertext;       /**< 1: bytes wait to be sent (poll for POLLOUT, or peek and consume) */
    int has_plaintext;        /**< 1: tlsmem_read would return more than 0 now */
    int accepts_plaintext;    /**< 1: tlsmem_write would take at least one byte now */
    int peer_closed;          /**< 1: the peer's close_notify came */
    int paused;               /**< 1: tlsmem_pause is in force */
    size_t incoming_bytes;    /**< plaintext that waits to be read */
    size_t outgoing_bytes;    /**< ciphertext that waits to be sent */
    size_t deferred_bytes;    /**< plaintext that was written and waits: for the handshake, or to be gathered */
    int64_t deadline_ms;      /**< as tlsmem_deadline */
    int congested;            /**< as tlsmem_is_congested */
    tlsmem_question waits_for; /**< the answer that its handshake stands still for (tlsmem_answer), or TLSMEM_QUESTION_NONE */
} tlsmem_want_info;
#define TLSMEM_WANT_INFO_INIT \
    { sizeof(tlsmem_want_info), TLSMEM_STATE_NEW, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, TLSMEM_QUESTION_NONE }

/**
 * Begins the handshake, or takes it as far as it goes. Needed only to begin early: every driving call does the same.
 *
 * Returns TLSMEM_OK when established; TLSMEM_AGAIN when the peer's bytes are missing, or the answer to a question
 * (tlsmem_answer); else why it failed.
 * May call back.
 */
int tlsmem_handshake(tlsmem *c);
/** Fills the snapshot. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_want(const tlsmem *c, tlsmem_want_info *want);
/** Returns 1 once the handshake is done, also after the end; else 0. */
int tlsmem_is_established(const tlsmem *c);

/** Returns CLOCK_MONOTONIC in milliseconds, the clock of tlsmem_deadline and tlsmem_tick. Any thread. */
int64_t tlsmem_now(void);
/** Returns the moment at which tlsmem_tick should be called, in milliseconds of tlsmem_now; -1 for never; one that has passed
 *  when there is something to be told at once. */
int64_t tlsmem_deadline(const tlsmem *c);
/**
 * Tells a connection what time it is; a deadline that passed ends it with TLSMEM_ETIMEOUT, or gives back OpenSSL's
 * buffers (buffers_ms). Loops do this by themselves. The time that its own callbacks take counts for none of them but
 * handshake_ms and close_ms; and before a peer is said to have been silent, its fd is looked at once more.
 *
 * Returns TLSMEM_OK while it goes on; TLSMEM_CLOSED or the failure once it has ended. May call back.
 */
int tlsmem_tick(tlsmem *c, int64_t now_ms);

/** The deadlines of tlsmem_limits that one connection may have for itself. */
typedef enum tlsmem_timeout {
    TLSMEM_TIMEOUT_HANDSHAKE = 1, /**< handshake_ms */
    TLSMEM_TIMEOUT_IDLE = 2,      /**< idle_ms */
    TLSMEM_TIMEOUT_READ = 3,      /**< read_ms */
    TLSMEM_TIMEOUT_WRITE = 4,     /**< write_ms */
    TLSMEM_TIMEOUT_CLOSE = 5      /**< close_ms */
} tlsmem_timeout;
/**
 * Gives one connection a deadline of its own, in milliseconds; 0 for none. At any moment: one that is running is
 * measured anew, from when it began. While the connection closes, only the closing deadline holds. Reading and sending
 * are not watched while both of their deadlines are off: they then begin now.
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL for NULL or an unknown deadline. Calls nothing back.
 */
int tlsmem_set_timeout(tlsmem *c, tlsmem_timeout which, uint32_t ms);

/* ------------------------------------------------------------------------------------------------ buffers face */

/**
 * Takes ciphertext that came from the peer, and does everything that follows from it.
 *
 * Returns the bytes taken, which are fewer than n only when incoming_max is reached or the connection ended on the
 * way; TLSMEM_AGAIN when none could be taken because plaintext waits to be read, because a question waits for its answer
 * (tlsmem_answer), or because some were taken that came behind the peer's close_notify: they are kept for tlsmem_unwrapped,
 * and the caller keeps the rest; TLSMEM_CLOSED or the failure when it has ended; TLSMEM_EINVAL; TLSMEM_ESTATE when the
 * connection has an fd, or after tlsmem_feed_eof. May call back.
 */
ptrdiff_t tlsmem_feed(tlsmem *c, const void *bytes, size_t n) TLSMEM_CHECK;
/**
 * Says that no ciphertext will come any more (TCP FIN).
 *
 * Returns TLSMEM_OK while it goes on (the peer had closed properly and we may still write); TLSMEM_CLOSED or the
 * failure once it has ended: TLSMEM_EHANDSHAKEEOF, TLSMEM_ETRUNCATED. May call back.
 */
int tlsmem_feed_eof(tlsmem *c);
/**
 * Says that the transport has failed, whether in receiving or in sending, with this errno (libuv's codes are negative
 * ones). What was fed before is still delivered, what waits to be sent is dropped, and then it ends as it would with an fd:
 * TLSMEM_ERESET for ECONNRESET and EPIPE, else TLSMEM_ESYSTEM; or cleanly, when the peer had closed and only our
 * close_notify was left to send.
 *
 * Returns TLSMEM_OK while it goes on (plaintext waits for tlsmem_resume); TLSMEM_CLOSED or the failure once it has ended;
 * TLSMEM_ESTATE when the connection has an fd; TLSMEM_EINVAL, also for an errno that is not above 0. May call back.
 */
int tlsmem_feed_error(tlsmem *c, int sys_errno);
/**
 * Shows ciphertext that has to be sent; begins the handshake of a client.
 *
 * Returns TLSMEM_OK with *bytes and *n, n at least 1; TLSMEM_AGAIN when nothing waits; TLSMEM_ESTATE when the
 * connection has an fd; TLSMEM_EINVAL. There may be more behind it: consume, and peek again. Still answers after
 * the connection failed: the alert is in there. For in the buffers face a failure ends it at once, with on_close, and the
 * alert is sent by the program, which then sends FIN and had better receive (and drop) until the peer has closed too:
 * closed with bytes unread, a TCP socket sends a reset, and that would destroy the alert.
 * Lifetime: until the next call on c that is not const. May call back, on_close only, when it begins a handshake
 * that is refused.
 */
int tlsmem_outgoing_peek(tlsmem *c, const void **bytes, size_t *n) TLSMEM_CHECK;
/**
 * Says that the first n bytes of what was shown are on their way.
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL when n is more than waits; TLSMEM_ESTATE. May call back (on_drain, on_close).
 */
int tlsmem_outgoing_consume(tlsmem *c, size_t n);

/* --------------------------------------------------------------------------------------------------- plaintext */

/**
 * Writes plaintext, at any time: before the handshake and during a renegotiation it waits, in order, by itself.
 *
 * Returns the bytes taken, 1 to n (0 for n = 0); what was not taken the caller keeps. TLSMEM_AGAIN when
 * outgoing_max is reached: on_drain will tell. TLSMEM_ESTATE after tlsmem_close or tlsmem_close_write;
 * TLSMEM_CLOSED or the failure after the end; TLSMEM_ERESET when the transport takes no more; TLSMEM_EINVAL.
 * With an fd and no loop, what the socket takes is sent before it returns; in a loop, at the end of the turn; inside a
 * callback of the same connection, at the end of the call that it came from. Until then writes of fewer than 4096 bytes
 * are gathered into one record; should the peer break the protocol meanwhile, OpenSSL encrypts nothing more, and what was
 * gathered is lost with the connection (the report tells).
 * Lifetime: the bytes are copied or encrypted before it returns; a call need never be repeated.
 * Calls nothing back.
 */
ptrdiff_t tlsmem_write(tlsmem *c, const void *bytes, size_t n) TLSMEM_CHECK;
/**
 * Writes several pieces as if they were one, 0 to 1024 of them; a piece of length 0 may have any address.
 *
 * Returns as tlsmem_write, with the bytes taken of all of them together; TLSMEM_EINVAL, and nothing taken, for a bad
 * piece too. Calls nothing back.
 */
ptrdiff_t tlsmem_writev(tlsmem *c, const struct iovec *pieces, int count) TLSMEM_CHECK;
/**
 * Gathers writes of fewer than 4096 bytes into as few records as they need, which is many times cheaper than a record
 * for each: they wait for the last tlsmem_uncork, for tlsmem_flush or for the end of the connection's direction. What fills
 * a record does not wait, nor does what was written before the first cork, nor anything while on_drain is owed. Inside a
 * callback of the same connection, and in a loop until the end of the turn, writes are gathered anyway: a cork is for
 * everywhere else.
 *
 * Corks count: each needs its tlsmem_uncork, which also holds in a loop. Returns TLSMEM_OK; TLSMEM_ESTATE after
 * tlsmem_close or tlsmem_close_write, and for the 256th cork; TLSMEM_CLOSED or the failure after the end; TLSMEM_EINVAL.
 * Calls nothing back.
 */
int tlsmem_cork(tlsmem *c);
/**
 * Takes a cork away. The last one lets what was gathered go as tlsmem_write does: with an fd and no loop it is sent
 * before this returns.
 *
 * Returns TLSMEM_OK; TLSMEM_ESTATE without a cork; TLSMEM_CLOSED or the failure after the end; TLSMEM_EINVAL. Calls
 * nothing back.
 */
int tlsmem_uncork(tlsmem *c);
/**
 * Reads plaintext that waits: for programs without on_data, or while paused.
 *
 * Returns the bytes read, 1 to n; 0 when the peer closed and all was read (or n = 0); TLSMEM_AGAIN when nothing
 * waits; after a failure first what came before it, then the failure; TLSMEM_EINVAL. Calls nothing back.
 */
ptrdiff_t tlsmem_read(tlsmem *c, void *bytes, size_t n) TLSMEM_CHECK;
/** As tlsmem_read without a copy: TLSMEM_OK with *bytes and *n at least 1; TLSMEM_CLOSED where tlsmem_read says 0;
 *  TLSMEM_AGAIN, the failure, TLSMEM_EINVAL as there. tlsmem_write may be given what it shows, and leaves it valid. */
int tlsmem_read_peek(tlsmem *c, const void **bytes, size_t *n) TLSMEM_CHECK;
/** Drops the first n bytes of what was shown. Returns TLSMEM_OK; TLSMEM_EINVAL when n is more than waits. */
int tlsmem_read_consume(tlsmem *c, size_t n);

/**
 * Returns 1 while more than outgoing_high bytes wait to be sent, else 0: a good moment to stop making more, by pausing
 * where it comes from (tlsmem_pause). on_drain tells when to go on. tlsmem_write takes bytes all the same, until
 * outgoing_max.
 */
int tlsmem_is_congested(const tlsmem *c);

/* ----------------------------------------------------------------------------------------------------- fd face */

/**
 * Gives the connection a connected (or connecting) non-blocking stream socket. The program keeps it and closes it.
 *
 * What was fed before, and ciphertext that waits, is carried over. handshake_ms begins.
 * Returns TLSMEM_OK; TLSMEM_EINVAL for a negative fd; TLSMEM_ESTATE when it has one, or has ended, or an earlier
 * transport has: by FIN from either side, or by an error.
 */
int tlsmem_set_fd(tlsmem *c, int fd) TLSMEM_CHECK;
/** Returns the fd, or -1. */
int tlsmem_fd(const tlsmem *c);
/** Takes the fd back, out of a loop too; the connection goes on in the buffers face, or has ended. Returns the fd, or -1. */
int tlsmem_take_fd(tlsmem *c);
/** Says whether the connection closes its fd, after on_close (but see tlsmem_unwrap) or at tlsmem_free. Returns TLSMEM_OK
 *  or TLSMEM_EINVAL. */
int tlsmem_own_fd(tlsmem *c, int own);

/**
 * The fd is readable: receives, decrypts, delivers, and sends what came of it.
 *
 * Returns TLSMEM_OK while it goes on; TLSMEM_CLOSED or the failure once it has ended, and only then is the fd done
 * with; TLSMEM_ESTATE without an fd or in a loop; TLSMEM_EINVAL. May call back.
 */
int tlsmem_on_readable(tlsmem *c);
/** The fd is writable: sends what waits, and begins a client's handshake. Returns as tlsmem_on_readable. */
int tlsmem_on_writable(tlsmem *c);
/**
 * Sends what the socket takes.
 *
 * Returns TLSMEM_OK when nothing waits any more; TLSMEM_AGAIN when the socket is full; TLSMEM_CLOSED or the failure
 * once it has ended; TLSMEM_ESTATE without an fd; TLSMEM_EINVAL. May call back.
 */
int tlsmem_flush(tlsmem *c);
/** Returns what to poll the fd for: POLLIN, POLLOUT, both, or 0 (for NULL too). Ask again after every call. A client that has
 *  not begun asks for both. */
int tlsmem_interest(const tlsmem *c);

/* ----------------------------------------------------------------------------------------------- reading pace */

/**
 * Stops on_data: plaintext waits until tlsmem_resume, or is taken by tlsmem_read. At incoming_max the socket is read
 * no more.
 *
 * on_eof and on_close wait behind it, on_close not after tlsmem_abort, a deadline or a broken protocol: then
 * tlsmem_read still has what waits. Returns TLSMEM_OK or TLSMEM_EINVAL. Calls nothing back.
 */
int tlsmem_pause(tlsmem *c);
/** Starts it again, first with what waits. Returns TLSMEM_OK or TLSMEM_EINVAL. May call back. */
int tlsmem_resume(tlsmem *c);

/* --------------------------------------------------------------------------------------------------- closing */

/**
 * Closes: what was written goes out, then close_notify, then FIN; what the peer still sends is delivered; on_close
 * comes when the peer has closed too, or after close_ms. Before the handshake, with nothing written, it ends at once. For
 * much that waits, or a long answer, close_ms is short: tlsmem_close_write first, and this when the peer has closed.
 *
 * Returns TLSMEM_OK, also when it is closing already; TLSMEM_EINVAL. May call back.
 */
int tlsmem_close(tlsmem *c);
/**
 * Closes our direction only: close_notify after what was written; reading goes on until the peer closes. No FIN.
 *
 * Before the handshake is done it is remembered. With an fd and no loop, what the socket takes is sent before it returns.
 * close_ms does not hold: a peer that never closes is waited for, unless read_ms or idle_ms is set (tlsmem_set_timeout).
 * Returns TLSMEM_OK, also when it is closed already; TLSMEM_ESTATE after the end; TLSMEM_EINVAL. May call back.
 */
int tlsmem_close_write(tlsmem *c);
/**
 * Ends TLS and leaves the transport to the program, which goes on in plain on the same fd: as tlsmem_close, but no FIN is
 * sent, and the fd stays open, also one that the connection owns, until tlsmem_free or tlsmem_take_fd.
 *
 * on_close says TLSMEM_OK once both close_notify have gone; the connection has left its loop then. A peer that sends FIN
 * instead, or does not answer within close_ms, makes it a failure, as does everything else that ends a connection; then
 * the fd is as after any other end. Either side may be first: on_eof tells of a peer that was, and this is the answer.
 * After the peer's close_notify nothing more is received once this was called. What had been received behind it is not
 * lost: see tlsmem_unwrapped. In the buffers face it is over when our close_notify has been consumed, too.
 * Returns TLSMEM_OK, also when it is under way already; TLSMEM_ESTATE after tlsmem_close, and after a failure or the end;
 * TLSMEM_EINVAL. May call back.
 */
int tlsmem_unwrap(tlsmem *c) TLSMEM_CHECK;
/**
 * Takes bytes that were received behind the peer's close_notify, after tlsmem_unwrap has come to its end: the first ones
 * that the peer sent in plain; what follows them is still in the socket (or was not taken by tlsmem_feed). No TLS protects
 * them: anybody on the way can have put them there.
 *
 * They are kept from when they come, and nothing more is received, until tlsmem_close or tlsmem_free drops them, whether or
 * not tlsmem_unwrap is called.
 * Returns the bytes taken, 1 to n; 0 when there are no more (or n = 0); TLSMEM_AGAIN while tlsmem_unwrap is under way;
 * TLSMEM_ESTATE without it; the failure when it has failed; TLSMEM_EINVAL. Calls nothing back.
 */
ptrdiff_t tlsmem_unwrapped(tlsmem *c, void *bytes, size_t n) TLSMEM_CHECK;
/** Ends at once: nothing is sent, what waits is dropped, on_close says TLSMEM_EABORTED (or an earlier failure). Returns
 *  TLSMEM_OK, also after the end; TLSMEM_EINVAL. May call back. */
int tlsmem_abort(tlsmem *c);
/** Fills the report, which is final once the state is closed. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_report(const tlsmem *c, tlsmem_report_info *report);

/* ------------------------------------------------------------------------------------------ keys in mid-stream */

/**
 * Changes our sending key (TLS 1.3, RFC 8446, 4.6.3), and asks the peer to change its own when ask_peer is not 0.
 *
 * Returns TLSMEM_OK; TLSMEM_AGAIN when outgoing_max is reached; TLSMEM_ESTATE in TLS 1.2, before the handshake or
 * after close; TLSMEM_EINVAL. As for tlsmem_write, an fd is sent to before it returns. Calls nothing back.
 */
int tlsmem_key_update(tlsmem *c, int ask_peer) TLSMEM_CHECK;
/**
 * Begins a renegotiation (TLS 1.2); writes wait meanwhile, by themselves. handshake_ms holds for it, too. A peer that
 * closes in the middle of it ends the connection: TLSMEM_EHANDSHAKEEOF.
 *
 * A peer may refuse it, which ends the connection then, TLSMEM_EPROTOCOL, alert 40.
 * Returns TLSMEM_OK; TLSMEM_ESTATE in TLS 1.3, before the handshake, after close, while one is under way, when
 * the context does not allow it, or not a second one, and when the peer has no RFC 5746; TLSMEM_EINVAL. May call back.
 */
int tlsmem_renegotiate(tlsmem *c) TLSMEM_CHECK;

/**
 * Asks the client of a connection for its certificate, after the handshake (TLS 1.3, RFC 8446, 4.6.2). Data goes on both ways
 * meanwhile. For a context with TLSMEM_VERIFY_LATER; with TLSMEM_VERIFY_REQUIRED or _OPTIONAL it is asked once more.
 *
 * done(c, user), unless it is NULL, is called when the client has answered, before what it has sent behind that is delivered:
 * tlsmem_peer_certificate and its like tell of the certificate, which was verified as in a handshake, tlsmem_ctx_set_verify_cb
 * included; with TLSMEM_VERIFY_OPTIONAL it may have sent none. Until the client has proven it, they tell of none. One that is
 * not good, or is missing, ends the connection, as in a handshake, with an alert; no answer within handshake_ms does too:
 * TLSMEM_ETIMEOUT. Then done is not called. Sessions that the client was given before stand for a client without certificate.
 *
 * Returns TLSMEM_OK when it is on its way; TLSMEM_AGAIN when outgoing_max is reached; TLSMEM_ESTATE for a client, in TLS 1.2,
 * before the handshake, after close, while an answer is due, when the context verifies nobody, and when the client has not
 * offered it (tlsmem_ctx_set_post_handshake_auth; `openssl s_client -enable_pha`); TLSMEM_EINVAL. As for tlsmem_write, an fd is
 * sent to before it returns. Calls nothing back.
 */
int tlsmem_request_certificate(tlsmem *c, void (*done)(tlsmem *c, void *user), void *user) TLSMEM_CHECK;

/* ------------------------------------------------------------------------------------------------- sessions */

/*
 * A client that offers a session of an earlier connection saves both sides the larger part of the handshake. The server
 * may decline; the handshake is then a full one, and tlsmem_is_resumed tells which it was. A server of this library
 * resumes by itself (tlsmem_ctx_set_tickets).
 *
 *     tlsmem_session *old = tlsmem_session_get(c);      late, in on_close say
 *     tlsmem_set_server_name(next, "example.org");
 *     if (old == NULL || tlsmem_session_set(next, old) != TLSMEM_OK)
 *         ;                                             a full handshake then
 *     tlsmem_session_free(old);
 *
 * In TLS 1.3 sessions come as tickets, after the handshake, whenever the server likes, and each is for one connection: who
 * uses it twice can be recognized (RFC 8446, C.4). Take the newest of each connection. In TLS 1.2 there is one from the
 * handshake on, or none, and it may be used again.
 *
 * In a resumed handshake the server shows no certificate, and OpenSSL verifies nothing. So the library does:
 * tlsmem_session_set takes a session for the name only that it was made with, and verifies the server's certificate in it
 * anew, as in a full handshake: by the authorities that the context trusts, for the name, at this time. It does not matter
 * whether it was verified when the session was made.
 *
 * A server does the same, where it verifies its clients or has pins: the client's certificate, in the ticket, is verified
 * anew, dates, authorities, revocation lists and pins, at each resumption; if it is not good any more the handshake is a full
 * one, in which the client is told. A ticket has the client's own certificate only. Those between it and an authority have to
 * be among what the server was given by tlsmem_ctx_set_ca_file and its like (where they are not trusted by that, unless
 * tlsmem_ctx_set_partial_chain says so), or the client has a full handshake each time. Nor are tickets renewed for ever there:
 * from the first on they are good for two hours (SSL_CTX_set_timeout), however often they are replaced. And nothing is kept in
 * the server's memory there, by which OpenSSL resumes TLS 1.2 without tickets and unasked: clients that take no tickets have
 * full handshakes. All this holds as well where a tlsmem_client_hello_cb may choose the context, and where names were added.
 *
 * A session holds secrets: who has it, or its bytes, can read and forge what is sent over the connections that it resumes,
 * and who can write the bytes can be the server. To the server it stands for the client certificate, too, that the client
 * showed, and so is taken only by a context that lets in the same clients: with the same authorities, directories, revocation
 * lists, pins, and all else that tlsmem_set_ctx names (what callbacks say excepted). It never changes, so any thread may use
 * it, several at once; it outlives its connection and context, and has no part in either. These functions call nothing back.
 */

/**
 * Returns the newest session that can be resumed, to be freed with tlsmem_session_free: before or after the end of the
 * connection, but before tlsmem_free.
 *
 * NULL when there is none: before the handshake is done; in TLS 1.3 before a ticket was read, and on a resumed connection
 * until it brings a new one; when the server gives none; after a fatal alert; for a server; for NULL; without memory. Each
 * call returns an object of its own, and the same ticket until the next has come.
 */
tlsmem_session *tlsmem_session_get(const tlsmem *c) TLSMEM_CHECK;
/**
 * Offers a session in the handshake to come; a second call replaces the first. Name the server before: from now on the
 * name stays as it is.
 *
 * Returns TLSMEM_OK, and the session remains the caller's, to be freed at any time; TLSMEM_ESTATE on a server, after the
 * handshake began, or after the end; TLSMEM_EHOST for another name than the session's (no name being one, too), or when
 * the certificate is not for it; TLSMEM_EVERSION or TLSMEM_ECIPHER when the context does not speak the version or does not
 * offer the cipher of the session; TLSMEM_ESESSION when it has expired; TLSMEM_ENAME, TLSMEM_ENOTRUST, TLSMEM_EVERIFY,
 * TLSMEM_EEXPIRED, TLSMEM_EPIN or TLSMEM_ENOCERT where a full handshake would fail for it, unless the context does not verify;
 * TLSMEM_EOCSP after tlsmem_ctx_require_ocsp;
 * TLSMEM_ENOMEM; TLSMEM_EINVAL for NULL. What is refused changes nothing, and is no failure of the connection.
 */
int tlsmem_session_set(tlsmem *c, const tlsmem_session *session) TLSMEM_CHECK;
/** Returns when the session expires, in seconds since 1970 (time), as far as the server has told; 0 for NULL. */
int64_t tlsmem_session_expires(const tlsmem_session *session);
/**
 * Writes a session as bytes, to be kept or handed to another process. They hold its secrets: keep them as a private key is
 * kept, and clear them (explicit_bzero) when done.
 *
 * Returns their length, and writes them when n is enough (call with n = 0 to ask); TLSMEM_ELIMIT when they would be more
 * than 1 MiB, by the certificates in it; TLSMEM_ENOMEM; TLSMEM_EINVAL.
 */
ptrdiff_t tlsmem_session_to_bytes(const tlsmem_session *session, void *bytes, size_t n) TLSMEM_CHECK;
/**
 * Makes a session of bytes that tlsmem_session_to_bytes has written, by this version of the library or another.
 *
 * Returns TLSMEM_OK with *session, to be freed with tlsmem_session_free; TLSMEM_ESESSION for any other bytes, or without
 * memory; TLSMEM_EINVAL.
 */
int tlsmem_session_from_bytes(const void *bytes, size_t n, tlsmem_session **session) TLSMEM_CHECK;
/** Frees a session, and clears its secrets; connections that it was set for are not concerned. NULL does nothing. Out of our
 *  reach are copies that OpenSSL leaves in memory which it has given back: a server's, of what it wrote into tickets, and the
 *  secrets of a connection of TLS 1.3 where its SSL was. */
void tlsmem_session_free(tlsmem_session *session);

/* ----------------------------------------------------------------------------------------------- early data */

/*
 * With a session of TLS 1.3 a client may send data before the handshake, and a server may answer it at once: a round trip is
 * saved ("0-RTT": RFC 8446, 2.3). It is off by default, on both sides, because less protects it than other data:
 *
 * - Anybody on the way can record it and send it again, to this server or to another that reads the same tickets (RFC 8446, 8).
 *   So it must be nothing that does harm when it is done twice: a question, never an order (for HTTP: RFC 8470).
 * - It has no forward secrecy: it is encrypted under a key of the ticket.
 *
 * The library guards against the first within one process: no ticket brings early data twice, to whichever context, and none
 * when the ticket is not as old, give or take ten seconds, as the client says (RFC 8446, 8.1 and 8.3); nor any after the time
 * of day was set back, until it is as late again as it was. What that does not
 * cover: several processes or machines that have the same ticket keys, and one that is started anew with the keys it had. Each
 * takes what is sent again for the first. Only a program that waits for on_established is safe from all of it: by then the
 * data is known to be from the client of this connection. And a client whose early data was refused, or whose connection broke,
 * may well send the same again, which nobody can tell from a copy.
 */

/** What became of the early data of a connection. */
typedef enum tlsmem_early_data {
    TLSMEM_EARLY_NONE = 0,     /**< the client has sent none, or none is known of yet */
    TLSMEM_EARLY_ACCEPTED = 1, /**< the server has taken it */
    TLSMEM_EARLY_REJECTED = 2  /**< the server has dropped it; to a server it is as if it had never come */
} tlsmem_early_data;

/**
 * Has a server take early data, up to max_bytes (0 to 2147483647) of each connection; 0, the default, for none. Its tickets say
 * so to the clients.
 *
 * A program that knows nothing of this loses no safety, and gains nothing: early data is delivered after on_established, in
 * front of the rest. One that wants it sooner calls tlsmem_set_early_data_cb or tlsmem_read_early; once it was shown some, what
 * it writes is sent before the handshake is done ("0.5-RTT"), to whoever it is: known by a ticket, which may be a copy of
 * what a client has sent. Nobody but that client can read it. Until then, what is written waits for the handshake, as ever.
 *
 * Up to max_bytes of it are kept for a client whose handshake is not done, whatever incoming_max is, and whether or not the
 * connection is paused: the end of the handshake comes behind them. A client that sends more has broken the protocol.
 *
 * It is refused, and the handshake goes on without it: of a ticket that has brought early data before, of one that is not the
 * first that the client offers or is not as old as it says; when the cipher or the application protocol is another than the
 * session's; when the client is asked for another key share; of tickets made by a context that took none; and when 65536
 * connections have brought some within the last 20 seconds, of which the process takes a note. After tlsmem_set_ctx both
 * contexts must take it, and the second says how much. SSL_OP_NO_ANTI_REPLAY is set: this guard stands in for OpenSSL's, which
 * has to keep every session in memory.
 *
 * Returns as every setter; TLSMEM_EINVAL on a client, and for a number that is out of range.
 */
int tlsmem_ctx_set_early_data(tlsmem_ctx *ctx, size_t max_bytes) TLSMEM_CHECK;
/**
 * Writes early data on a client: before the handshake begins, after tlsmem_session_set, and before any tlsmem_write. It goes out
 * behind the ClientHello. The library keeps it until the server has said what it does with it, and sends it again, as ordinary
 * data and in front of everything else, when the server has refused it: whoever has to know asks tlsmem_early_data_status in
 * on_established. When the connection ends before that, nobody knows whether the server has read it. What was written for one
 * application protocol is not sent again where another is spoken, nor is anything behind it: when the server has refused it, and
 * chosen another protocol than the session's, the connection ends with TLSMEM_EALPN before it is established, as with
 * TLSMEM_ALPN_REQUIRED (RFC 8446, 4.2.10). A server that has gone back to TLS 1.2 since it gave the session ends it with an
 * alert (RFC 8446, D.3): in both cases, try again without.
 *
 * Returns the bytes taken, 1 to n (0 for n = 0), which counts as written; TLSMEM_AGAIN when as much was taken as the session
 * allows, or outgoing_max does: the rest is for tlsmem_write; TLSMEM_ESESSION without a session, and with one that allows
 * none (of TLS 1.2, too); TLSMEM_EALPN when the context does not offer the protocol that the session was made with, and
 * TLSMEM_EHOST when the name was written in other letters then ("Example.org"); TLSMEM_ESTATE on a server, once the handshake
 * has begun, after tlsmem_write, and after tlsmem_close or tlsmem_close_write; TLSMEM_CLOSED or the failure after the end;
 * TLSMEM_EINVAL. After it tlsmem_session_set returns TLSMEM_ESTATE. Calls nothing back.
 */
ptrdiff_t tlsmem_write_early(tlsmem *c, const void *bytes, size_t n) TLSMEM_CHECK;
/**
 * Has a server's early data shown as it comes, before on_established, when anybody may have recorded it and sent it again;
 * `bytes` is valid until the callback returns. To be called before the handshake, as in on_accept; `user` is what is given
 * here, not the connection's. NULL for cb, the default: it is kept, for tlsmem_read_early, and for on_data or tlsmem_read after
 * the handshake. While paused it is kept, too.
 *
 * Inside the callback every call is allowed, as in any. Returns TLSMEM_OK; TLSMEM_ESTATE on a client, once the handshake is
 * done, and after the end; TLSMEM_EINVAL. What was kept goes to the callback at the next driving call. Calls nothing back.
 */
int tlsmem_set_early_data_cb(tlsmem *c, void (*cb)(tlsmem *c, const void *bytes, size_t n, void *user), void *user)
    TLSMEM_CHECK;
/**
 * Reads early data on a server before the handshake is done: for programs without a callback, or while paused. What is
 * left then is for on_data or tlsmem_read.
 *
 * Returns the bytes read, 1 to n (0 for n = 0 when some waits); TLSMEM_AGAIN when none waits; TLSMEM_ESTATE once the handshake
 * is done, and on a client; the failure, and what was not read is lost, when there was one; TLSMEM_CLOSED; TLSMEM_EINVAL.
 * Calls nothing back.
 */
ptrdiff_t tlsmem_read_early(tlsmem *c, void *bytes, size_t n) TLSMEM_CHECK;
/** Returns what became of early data: on a server as soon as its ClientHello was read, on a client once it is established.
 *  TLSMEM_EARLY_NONE for NULL. */
tlsmem_early_data tlsmem_early_data_status(const tlsmem *c);

/* ---------------------------------------------------------------------------------------------------- facts */

/** Returns TLSMEM_TLS1_2 or TLSMEM_TLS1_3; 0 before it is known. */
int tlsmem_protocol(const tlsmem *c);
/** Returns "TLSv1.3", the cipher's OpenSSL name, the group's name as IANA has it; "" before it is known. The group of a
 *  resumed TLS 1.2 connection is that of the handshake which made the session; TLS 1.2 without ECDHE has none, and is "".
 *  Valid as long as c. */
const char *tlsmem_protocol_name(const tlsmem *c);
const char *tlsmem_cipher_name(const tlsmem *c);
const char *tlsmem_group_name(const tlsmem *c);
/** Returns the numbers of both in IANA's registries, 0x1301 for TLS_AES_128_GCM_SHA256, 29 for x25519; 0 before they are
 *  known, and where the name is "". */
int tlsmem_cipher_id(const tlsmem *c);
int tlsmem_group_id(const tlsmem *c);
/**
 * Returns the scheme of the signature by which the peer proved that its certificate is its own, as a number and by the name
 * that it has in TLS 1.3 (RFC 8446, 4.2.3): 0x0403, "ecdsa_secp256r1_sha256". In TLS 1.2 the curve of that is any curve.
 *
 * 0 and "" when there was none: before the handshake is done, in a resumed one, without a certificate, and by a server
 * whose key decrypts instead (TLS 1.2, RSA key exchange); and for a scheme that is not known here. The name is static.
 */
int tlsmem_signature_id(const tlsmem *c);
const char *tlsmem_signature_name(const tlsmem *c);
/** Return the same of our own signature. */
int tlsmem_own_signature_id(const tlsmem *c);
const char *tlsmem_own_signature_name(const tlsmem *c);
/** Shows the negotiated application protocol. Returns TLSMEM_OK; TLSMEM_AGAIN when there is none; TLSMEM_EINVAL. */
int tlsmem_alpn(const tlsmem *c, const char **name, size_t *n);
/** Returns the server name that the client sent (SNI), or NULL. On a server that resumes a session of TLS 1.2 it is the name
 *  that the session was made with. Where names were added, or tlsmem_ctx_set_sni_strict, clients are examined, or a
 *  tlsmem_client_hello_cb is there, the client sends the same now (RFC 6066, 3: it must); elsewhere, where all names are
 *  served alike, nobody looks. Valid as long as c. */
const char *tlsmem_server_name(const tlsmem *c);
/** Returns 1 when the session was resumed, else 0. */
int tlsmem_is_resumed(const tlsmem *c);
/** Returns the identity of the key (tlsmem_ctx_set_psk) by which the peers know each other; NULL when it was none: they have
 *  used certificates, or a ticket. Before the handshake is done it proves nothing. Valid until the next call on c that is not
 *  const. */
const char *tlsmem_psk_identity(const tlsmem *c);
/*
 * The peer's certificate, of a server or of a client, to be asked for until tlsmem_free. Also the one that was refused: what
 * is told here is true of the certificate, and not of the peer, until tlsmem_is_established. On a resumed connection it is
 * the one of the handshake that made the session; a server does not have what came behind it, because tickets hold nothing but
 * the client's own.
 *
 * Returns the length of what is to be copied, in any case; it is written only when n is enough (call with n = 0 to ask). Of text
 * it is the length without the NUL that ends it, for which n has to have room. TLSMEM_AGAIN when the peer sent no certificate, or
 * has sent none yet; TLSMEM_ENOMEM; TLSMEM_EINVAL. Nothing is called back.
 */

/** Copies the peer's certificate, DER. */
ptrdiff_t tlsmem_peer_certificate(const tlsmem *c, void *der, size_t n) TLSMEM_CHECK;
/** Copies the subject of the peer's certificate (RFC 2253, UTF-8). */
ptrdiff_t tlsmem_peer_subject(const tlsmem *c, char *text, size_t n) TLSMEM_CHECK;
/** Copies the name of who issued it, in the same form. */
ptrdiff_t tlsmem_peer_issuer(const tlsmem *c, char *text, size_t n) TLSMEM_CHECK;
/** Copies its serial number, two upper-case hexadecimal digits for each byte; behind a minus if it is negative. */
ptrdiff_t tlsmem_peer_serial(const tlsmem *c, char *text, size_t n) TLSMEM_CHECK;
/** Copies the certificate and what the peer sent behind it, as PEM. */
ptrdiff_t tlsmem_peer_pem(const tlsmem *c, char *text, size_t n) TLSMEM_CHECK;
/** Copies a certificate of those that the peer sent, DER: 0 is its own. TLSMEM_AGAIN also behind the last. It may have sent
 *  anything: the chain that was verified is another (see tlsmem_peer_verified_chain). */
ptrdiff_t tlsmem_peer_chain(const tlsmem *c, size_t index, void *der, size_t n) TLSMEM_CHECK;
/** As tlsmem_peer_chain, of the chain that verification has found: 0 is the peer's own, the last one is the authority that is trusted.
 *  TLSMEM_AGAIN also when it has found none that is good, and when a session was resumed, with which nobody looks for one. */
ptrdiff_t tlsmem_peer_verified_chain(const tlsmem *c, size_t index, void *der, size_t n) TLSMEM_CHECK;
/**
 * Copies a name for which the certificate is (subjectAltName, RFC 5280, 4.2.1.6): "DNS:example.com", "IP:192.0.2.1",
 * "IP:2001:db8::1" (RFC 5952), "email:...", "URI:...", and "other:directoryName" and so on for what is no such name.
 * TLSMEM_AGAIN also behind the last.
 *
 * A name is what stands in the certificate, and whoever wrote it may have meant harm: a byte that is no printable ASCII
 * comes as \xHH, a backslash too, so that no name can look like another. Whether the certificate is for a name is not to be
 * found out by comparing: tlsmem_set_server_name does it.
 */
ptrdiff_t tlsmem_peer_san(const tlsmem *c, size_t index, char *text, size_t n) TLSMEM_CHECK;

/** What else there is to know of the peer's certificate. */
typedef struct tlsmem_peer_details {
    size_t size;
    int64_t not_before;     /**< valid from then on, in seconds since 1970, UTC; INT64_MIN when it is no date */
    int64_t not_after;      /**< and up to then */
    uint8_t sha256[32];     /**< SHA-256 of the certificate, DER */
    uint8_t key_sha256[32]; /**< SHA-256 of its SubjectPublicKeyInfo, DER: what a pin is (RFC 7469, 2.4) */
    char key_type[32];      /**< OpenSSL's name for the kind of key: "EC", "RSA", "RSA-PSS", "ED25519"; "" for an unknown one */
    int key_bits;           /**< its size, or 0 */
    size_t san_count;       /**< for tlsmem_peer_san */
    size_t chain_count;     /**< for tlsmem_peer_chain */
} tlsmem_peer_details;
#define TLSMEM_PEER_DETAILS_INIT { sizeof(tlsmem_peer_details), 0, 0, { 0 }, { 0 }, { 0 }, 0, 0, 0 }
/** Fills the struct. Returns TLSMEM_OK; TLSMEM_AGAIN, TLSMEM_ENOMEM and TLSMEM_EINVAL as above. */
int tlsmem_peer_info(const tlsmem *c, tlsmem_peer_details *info);

/** What verification has found. */
typedef struct tlsmem_verify_details {
    size_t size;
    long result;        /**< OpenSSL's X509_V_ERR_..., or 0: the certificate is good */
    int depth;          /**< where in the chain it is not, 0 is the peer itself; -1 when it is good, or that is not known */
    char sentence[160]; /**< the same, for a person */
} tlsmem_verify_details;
#define TLSMEM_VERIFY_DETAILS_INIT { sizeof(tlsmem_verify_details), 0, -1, { 0 } }
/**
 * Fills in what verification has found, also where nobody insists on it: for a client of tlsmem_ctx_insecure_no_verify
 * it says what would have been wrong, as far as there are authorities and a name to verify by. On a resumed connection it is
 * what was found for the session: by tlsmem_session_set, if the client verifies, else by the handshake that made it. What
 * tlsmem_ctx_set_verify_cb has answered counts.
 *
 * Returns TLSMEM_OK; TLSMEM_AGAIN when the peer sent no certificate, or has sent none yet, and when verification is off and
 * pins or tlsmem_ctx_set_verify_cb are in its place: then nothing else was looked at; TLSMEM_EINVAL.
 */
int tlsmem_verify_result(const tlsmem *c, tlsmem_verify_details *details);

/** What a server's OCSP response says of its certificate, and what was made of it. */
typedef struct tlsmem_ocsp_details {
    size_t size;
    int is_good;         /**< 1: all of it was found good in the handshake; else the sentence says what is not */
    int status;          /**< what it says: 0 good, 1 revoked, 2 unknown; -1: nothing of this certificate */
    int reason;          /**< of a revoked one, by the numbers of RFC 5280, 5.3.1; -1 when it is not said */
    int64_t revoked_at;  /**< times are in seconds since 1970, UTC; INT64_MIN when there is none */
    int64_t produced_at; /**< when it was signed */
    int64_t this_update; /**< when what it says was known */
    int64_t next_update; /**< when there will be something newer */
    char sentence[160];  /**< what was made of it, for a person */
} tlsmem_ocsp_details;
#define TLSMEM_OCSP_DETAILS_INIT { sizeof(tlsmem_ocsp_details), 0, -1, -1, 0, 0, 0, 0, { 0 } }
/**
 * Fills in what came of tlsmem_ctx_request_ocsp, also when the server was refused for it: unless is_good is 1 all of it may be
 * invented. Returns TLSMEM_OK; TLSMEM_AGAIN when no response came, or none yet, was asked for, or the connection is resumed;
 * TLSMEM_EINVAL.
 */
int tlsmem_ocsp_info(const tlsmem *c, tlsmem_ocsp_details *details);
/** Copies the response, DER, when n is enough (call with n = 0 to ask). Returns its length; TLSMEM_AGAIN as above;
 *  TLSMEM_EINVAL. */
ptrdiff_t tlsmem_ocsp_response(const tlsmem *c, void *der, size_t n) TLSMEM_CHECK;
/**
 * Makes keying material for another protocol that only the two ends of this connection have (RFC 5705; RFC 8446, 7.5).
 *
 * `label` says what for: a name of IANA's "TLS Exporter Labels", or one that begins with "EXPERIMENTAL"; 1 to 249 bytes.
 * `context` is at most 512 bytes (hash what is longer), NULL for none. In TLS 1.3 none is the same as an empty one, in TLS 1.2
 * it is another.
 * Whoever has what is made can do what that protocol allows, and learns nothing of the connection's own keys.
 * Returns TLSMEM_OK with n bytes, 1 to 8160; TLSMEM_AGAIN before the handshake is done, and during a renegotiation, which
 * changes the secrets; TLSMEM_ESTATE in TLS 1.2 without extended master secret: somebody in the middle could have the same
 * secrets then, and nothing may be exported (RFC 7627, 5.4); TLSMEM_EINVAL, also for a label that TLS 1.2 uses itself
 * ("key expansion"); TLSMEM_ENOMEM. Calls nothing back.
 */
int tlsmem_export_keying_material(const tlsmem *c, const char *label, const void *context, size_t context_n, void *bytes,
                                  size_t n) TLSMEM_CHECK;

/** What ties a login inside of the connection to this connection, so that nobody can pass it on (RFC 5056; in SCRAM:
 *  RFC 5802, 6). */
typedef enum tlsmem_binding {
    TLSMEM_BINDING_EXPORTER = 1,         /**< tls-exporter (RFC 9266): for every version, and the one for new protocols */
    TLSMEM_BINDING_SERVER_END_POINT = 2, /**< tls-server-end-point (RFC 5929, 4): a hash of the server's certificate */
    TLSMEM_BINDING_UNIQUE = 3            /**< tls-unique (RFC 5929, 3): TLS 1.2 only */
} tlsmem_binding;
/**
 * Copies a channel binding, which is the same at both ends: 32 bytes, a hash, or 12 bytes.
 *
 * Returns its length, and writes it when n is enough (call with n = 0 to ask); TLSMEM_AGAIN before the handshake is done, and
 * during a renegotiation; TLSMEM_ESTATE where it is not defined: tls-unique in TLS 1.3, it and tls-exporter in TLS 1.2
 * without extended master secret, tls-exporter in TLS 1.2 also where the context allows a renegotiation (RFC 9266, 4),
 * tls-server-end-point without a certificate of the server, for one that is signed without a hash (Ed25519), and on a server
 * that has resumed a session, which does not know with which of its certificates that was made; TLSMEM_EINVAL;
 * TLSMEM_ENOMEM. Calls nothing back.
 */
ptrdiff_t tlsmem_channel_binding(const tlsmem *c, tlsmem_binding type, void *bytes, size_t n) TLSMEM_CHECK;

/** Copies the first failure of a connection; status is TLSMEM_OK when there is none. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_error(const tlsmem *c, tlsmem_error_info *error);

/** Counters of one connection. */
typedef struct tlsmem_stats_info {
    size_t size;
    uint64_t recv_calls;      /**< recv system calls made for this connection */
    uint64_t send_calls;      /**< send system calls */
    uint64_t records_in;      /**< TLS records */
    uint64_t records_out;
    uint64_t plaintext_in;    /**< bytes */
    uint64_t plaintext_out;
    uint64_t ciphertext_in;
    uint64_t ciphertext_out;
    uint64_t key_updates_in;  /**< KeyUpdates and renegotiations that the peer began */
} tlsmem_stats_info;
#define TLSMEM_STATS_INFO_INIT { sizeof(tlsmem_stats_info), 0, 0, 0, 0, 0, 0, 0, 0, 0 }
/** Fills the counters. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_stats(const tlsmem *c, tlsmem_stats_info *stats);

/**
 * Gives back what OpenSSL keeps for the next record of a connection, which asks for it again by itself: of use with
 * buffers_ms, for one that is known to be idle before that is over. The library's own queues are given back as soon as
 * they are empty. What goes back to malloc stays in the process as long as malloc wants: malloc_trim is the program's.
 *
 * Returns TLSMEM_OK; TLSMEM_AGAIN when it is needed, by a handshake that is under way or by half a record that has come;
 * TLSMEM_EINVAL. Calls nothing back.
 */
int tlsmem_trim(tlsmem *c);

/* ---------------------------------------------------------------------------------------------- looking inside */

/**
 * Says in plain words how a connection stands: its state and since when, who has to do what next, which deadline ends the
 * wait, what waits in its queues and in the kernel, and what has failed. For a person; the words may change.
 *
 * One paragraph without a newline, at most n bytes with the zero at its end; what does not fit is cut. 2048 are enough. It asks
 * the kernel about the fd, and changes nothing.
 * Returns how long the whole text is without its zero, so n or more when it was cut (n = 0 asks; text may be NULL then);
 * TLSMEM_EINVAL. Calls nothing back.
 */
ptrdiff_t tlsmem_explain(const tlsmem *c, char *text, size_t n);
/**
 * Says the same of all that is in a loop: fn gets a paragraph about the loop, then one about each listener and each connection.
 * `text` ends with a zero, and is valid until fn returns.
 *
 * Call it in the thread of the loop: from a callback of its own, for example of a signalfd that it watches.
 * Returns how many paragraphs there were; TLSMEM_EINVAL. Calls fn before it returns.
 */
ptrdiff_t tlsmem_loop_explain(tlsmem_loop *loop, void (*fn)(const char *text, void *user), void *user);

/** How a piece of a trace is written. */
typedef enum tlsmem_trace_format {
    TLSMEM_TRACE_AS_TEXT = 1, /**< for a person: "> ClientHello, 517 bytes"; ">" was sent, "<" received */
    TLSMEM_TRACE_AS_JSON = 2  /**< for a program: one object (RFC 8259), of the fields of tlsmem_trace_info by their names, but for
                               *   bytes; and of ms, the time (tlsmem_now), connection, a text that is another for each that
                               *   there is, and role, "client" or "server" */
} tlsmem_trace_format;
/**
 * Writes one piece of a trace (tlsmem_ctx_set_trace_cb), in the callback that was given it, in one line without a newline: at
 * most n bytes with the zero at its end; what does not fit is cut. 512 are enough. What a message contains is not written, only
 * its name and length.
 *
 * Returns how long the whole line is without its zero, as tlsmem_explain does; TLSMEM_EINVAL, also for an unknown format. Calls
 * nothing back.
 */
ptrdiff_t tlsmem_trace(const tlsmem *c, const tlsmem_trace_info *info, tlsmem_trace_format format, char *text, size_t n);

/**
 * Writes what contexts have counted as Prometheus reads it (text format 0.0.4): "Content-Type: text/plain; version=0.0.4".
 * Of each: connections there are and were made, handshakes by version and with the time they took, ends by their status, bytes
 * of ciphertext. Bytes are counted by whole mebibytes, and to the last one when a connection is freed. A context that was put in
 * the place of another (tlsmem_ctx_reload) goes on with its numbers. After tlsmem_set_ctx a connection counts in the other context.
 *
 * Each line has the label role, "client" or "server", and, unless `names` is NULL, the label context with the name that stands
 * in the same place: all contexts of a process in one call. At most n bytes with the zero at the end; what does not fit is cut.
 * Returns how long the whole text is without its zero, as tlsmem_explain does: some 4 KiB for each; TLSMEM_EINVAL, also for
 * two contexts of one role without names. Calls
 * nothing back. Any thread, while connections come and go: the numbers are those of a moment ago.
 */
ptrdiff_t tlsmem_metrics(tlsmem_ctx *const *ctxs, const char *const *names, size_t count, char *text, size_t n);

/* --------------------------------------------------------------------------------------------------- registry */

/** How a loop works. */
typedef struct tlsmem_loop_options {
    size_t size;
    int edge_triggered;      /**< not 0: connections are watched with EPOLLET: no epoll_ctl when a socket fills up */
    int handshakes_per_turn; /**< connections in handshake that are driven in one turn, after all established ones; 0: 2 */
    int runs_empty;          /**< not 0: tlsmem_loop_run goes on when nothing is left: other threads may post or move */
} tlsmem_loop_options;
#define TLSMEM_LOOP_OPTIONS_INIT { sizeof(tlsmem_loop_options), 0, 0, 0 }

/** Makes a loop. Returns it, or NULL when epoll or eventfd is not to be had (errno says why). */
tlsmem_loop *tlsmem_loop_new(void) TLSMEM_CHECK;
/** As tlsmem_loop_new, with options, which are copied; NULL for the defaults. Returns NULL with errno EINVAL for options that are
 *  none. */
tlsmem_loop *tlsmem_loop_new_with(const tlsmem_loop_options *options) TLSMEM_CHECK;
/**
 * Frees a loop, not from inside its own callbacks.
 *
 * Each connection still in it is aborted, so that its on_close can free it and what belongs to it; then its listeners,
 * watches and timers are freed. Meanwhile nothing can be added to it any more: TLSMEM_ESTATE, or NULL. May call back.
 */
void tlsmem_loop_free(tlsmem_loop *loop);

/**
 * Puts a connection and its connected (or connecting) non-blocking socket into the loop, which drives it from now on.
 *
 * The connection stays the caller's, and leaves the loop by itself just before on_close. With fd -1 the fd that the
 * connection already has is used.
 * Returns TLSMEM_OK; TLSMEM_ESTATE when it is in a loop, has ended, or has another fd, or when the loop is being freed
 * or drained; TLSMEM_ESYSTEM (errno); TLSMEM_EINVAL. Calls nothing back.
 */
int tlsmem_loop_add(tlsmem_loop *loop, tlsmem *c, int fd) TLSMEM_CHECK;
/** Takes a connection out, at once, also for events already collected; it keeps its fd. One that is connecting gives that
 *  up, and is as it was before. Returns TLSMEM_OK, TLSMEM_ESTATE when it is not in this loop, TLSMEM_EINVAL. */
int tlsmem_loop_remove(tlsmem_loop *loop, tlsmem *c);
/**
 * Moves a live connection into another loop, and so into the thread of that loop, which has it from then on.
 *
 * Call it in the thread of the loop that c is in. From inside a callback of c, what has been received is still
 * delivered here, and then it goes; from inside on_accept it goes after that; otherwise it has left when the call
 * returns. On its way it is in no loop. When `to` is freed before it arrived, it is aborted there; when `to` drains, it
 * comes in all the same, and is closed at once if grace_ms are over.
 * Returns TLSMEM_OK; TLSMEM_ESTATE when c is in no loop, has ended, is connecting, or when `to` is being freed;
 * TLSMEM_EINVAL. Calls nothing back.
 */
int tlsmem_loop_move(tlsmem_loop *to, tlsmem *c) TLSMEM_CHECK;

/** How to connect. */
typedef struct tlsmem_connect_options {
    size_t size;
    const char *host;             /**< name, also an international one (tlsmem_set_server_name), or address */
    int port;                     /**< 1 to 65535 */
    const char *path;             /**< of a Unix socket, instead of host and port; "@name" is an abstract one */
    const char *bind_host;        /**< address to connect from; NULL for any. Of a name only addresses of its family count */
    uint32_t connect_ms;          /**< for the look-up and all attempts; 0 for no deadline */
    uint32_t attempt_delay_ms;    /**< before the next address is tried beside the last one (RFC 8305, 5) */
    uint32_t resolution_delay_ms; /**< how long IPv4 addresses wait for IPv6 ones (RFC 8305, 3) */
    /** An attempt has ended by itself: sys_errno says why it failed, or is 0 for the one that connected, whose fd the
     *  connection has by then. Those that are given up for it are not told of. May be NULL. */
    void (*on_attempt)(tlsmem *c, const struct sockaddr *to, socklen_t n, int sys_errno, void *user);
} tlsmem_connect_options;
#define TLSMEM_CONNECT_OPTIONS_INIT { sizeof(tlsmem_connect_options), 0, 0, 0, 0, 10000, 250, 50, 0 }

/**
 * Connects, puts the connection into the loop, and begins the handshake: "Happy Eyeballs" (RFC 8305), the addresses of
 * both families in turn, each a little after the one before, and the first that answers is taken.
 *
 * A client that has no server name is given the host as its name. `user` of on_attempt is the connection's. The
 * connection owns the fd that it gets. When there is none, on_close says TLSMEM_ERESOLVE, TLSMEM_ECONNECT or
 * TLSMEM_ETIMEOUT, and tlsmem_error names every address with its error, as far as there is room.
 * Until then the state is TLSMEM_STATE_CONNECTING: writes wait, as before any handshake, whose deadline begins only
 * afterwards; calls of the buffers and fd faces return TLSMEM_ESTATE. It is given up by tlsmem_abort, by tlsmem_close
 * with nothing written, by tlsmem_loop_free (all three: TLSMEM_EABORTED), tlsmem_loop_remove and tlsmem_free.
 * The resolver is asked in another thread, unless host is an address: nothing blocks. Look-ups that nobody wants any
 * more may go on there for a while; no more than 16 are under way in a process at once, and others wait their turn.
 * A Unix socket's listener with a full queue refuses: EAGAIN.
 * Returns TLSMEM_OK; TLSMEM_ESTATE when c is in a loop, has an fd, was fed, has ended, or has sent anything, or when the
 * loop is being freed or drained; TLSMEM_EINVAL, also for a host that can be no server name, for host and path both, for
 * a bind_host that is no address, not of the family of a host that is one, or beside a path; TLSMEM_ESYSTEM (errno) when
 * no thread is to be had. Options are copied. Calls nothing back before it returns.
 */
int tlsmem_loop_connect(tlsmem_loop *loop, tlsmem *c, const tlsmem_connect_options *options) TLSMEM_CHECK;

/** A connection that a listener has accepted, and the program's answer. */
typedef struct tlsmem_accepted {
    size_t size;
    tlsmem *connection;                /**< new, not yet in the loop: write to it, set it up; nothing calls back yet */
    int fd;
    const struct sockaddr *peer;       /**< valid during the callback */
    socklen_t peer_length;
    const tlsmem_callbacks *callbacks; /**< to be set by the program; copied; NULL for none */
    void *user;                        /**< to be set by the program; with user_size it points to that memory already */
    tlsmem_loop *loop;                 /**< in whose thread this is, and which the connection is put into */
} tlsmem_accepted;

/** How to listen. */
typedef struct tlsmem_listen_options {
    size_t size;
    const char *host;    /**< name or address; NULL for every address, IPv6 and IPv4 */
    int port;            /**< 0 for a free one: see tlsmem_listener_port */
    int backlog;         /**< 0 for SOMAXCONN */
    int reuse_port;      /**< not 0: SO_REUSEPORT, for several loops on one port */
    int connections_max; /**< of its connections in loops at once; accepting pauses there. 0 for no limit */
    /**
     * Required. A client has connected. Return 0 to accept: the connection then belongs to the program, which frees it, as a
     * rule in on_close; it owns its fd. Return anything else to refuse: both are freed by the library.
     */
    int (*on_accept)(tlsmem_listener *listener, tlsmem_accepted *accepted, void *user);
    /** Accepting failed with an errno, and pauses for a second; for EMFILE, ENFILE, ENOBUFS and ENOMEM, until one of its
     *  connections gives back its descriptor, if that is sooner. In the listener's own loop. May be NULL. */
    void (*on_error)(tlsmem_listener *listener, int sys_errno, void *user);
    void *user;
    const char *path;     /**< of a Unix socket, instead of host, port, reuse_port and ipv6_only; "@name" is an abstract
                           *   one. A dead one that is in the way is replaced; any other file is EADDRINUSE. The file is
                           *   removed when listening ends, unless it is another's by then */
    int fd;               /**< a listening stream socket, instead of all that and backlog; it is made non-blocking, and
                           *   stays the program's. -1 for none */
    int ipv6_only;        /**< not 0: an IPv6 address does not hear IPv4 */
    int accepts_per_turn; /**< clients taken in one turn of the loop; 0 for 16 */
    size_t user_size;     /**< bytes of zeroed memory for each connection, for `user`, freed after tlsmem_free: as soon
                           *   as no callback of it is running. At most 1048576 */
    /** A client from this address has come. Return 0 to go on; anything else closes it before a connection is made. In
     *  the listener's own loop, also when other loops serve it. May be NULL. */
    int (*on_filter)(tlsmem_listener *listener, const struct sockaddr *peer, socklen_t peer_length, void *user);
} tlsmem_listen_options;
#define TLSMEM_LISTEN_OPTIONS_INIT { sizeof(tlsmem_listen_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0 }

/**
 * Listens, and makes a connection of ctx for every client.
 *
 * Returns TLSMEM_OK and the listener, which the loop owns; TLSMEM_ESYSTEM (errno says why; EADDRNOTAVAIL also for a
 * host that does not resolve); TLSMEM_ENOIDENTITY for a context without certificate; TLSMEM_ESTATE for a client's
 * context, and when the loop is being freed or drained; TLSMEM_EINVAL, also for two places at once (host or port, path,
 * fd), an option that the place has no use for, and a path that is empty or too long. `listener` may be NULL. Options are
 * copied. Blocks only to resolve a name that is not an address.
 */
int tlsmem_loop_listen(tlsmem_loop *loop, tlsmem_ctx *ctx, const tlsmem_listen_options *options,
                       tlsmem_listener **listener) TLSMEM_CHECK;
/** Returns the port that is listened on, 0 for a Unix socket; TLSMEM_EINVAL for NULL. */
int tlsmem_listener_port(const tlsmem_listener *listener);
/**
 * Has another loop serve the clients of a listener: from the first such call on, the listener's own loop accepts, and
 * the loops that were added serve in turn: there on_accept is called, by each in its own thread. Add the listener's own
 * loop too if it is to serve as well; adding one twice changes nothing.
 *
 * A loop that serves runs on while the listener listens. When it is freed or drained, the others serve; when none is
 * left, clients wait until one is added. One that hangs is passed over once 64 clients are on their way to it.
 * Call it in the thread of the listener's loop; `loop` may be in use by another.
 * Returns TLSMEM_OK; TLSMEM_ESTATE when either loop is being freed, or the listener listens no more; TLSMEM_EINVAL.
 */
int tlsmem_listener_add_loop(tlsmem_listener *listener, tlsmem_loop *loop);
/** Stops listening and frees the listener; its connections go on. When other loops serve it, one may be inside on_accept
 *  at that moment; after they have turned once, on_accept is called no more. */
void tlsmem_listener_free(tlsmem_listener *listener);
/**
 * Returns the index-th socket, from 0, that a service manager has passed to this process (LISTEN_FDS and LISTEN_PID, as
 * sd_listen_fds(3) has them), close-on-exec from now on; TLSMEM_AGAIN when there are not so many; TLSMEM_EINVAL.
 */
int tlsmem_inherited_fd(int index);

/**
 * Runs until tlsmem_loop_stop, or until nothing is left in the loop (unless runs_empty).
 *
 * Returns TLSMEM_OK; TLSMEM_ESYSTEM (errno); TLSMEM_ESTATE from inside a callback of the loop; TLSMEM_EINVAL.
 * May call back.
 */
int tlsmem_loop_run(tlsmem_loop *loop);
/**
 * Waits at most timeout_ms (-1: until something happens), and handles what happened.
 *
 * Returns the number of events handled, 0 for none; failures as tlsmem_loop_run. May call back.
 */
int tlsmem_loop_run_once(tlsmem_loop *loop, int timeout_ms);
/** Makes the run that is under way, or the next one, return after its turn. Returns TLSMEM_OK. Any thread. */
int tlsmem_loop_stop(tlsmem_loop *loop);
/** Makes a wait return at once. Returns TLSMEM_OK. Any thread. */
int tlsmem_loop_wake(tlsmem_loop *loop);
/**
 * Ends a loop gracefully, from its next turn on: its listeners stop listening, no listener and no connection is added
 * any more, connections go on until they end; those that are left after grace_ms (-1: never) are closed by tlsmem_close.
 * When the last one has gone, run returns, whatever is watched or timed. A second call sets grace_ms anew. Any thread.
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL. Calls nothing back.
 */
int tlsmem_loop_drain(tlsmem_loop *loop, int64_t grace_ms);
/**
 * Has fn(arg) called in the loop's thread, in the order of the posts. Any thread.
 *
 * Returns TLSMEM_OK, TLSMEM_EINVAL. What was posted and not run when the loop is freed is dropped.
 */
int tlsmem_loop_post(tlsmem_loop *loop, void (*fn)(void *arg), void *arg) TLSMEM_CHECK;

/** Returns an fd that is readable when run_once(loop, 0) has work, deadlines excepted (see tlsmem_loop_timeout): a loop
 *  within any other loop. Or -1. */
int tlsmem_loop_fd(const tlsmem_loop *loop);
/** Returns the milliseconds until run_once has work by time alone, or thinks so: a deadline that was put off meanwhile is
 *  looked at when it would have passed. -1 for never. */
int tlsmem_loop_timeout(const tlsmem_loop *loop);

/**
 * Watches a plain fd in the loop: events are POLLIN, POLLOUT or both. A second call for the fd changes it; events 0
 * ends it, at once. What epoll cannot watch (a regular file) counts as always ready. The fd stays the program's.
 *
 * Returns TLSMEM_OK; TLSMEM_ESYSTEM (errno); TLSMEM_ESTATE when a connection has this fd in the loop; TLSMEM_EINVAL.
 */
int tlsmem_loop_watch(tlsmem_loop *loop, int fd, int events,
                      void (*fn)(tlsmem_loop *loop, int fd, int events, void *user), void *user) TLSMEM_CHECK;

/** Calls fn once, delay_ms from now. Returns the timer, which lives until tlsmem_timer_free or the loop's end; NULL. */
tlsmem_timer *tlsmem_loop_timer(tlsmem_loop *loop, int64_t delay_ms,
                                void (*fn)(tlsmem_timer *timer, void *user), void *user);
/** Sets a timer anew, also from its own callback. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_timer_set(tlsmem_timer *timer, int64_t delay_ms);
/** Ends a timer, at any moment. */
void tlsmem_timer_free(tlsmem_timer *timer);

/** Counters of a loop, from its beginning; the last three say how it is now. */
typedef struct tlsmem_loop_stats_info {
    size_t size;
    uint64_t turns;       /**< times it waited */
    uint64_t events;      /**< events handled: descriptors, posts, deadlines */
    uint64_t epoll_waits; /**< epoll_wait system calls */
    uint64_t epoll_ctls;  /**< epoll_ctl system calls */
    uint64_t added;       /**< connections that came into it */
    uint64_t established; /**< handshakes done in it */
    uint64_t connections; /**< in it now */
    uint64_t handshaking; /**< of these, in handshake */
    uint64_t deadlines;   /**< deadlines and timers that are set */
} tlsmem_loop_stats_info;
#define TLSMEM_LOOP_STATS_INFO_INIT { sizeof(tlsmem_loop_stats_info), 0, 0, 0, 0, 0, 0, 0, 0, 0 }
/** Fills the counters. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_loop_stats(const tlsmem_loop *loop, tlsmem_loop_stats_info *stats);
/**
 * Gives back what a loop keeps for later, for a program that has quietened down: tlsmem_trim for each of its connections,
 * the places of descriptors that it has no more, and the spare buffers of the calling thread, which all its loops and
 * connections share. It may be called at any time, and needs no repeating: what is needed again is made again.
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL. Calls nothing back.
 */
int tlsmem_loop_trim(tlsmem_loop *loop);

/* --------------------------------------------------------------------------------------------------- test kit */

/*
 * For a program's tests of its own protocol: what networks do, in memory, in no time, and again from the same seed. Nothing
 * here opens a descriptor or looks at a clock: moments are milliseconds, 0 or more, of a clock that the program keeps.
 */

/** One direction of a stream of bytes, with faults. It knows nothing of TLS. */
typedef struct tlsmem_wire tlsmem_wire;

/** For the places of tlsmem_wire_faults: no such fault. */
#define TLSMEM_WIRE_NEVER UINT64_MAX

/** What a wire does to the bytes. Places are counted in bytes from the first that was ever put. */
typedef struct tlsmem_wire_faults {
    size_t size;
    uint64_t seed;            /**< of all that is random; begins anew whenever faults are set */
    size_t capacity;          /**< bytes in flight, from which on it takes no more; 0: 65536 */
    size_t chunk_least;       /**< bytes that one put or take moves at most: for each a random number from this... */
    size_t chunk_most;        /**< ...to this; 0: as many as there are */
    uint32_t delay_least_ms;  /**< from when bytes are put until they can be taken: for each put a random number from this... */
    uint32_t delay_most_ms;   /**< ...to this. No byte overtakes another */
    uint32_t refuse_permille; /**< of a thousand puts or takes that could move something so many say TLSMEM_AGAIN; at most 999 */
    uint64_t stall_after;     /**< from this place on nothing arrives, the end neither, until faults are set that let it go on */
    uint64_t cut_after;       /**< at this place the taker finds the end of file; what is put behind it is lost, unsaid */
    uint64_t reset_after;     /**< at this place the taker finds a reset; so does the next put */
    uint64_t flip_at;         /**< of the byte at this place the lowest bit arrives flipped */
} tlsmem_wire_faults;
/** No faults. */
#define TLSMEM_WIRE_FAULTS_INIT                                                                              \
    { sizeof(tlsmem_wire_faults), 0, 0, 0, 0, 0, 0, 0, TLSMEM_WIRE_NEVER, TLSMEM_WIRE_NEVER, TLSMEM_WIRE_NEVER, \
      TLSMEM_WIRE_NEVER }

/** What a wire has done. */
typedef struct tlsmem_wire_stats_info {
    size_t size;
    uint64_t bytes_put;   /**< that tlsmem_wire_put took */
    uint64_t bytes_taken; /**< that tlsmem_wire_take gave */
    uint64_t bytes_lost;  /**< that were put and will never be taken: behind a cut or a reset */
    uint64_t moves;       /**< puts and takes that moved bytes */
    uint64_t cuts;        /**< of them, those that a chunk made shorter */
    uint64_t delays;      /**< puts whose bytes could not be taken in the same millisecond */
    uint64_t refusals;    /**< puts and takes that were refused, because of refuse_permille */
    uint64_t full;        /**< puts that found no room */
} tlsmem_wire_stats_info;
#define TLSMEM_WIRE_STATS_INFO_INIT { sizeof(tlsmem_wire_stats_info), 0, 0, 0, 0, 0, 0, 0, 0 }

/**
 * Makes a wire. `faults` is copied; NULL for none.
 *
 * Returns the wire, which the caller owns (tlsmem_wire_free) and uses in one thread at a time; NULL for a wrong size, a
 * range whose least is above its most, or a number that is out of range.
 */
tlsmem_wire *tlsmem_wire_new(const tlsmem_wire_faults *faults) TLSMEM_CHECK;
/** Frees a wire, with what is in flight. */
void tlsmem_wire_free(tlsmem_wire *wire);
/**
 * Sets other faults, at any moment; NULL for none. They hold for what is in flight, too, except that delays stay as they
 * were; places that have passed hold from here on. What is lost stays lost: a wire that was cut or reset ends all the same.
 *
 * Returns TLSMEM_OK; TLSMEM_EINVAL as tlsmem_wire_new, and then nothing has changed.
 */
int tlsmem_wire_set_faults(tlsmem_wire *wire, const tlsmem_wire_faults *faults);
/**
 * Puts bytes on the wire; they are copied. Pieces are not kept apart: what was put in two may be taken in one.
 *
 * Returns the bytes taken, 1 to n (0 for n = 0); TLSMEM_AGAIN when it is full, or refuses; TLSMEM_ERESET after a reset;
 * TLSMEM_ESTATE after tlsmem_wire_end; TLSMEM_ENOMEM; TLSMEM_EINVAL.
 */
ptrdiff_t tlsmem_wire_put(tlsmem_wire *wire, const void *bytes, size_t n, int64_t now_ms) TLSMEM_CHECK;
/**
 * Takes bytes that have arrived, in the order in which they were put.
 *
 * Returns how many, 1 to n; 0 at the end of file only; TLSMEM_AGAIN when none are there, or it refuses; TLSMEM_ERESET
 * after a reset; TLSMEM_EINVAL, also for n = 0.
 */
ptrdiff_t tlsmem_wire_take(tlsmem_wire *wire, void *bytes, size_t n, int64_t now_ms) TLSMEM_CHECK;
/** The writer puts no more: behind what is in flight the taker finds the end of file. Returns TLSMEM_OK, also at the
 *  second time; TLSMEM_ERESET after a reset; TLSMEM_EINVAL. */
int tlsmem_wire_end(tlsmem_wire *wire);
/** Resets it, for both ends and at once, also one that is stalled: what is in flight is lost. Returns TLSMEM_OK or
 *  TLSMEM_EINVAL. */
int tlsmem_wire_reset(tlsmem_wire *wire);
/** Returns how many bytes were put and not taken, and are not lost. */
size_t tlsmem_wire_in_flight(const tlsmem_wire *wire);
/** Returns from which moment on something can be taken, bytes or the end or a reset; -1 for never, unless something is
 *  put, or the stall ends. A moment that has passed stays until what it stands for was taken; an end always does. */
int64_t tlsmem_wire_ready_at(const tlsmem_wire *wire);
/**
 * Returns what could be done at this moment, in the bits of poll: POLLIN where tlsmem_wire_take has an answer other than
 * TLSMEM_AGAIN, POLLOUT where tlsmem_wire_put has (both: unless it refuses), POLLRDHUP besides when nothing but the end of
 * file is behind what has arrived, and POLLERR after a reset has arrived. 0 for NULL.
 */
int tlsmem_wire_ready(const tlsmem_wire *wire, int64_t now_ms);
/** Fills the counters. Returns TLSMEM_OK or TLSMEM_EINVAL. */
int tlsmem_wire_stats(const tlsmem_wire *wire, tlsmem_wire_stats_info *stats);

/** Two connections over the buffers face, a client and a server, with a wire in each direction. */
typedef struct tlsmem_pair tlsmem_pair;

/** Why a pair came to rest. */
typedef enum tlsmem_pair_outcome {
    TLSMEM_PAIR_DONE = 0,    /**< both connections have ended, or were freed */
    TLSMEM_PAIR_STALLED = 1, /**< nothing will ever happen again by itself: tlsmem_pair_tell says who waits for what */
    TLSMEM_PAIR_TIME = 2,    /**< the time that was given is over */
    TLSMEM_PAIR_MOVED = 3    /**< tlsmem_pair_step only: bytes moved, or time did */
} tlsmem_pair_outcome;

/**
 * Makes two connections, of the contexts of a client and of a server in either order, without callbacks: see tlsmem_pair_end.
 *
 * The pair does what a program's loop does: it sends what they show, feeds them what arrives, the end of file and a reset
 * too, ticks, and sends the end of file for one that has closed or was freed. Its time begins at 0, and goes on when nothing
 * can be done at this moment, to the next at which something arrives or a deadline passes: ten seconds of a handshake's
 * deadline take none. Turns in which bytes move take a thousandth of a millisecond. Both connections have this time for their
 * deadlines; OpenSSL goes by the time of day, in what it says of certificates, sessions and tickets.
 *
 * Returns the pair, which the caller owns (tlsmem_pair_free) and uses in one thread at a time; NULL for NULL, for two contexts
 * of the same role, and where tlsmem_new returns NULL.
 */
tlsmem_pair *tlsmem_pair_new(tlsmem_ctx *one, tlsmem_ctx *other) TLSMEM_CHECK;
/** Frees it, its wires, and those of its connections that were not freed; also from inside their callbacks. */
void tlsmem_pair_free(tlsmem_pair *pair);
/**
 * Returns a connection, that of the first context for 0 and that of the second for 1, to give it callbacks
 * (tlsmem_set_callbacks), a server's name, and whatever a connection is given. The program may free it, also inside
 * a callback, as if it closed its socket: the peer finds the end of file. NULL then, and for NULL or another number.
 */
tlsmem *tlsmem_pair_end(tlsmem_pair *pair, int side);
/**
 * Returns the wire on which that side sends, to set its faults, cut it (tlsmem_wire_end), reset it, or ask for its counters;
 * it belongs to the pair. A side that comes upon a reset of one wire resets the other: a connection has both. NULL for NULL
 * or another number.
 */
tlsmem_wire *tlsmem_pair_wire(tlsmem_pair *pair, int side);
/** Returns the pair's time, in milliseconds from its beginning; -1 for NULL. */
int64_t tlsmem_pair_time(const tlsmem_pair *pair);
/** Does one turn of both sides, or goes on to the next moment. Returns a tlsmem_pair_outcome; TLSMEM_ESTATE inside of a callback
 *  that came from the pair; TLSMEM_EINVAL. May call back. */
int tlsmem_pair_step(tlsmem_pair *pair);
/**
 * Goes on until it is done, until nothing can happen any more, or until it would be later than until_ms of the pair's time,
 * INT64_MAX for no such limit. What the program does after that, a write, a read, other faults, may make it go on: run it
 * again. A program's own timers are run by it in between: until the first is due, then what is due, then on.
 *
 * Returns a tlsmem_pair_outcome; TLSMEM_ESTATE inside of a callback that came from the pair; TLSMEM_EINVAL, also for a
 * negative time. May call back.
 */
int tlsmem_pair_run(tlsmem_pair *pair, int64_t until_ms);
/** Writes a sentence about who waits for what, for a person, at most n bytes with the zero at its end; what does not fit is cut.
 *  256 are enough. Returns TLSMEM_OK; TLSMEM_EINVAL for NULL or n = 0. */
int tlsmem_pair_tell(const tlsmem_pair *pair, char *text, size_t n);

/**
 * Has everything recorded that a connection is fed, from any face: bytes, the end of file, errors of the transport, and deadlines
 * that passed, each with its time. `cb` gets a line of text each time, before anything follows from what is in it, and all of
 * them are the recording:
 *
 *     tlsmem recording 1  first of all, at once
 *     0 in 160301...      milliseconds since then, bytes in lower-case hexadecimal
 *     35 end              the end of file
 *     40 error 104        the transport failed, with this errno
 *     10000 tick          a deadline passed
 *
 * What the program does outside of its callbacks is not in it. What came encrypted is in it as it came: whoever knows the
 * keys can read it. NULL: no more. `bytes` is valid until cb returns, and has no zero at its end.
 *
 * Returns TLSMEM_OK; TLSMEM_ESTATE once the connection has begun; TLSMEM_EINVAL. Calls cb before it returns.
 */
int tlsmem_set_record_cb(tlsmem *c, void (*cb)(const void *bytes, size_t n, void *user), void *user) TLSMEM_CHECK;
/**
 * Gives a new connection without an fd what another was fed, in the same pieces and in the time of the recording, which is
 * the clock of its deadlines from now on. What it sends goes to `sent`, which may be NULL; `bytes` is valid until that
 * returns.
 *
 * It does the same again where everything else is the same: the settings, what the program does in its callbacks and does
 * before, and the random numbers (tlsmem_insecure_randomness, called before the context is made, for the recording and for
 * each replay); a session ticket has the time of day in it (TLSMEM_TICKETS_NEVER).
 *
 * Returns TLSMEM_OK when it was fed all of it, or has ended on the way (see tlsmem_error), or was freed; TLSMEM_AGAIN when it
 * would take no more, because it waits for an answer or plaintext waits to be read, and the rest was dropped; TLSMEM_ESTATE
 * once it has begun, has an fd or belongs to a pair; TLSMEM_EINVAL, also for what is no recording, and then nothing was fed. May
 * call back.
 */
int tlsmem_replay(tlsmem *c, const void *recording, size_t n, void (*sent)(const void *bytes, size_t n, void *user),
                  void *user) TLSMEM_CHECK;
/**
 * For tests only: from now on all random numbers of OpenSSL in this process, keys and nonces among them, come from this seed,
 * and can be told by whoever knows it. There is no way back; called again, it begins anew. Several threads share them, in
 * whatever order they come.
 *
 * Returns TLSMEM_OK; TLSMEM_ESTATE where this OpenSSL cannot be given random numbers, and then nothing has changed. Any thread.
 */
int tlsmem_insecure_randomness(uint64_t seed) TLSMEM_CHECK;

#ifdef __cplusplus
}
#endif
#endif /* TLSMEM_H */

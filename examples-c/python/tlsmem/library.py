"""Loads libtlsmem, and gives its functions their types.

The prototypes are C, as in tlsmem.h without the names of the parameters. So nothing has to be translated by hand, and a
compiler that is shown them behind the header says whether they are right: Tests/Hosts does that.
"""

import ctypes
import enum
import os
import re

from .structs import STRUCTS

PROTOTYPES = """
unsigned tlsmem_version(void);
const char *tlsmem_version_string(void);
const char *tlsmem_openssl_version(void);
const char *tlsmem_status_name(int);
const char *tlsmem_strerror(int);
int64_t tlsmem_now(void);
tlsmem_ctx *tlsmem_ctx_new(tlsmem_role);
void tlsmem_ctx_free(tlsmem_ctx *);
int tlsmem_ctx_error(const tlsmem_ctx *, tlsmem_error_info *);
int tlsmem_ctx_add_keypair(tlsmem_ctx *, const char *, const char *, const char *);
int tlsmem_ctx_set_ca_file(tlsmem_ctx *, const char *);
int tlsmem_ctx_set_ca_dir(tlsmem_ctx *, const char *);
int tlsmem_ctx_set_ca_mem(tlsmem_ctx *, const void *, size_t);
int tlsmem_ctx_set_ca_system(tlsmem_ctx *);
int tlsmem_ctx_set_verify(tlsmem_ctx *, tlsmem_verify);
int tlsmem_ctx_insecure_no_verify(tlsmem_ctx *);
int tlsmem_ctx_set_min_version(tlsmem_ctx *, int);
int tlsmem_ctx_set_max_version(tlsmem_ctx *, int);
int tlsmem_ctx_set_ciphers(tlsmem_ctx *, const char *);
int tlsmem_ctx_set_alpn(tlsmem_ctx *, const char *);
int tlsmem_ctx_set_alpn_policy(tlsmem_ctx *, tlsmem_alpn_policy);
int tlsmem_ctx_set_limits(tlsmem_ctx *, const tlsmem_limits *);
tlsmem *tlsmem_new(tlsmem_ctx *, const tlsmem_callbacks *, void *);
void tlsmem_free(tlsmem *);
int tlsmem_set_server_name(tlsmem *, const char *);
int tlsmem_set_timeout(tlsmem *, tlsmem_timeout, uint32_t);
int tlsmem_handshake(tlsmem *);
int tlsmem_is_established(const tlsmem *);
int tlsmem_want(const tlsmem *, tlsmem_want_info *);
int64_t tlsmem_deadline(const tlsmem *);
int tlsmem_tick(tlsmem *, int64_t);
ptrdiff_t tlsmem_feed(tlsmem *, const void *, size_t);
int tlsmem_feed_eof(tlsmem *);
int tlsmem_feed_error(tlsmem *, int);
int tlsmem_outgoing_peek(tlsmem *, const void **, size_t *);
int tlsmem_outgoing_consume(tlsmem *, size_t);
ptrdiff_t tlsmem_write(tlsmem *, const void *, size_t);
ptrdiff_t tlsmem_read(tlsmem *, void *, size_t);
int tlsmem_read_peek(tlsmem *, const void **, size_t *);
int tlsmem_read_consume(tlsmem *, size_t);
int tlsmem_pause(tlsmem *);
int tlsmem_resume(tlsmem *);
int tlsmem_close(tlsmem *);
int tlsmem_close_write(tlsmem *);
int tlsmem_abort(tlsmem *);
int tlsmem_error(const tlsmem *, tlsmem_error_info *);
int tlsmem_report(const tlsmem *, tlsmem_report_info *);
int tlsmem_protocol(const tlsmem *);
const char *tlsmem_protocol_name(const tlsmem *);
const char *tlsmem_cipher_name(const tlsmem *);
int tlsmem_alpn(const tlsmem *, const char **, size_t *);
const char *tlsmem_server_name(const tlsmem *);
ptrdiff_t tlsmem_peer_certificate(const tlsmem *, void *, size_t);
ptrdiff_t tlsmem_peer_subject(const tlsmem *, char *, size_t);
ptrdiff_t tlsmem_peer_issuer(const tlsmem *, char *, size_t);
ptrdiff_t tlsmem_peer_serial(const tlsmem *, char *, size_t);
ptrdiff_t tlsmem_peer_san(const tlsmem *, size_t, char *, size_t);
int tlsmem_peer_info(const tlsmem *, tlsmem_peer_details *);
ptrdiff_t tlsmem_channel_binding(const tlsmem *, tlsmem_binding, void *, size_t);
"""

NUMBERS = {"int": ctypes.c_int, "unsigned": ctypes.c_uint, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
           "size_t": ctypes.c_size_t, "ptrdiff_t": ctypes.c_ssize_t, "void": None}
ENUMS = ("tlsmem_role", "tlsmem_verify", "tlsmem_alpn_policy", "tlsmem_timeout", "tlsmem_binding")


class Status(enum.IntEnum):
    """What is asked for by name here, of tlsmem_status; and other enumerators below. Each has its name of C."""
    TLSMEM_OK = 0
    TLSMEM_AGAIN = -1
    TLSMEM_CLOSED = -2
    TLSMEM_EINVAL = -3
    TLSMEM_ENOMEM = -5
    TLSMEM_ESYSTEM = -6
    TLSMEM_ENAME = -8
    TLSMEM_ENOTRUST = -9
    TLSMEM_ETIMEOUT = -12
    TLSMEM_EABORTED = -13
    TLSMEM_ERESET = -14
    TLSMEM_ETRUNCATED = -15
    TLSMEM_EHANDSHAKEEOF = -16
    TLSMEM_EVERIFY = -23
    TLSMEM_EHOST = -24
    TLSMEM_EEXPIRED = -25
    TLSMEM_ENOCERT = -26
    TLSMEM_EREJECTED = -27
    TLSMEM_EPIN = -32
    TLSMEM_EOCSP = -35


class Constant(enum.IntEnum):
    TLSMEM_CLIENT = 1
    TLSMEM_SERVER = 2
    TLSMEM_TLS1_2 = 0x0303
    TLSMEM_TLS1_3 = 0x0304
    TLSMEM_VERIFY_NONE = 0
    TLSMEM_VERIFY_OPTIONAL = 1
    TLSMEM_VERIFY_REQUIRED = 2
    TLSMEM_ALPN_STRICT = 0
    TLSMEM_ALPN_LENIENT = 1
    TLSMEM_ALPN_REQUIRED = 2
    TLSMEM_TIMEOUT_HANDSHAKE = 1
    TLSMEM_TIMEOUT_CLOSE = 5
    TLSMEM_BINDING_EXPORTER = 1
    TLSMEM_BINDING_SERVER_END_POINT = 2
    TLSMEM_BINDING_UNIQUE = 3
    TLSMEM_VERSION_MAJOR = 0
    TLSMEM_VERSION_MINOR = 1


def text(data):
    """Returns bytes as they are, for C, where a text would end at its first zero: so one that has a zero is none."""
    if b"\0" in data:
        raise ValueError(f"embedded null byte: {data!r}")
    return data


def ctype(declared):
    """Returns the type of ctypes for one of C."""
    words = declared.replace("const ", "").split()
    stars = "".join(words[1:])
    if not stars:
        return ctypes.c_int if words[0] in ENUMS else NUMBERS[words[0]]
    if declared == "const char *":
        return ctypes.c_char_p
    if stars == "*" and words[0] in STRUCTS:
        return ctypes.POINTER(STRUCTS[words[0]])
    return ctypes.c_void_p


def prototypes():
    """Yields the name, the result and the parameters of each function, as text."""
    for result, name, parameters in re.findall(r"^(.+?)(tlsmem_\w+)\((.*)\);$", PROTOTYPES, re.MULTILINE):
        yield name, result.strip(), [] if parameters == "void" else parameters.split(", ")


def load(path):
    """Returns the library with all its prototypes; ImportError when it is not there, or is not the one that is meant."""
    try:
        library = ctypes.CDLL(path)
        for name, result, parameters in prototypes():
            function = getattr(library, name)
            function.restype = ctype(result)
            function.argtypes = [ctype(parameter) for parameter in parameters]
    except (OSError, AttributeError) as error:
        raise ImportError(f"tlsmem needs libtlsmem: {error}") from error
    found = library.tlsmem_version() >> 8
    wanted = Constant.TLSMEM_VERSION_MAJOR << 8 | Constant.TLSMEM_VERSION_MINOR
    if found < wanted or found >> 8 != wanted >> 8:
        raise ImportError(f"{path} is version {library.tlsmem_version_string().decode()} of libtlsmem, not "
                          f"{Constant.TLSMEM_VERSION_MAJOR:d}.{Constant.TLSMEM_VERSION_MINOR:d} or a later one of that major")
    return library


lib = load(os.environ.get("TLSMEM_LIBRARY", "libtlsmem.so.0"))

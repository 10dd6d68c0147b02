"""What many connections have in common."""

import ctypes
import os

from .errors import context_error
from .library import Constant, lib, text
from .structs import tlsmem_limits

VERSIONS = {"1.2": Constant.TLSMEM_TLS1_2, "1.3": Constant.TLSMEM_TLS1_3}
CLIENT_CERTIFICATES = {None: Constant.TLSMEM_VERIFY_NONE, "optional": Constant.TLSMEM_VERIFY_OPTIONAL,
                       "required": Constant.TLSMEM_VERIFY_REQUIRED}
# A transport of asyncio takes whatever is written, and says that it is too much by pause_writing, not by taking less: so
# this is the most that the library has. Who goes past it has not listened, and loses the connection.
OUTGOING_MAX = (1 << 31) - 1


class Context:
    """The settings of one side: Context.client(...) or Context.server(...). It takes none later."""

    def __init__(self, role):
        self.is_server = role == Constant.TLSMEM_SERVER
        self._handle = lib.tlsmem_ctx_new(role)
        if not self._handle:
            raise MemoryError("no memory for a TLS context")

    def __del__(self, free=lib.tlsmem_ctx_free):
        free(self.__dict__.pop("_handle", None))

    @property
    def handle(self):
        """The tlsmem_ctx, for settings that are not offered here: library.lib and its prototypes, before any connection."""
        return self._handle

    @classmethod
    def client(cls, ca=None, *, cert=None, key=None, insecure_no_verify=False, **settings):
        """Returns a client's context. It verifies its servers, by name, and by the authorities of `ca`: the path of a file
        or folder, PEM as bytes, or a list of such; None for those of the system. `cert` and `key`, paths, are for servers
        that ask; `insecure_no_verify` is for tests. The settings are `alpn`, a list of protocols, and `alpn_required`;
        `min_version` and `max_version`, "1.2" or "1.3"; `ciphers`; and all members of tlsmem_limits."""
        context = cls(Constant.TLSMEM_CLIENT)
        if insecure_no_verify:
            context._set(lib.tlsmem_ctx_insecure_no_verify)
        else:
            context._trust(ca)
        context._configure(cert, key, **settings)
        return context

    @classmethod
    def server(cls, cert, key, *, client_ca=None, client_cert=None, **settings):
        """Returns a server's context with the certificate and the key of these files. `client_cert` is "required" or
        "optional" for certificates of clients, which `client_ca` has issued (as `ca` of a client). Settings as there."""
        context = cls(Constant.TLSMEM_SERVER)
        if client_ca is not None or client_cert is not None:
            if client_ca is None:
                raise ValueError("client_cert needs client_ca: who has issued the certificates of clients")
            context._trust(client_ca)
            context._set(lib.tlsmem_ctx_set_verify, CLIENT_CERTIFICATES[client_cert or "required"])
        context._configure(cert, key, **settings)
        return context

    def _set(self, setter, *values):
        status = setter(self._handle, *values)
        if status < 0:
            raise context_error(self._handle, status)

    def _trust(self, ca):
        if ca is None:
            self._set(lib.tlsmem_ctx_set_ca_system)
            return
        for one in ca if isinstance(ca, (list, tuple)) else [ca]:
            if isinstance(one, bytes):
                self._set(lib.tlsmem_ctx_set_ca_mem, one, len(one))
            elif os.path.isdir(one):
                self._set(lib.tlsmem_ctx_set_ca_dir, text(os.fsencode(one)))
            else:
                self._set(lib.tlsmem_ctx_set_ca_file, text(os.fsencode(one)))

    def _configure(self, cert, key, *, alpn=(), alpn_required=False, min_version=None, max_version=None, ciphers=None,
                   **limits):
        if min_version:
            self._set(lib.tlsmem_ctx_set_min_version, VERSIONS[min_version])
        if max_version:
            self._set(lib.tlsmem_ctx_set_max_version, VERSIONS[max_version])
        if ciphers:
            self._set(lib.tlsmem_ctx_set_ciphers, text(ciphers.encode()))
        if (cert is None) != (key is None):
            raise ValueError("a certificate and its key belong together: one of them is None")
        if cert is not None:
            self._set(lib.tlsmem_ctx_add_keypair, None, text(os.fsencode(cert)), text(os.fsencode(key)))
        if isinstance(alpn, str):
            raise TypeError(f"alpn is a list of protocols: [{alpn!r}]")
        if any("," in protocol for protocol in alpn):
            raise ValueError(f"a protocol with a comma cannot be set: {alpn}")
        if alpn:
            self._set(lib.tlsmem_ctx_set_alpn, text(",".join(alpn).encode()))
        if alpn_required:
            self._set(lib.tlsmem_ctx_set_alpn_policy, Constant.TLSMEM_ALPN_REQUIRED)
        self._limit(limits)

    def _limit(self, limits):
        wanted = tlsmem_limits()
        known = {name for name, _ in wanted._fields_[1:]}
        for name, value in {"outgoing_max": OUTGOING_MAX, **limits}.items():
            if name not in known:
                raise TypeError(f"there is no setting {name!r}")
            setattr(wanted, name, value)
        self._set(lib.tlsmem_ctx_set_limits, ctypes.byref(wanted))

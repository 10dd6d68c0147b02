"""The structs of tlsmem.h that are used here, each as its _INIT macro makes it; Tests/Hosts compares all of it with C."""

from ctypes import Structure, c_char, c_int, c_int64, c_long, c_size_t, c_uint8, c_uint32, c_uint64, c_ulong, sizeof


class Sized(Structure):
    """A struct that begins with its own size. DEFAULTS are what is not 0 in a new one."""

    DEFAULTS = {}

    def __init__(self):
        super().__init__(size=sizeof(self), **self.DEFAULTS)


class tlsmem_error_info(Sized):
    _fields_ = [("size", c_size_t), ("status", c_int), ("alert_sent", c_int), ("alert_received", c_int),
                ("verify_depth", c_int), ("verify_result", c_long), ("openssl_code", c_ulong), ("sys_errno", c_int),
                ("sentence", c_char * 256)]
    DEFAULTS = {"alert_sent": -1, "alert_received": -1, "verify_depth": -1}


class tlsmem_limits(Sized):
    _fields_ = [("size", c_size_t), ("outgoing_max", c_size_t), ("outgoing_low", c_size_t), ("incoming_max", c_size_t),
                ("control_max", c_size_t), ("wake_max", c_size_t), ("cert_list_max", c_size_t),
                ("update_rate", c_uint32), ("update_burst", c_uint32), ("handshake_ms", c_uint32),
                ("idle_ms", c_uint32), ("close_ms", c_uint32), ("read_ms", c_uint32), ("write_ms", c_uint32),
                ("outgoing_high", c_size_t), ("incoming_low", c_size_t), ("buffers_ms", c_uint32)]
    DEFAULTS = {"outgoing_max": 1048576, "outgoing_low": 262144, "incoming_max": 262144, "control_max": 65536,
                "wake_max": 262144, "cert_list_max": 102400, "update_rate": 100, "update_burst": 1024,
                "handshake_ms": 10000, "close_ms": 5000, "outgoing_high": 524288, "incoming_low": 131072}


class tlsmem_want_info(Sized):
    _fields_ = [("size", c_size_t), ("state", c_int), ("needs_ciphertext", c_int), ("has_ciphertext", c_int),
                ("has_plaintext", c_int), ("accepts_plaintext", c_int), ("peer_closed", c_int), ("paused", c_int),
                ("incoming_bytes", c_size_t), ("outgoing_bytes", c_size_t), ("deferred_bytes", c_size_t),
                ("deadline_ms", c_int64), ("congested", c_int), ("waits_for", c_int)]
    DEFAULTS = {"deadline_ms": -1}


class tlsmem_report_info(Sized):
    _fields_ = [("size", c_size_t), ("status", c_int), ("close_notify_sent", c_int), ("close_notify_received", c_int),
                ("bytes_accepted", c_uint64), ("bytes_encrypted", c_uint64), ("bytes_received", c_uint64),
                ("ciphertext_sent", c_uint64), ("ciphertext_unsent", c_uint64), ("ciphertext_received", c_uint64)]


class tlsmem_peer_details(Sized):
    _fields_ = [("size", c_size_t), ("not_before", c_int64), ("not_after", c_int64), ("sha256", c_uint8 * 32),
                ("key_sha256", c_uint8 * 32), ("key_type", c_char * 32), ("key_bits", c_int), ("san_count", c_size_t),
                ("chain_count", c_size_t)]


STRUCTS = {struct.__name__: struct for struct in Sized.__subclasses__()}

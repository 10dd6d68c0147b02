"""A PostgreSQL with TLS on a free port, for checks in shell: database.py CERTIFICATES. Ends at SIGTERM, with code 0."""

import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Peers"))
from postgres import Postgres  # noqa: E402
from support import free_port  # noqa: E402


class Stack(contextlib.ExitStack):
    """What a test is to a process that it has started."""
    addCleanup = contextlib.ExitStack.callback


signal.signal(signal.SIGTERM, lambda *_: None)
with Stack() as stack:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tlsmem-database-"))
    certificate, key = (shutil.copy(os.path.join(sys.argv[1], "server." + kind), folder) for kind in ("pem", "key"))
    for path in (certificate, key):
        Postgres.own(path)
    port = free_port()
    Postgres(stack, folder, "listen_addresses=127.0.0.1", f"port={port}", "ssl=on", f"ssl_cert_file={certificate}",
             f"ssl_key_file={key}")
    print(f"listening on 127.0.0.1:{port}", flush=True)
    signal.pause()

"""Web servers of others, and the two clients that fetch from them: https_get, and curl beside it."""

import pathlib
import random
import socket
import tempfile
import time
import types
import unittest

from support import LIMIT, Process, certificate, example, free_port, tool

LIGHTTPD_STACKS = ("openssl", "gnutls", "mbedtls", "nss", "wolfssl")
SIZES = {"small": 200_000, "large": 5_000_000}


class WebTest(unittest.TestCase):
    """A folder with files of known bytes, and servers that are started once for the class."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-web-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.folder.chmod(0o755)  # nginx's workers are another user
        cls.root = cls.folder / "root"
        cls.root.mkdir()
        cls.files = {name: random.Random(size).randbytes(size) for name, size in SIZES.items()}
        for name, content in cls.files.items():
            (cls.root / name).write_bytes(content)
        cls.once = types.SimpleNamespace(addCleanup=cls.addClassCleanup)

    @classmethod
    def start(cls, port, *command):
        """Starts a server, and waits until it accepts."""
        server = Process(cls.once, *command)
        end = time.monotonic() + LIMIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), LIMIT).close()
                return server
            except ConnectionRefusedError:
                if not server.stays_for(0.02) or time.monotonic() > end:
                    raise AssertionError(f"{command[0]}: {server.stderr.text}{server.stdout.text}") from None

    @classmethod
    def configure(cls, name, text):
        path = cls.folder / name
        path.write_text(text)
        return path

    @staticmethod
    def identity(name="server"):
        """Returns the directives that make an nginx server one with TLS."""
        return f"ssl_certificate {certificate(name + '.pem')}; ssl_certificate_key {certificate(name + '.key')};"

    @classmethod
    def nginx(cls, *servers):
        """Starts nginx with blocks of directives, one for each server, and returns their ports."""
        ports = [free_port() for _ in servers]
        blocks = "".join(f"server {{ listen 127.0.0.1:{port}{' ssl' if 'ssl_certificate' in text else ''}; {text} }}\n"
                         for port, text in zip(ports, servers))
        config = cls.configure("nginx.conf", f"""
            daemon off; master_process off; pid {cls.folder}/nginx.pid; error_log stderr crit;
            events {{ worker_connections 64; }}
            http {{ access_log off; client_body_temp_path {cls.folder}; proxy_temp_path {cls.folder};
                    fastcgi_temp_path {cls.folder}; uwsgi_temp_path {cls.folder}; scgi_temp_path {cls.folder};
                    ssl_protocols TLSv1.2 TLSv1.3; root {cls.root}; {blocks} }}""")
        cls.start(ports[-1], "/usr/sbin/nginx", "-p", cls.folder, "-c", config)
        return ports

    @classmethod
    def lighttpd(cls, stack):
        port = free_port()
        config = cls.configure(f"{stack}.conf", f"""
            server.document-root = "{cls.root}"
            server.bind = "127.0.0.1"
            server.port = {port}
            server.modules = ( "mod_{stack}" )
            ssl.engine = "enable"
            ssl.pemfile = "{certificate('server.pem')}"
            ssl.privkey = "{certificate('server.key')}"
            """)
        cls.start(port, tool("lighttpd", "lighttpd"), "-D", "-f", config)
        return port

    @classmethod
    def haproxy(cls):
        """haproxy speaks TLS, and nginx behind it has the files."""
        behind, port = cls.nginx("")[0], free_port()
        both = cls.configure("both.pem", "".join(
            pathlib.Path(certificate(name)).read_text() for name in ("server.pem", "server.key")))
        config = cls.configure("haproxy.cfg", f"""
global
    maxconn 64
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend tls
    bind 127.0.0.1:{port} ssl crt {both} alpn h2,http/1.1
    default_backend files
backend files
    server nginx 127.0.0.1:{behind}
""")
        cls.start(port, "/usr/sbin/haproxy", "-db", "-f", config)
        return port

    def https_get(self, *options, ca="ca.pem", environment=()):
        """Runs https_get to its end, and returns the process; `code` is its exit code."""
        trust = ["--ca", certificate(ca)] if ca else []
        program = Process(self, "env", *environment, example("https_get"), *trust, *options)
        program.code = program.exit_code()
        return program

    def curl(self, url, *options, ca="ca.pem"):
        """The same by curl, in HTTP/1.1."""
        program = Process(self, tool("curl", "curl"), "-sS", "--http1.1", "--cacert", certificate(ca), *options, url)
        program.code = program.exit_code()
        return program

    def both(self, url, ca="ca.pem", ours=(), curls=()):
        """Fetches by both, and checks that they come to the same; returns what https_get did."""
        got, beside = self.https_get(*ours, url, ca=ca), self.curl(url, *curls, ca=ca)
        self.assertEqual(got.code == 0, beside.code == 0, f"https_get {got.code}: {got.stderr.text}"
                         f"curl {beside.code}: {beside.stderr.text}")
        if got.code == 0:
            self.assertTrue(got.stdout.bytes == beside.stdout.bytes, "https_get and curl had different bytes")
        return got

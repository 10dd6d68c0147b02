"""Other people's programs: nginx, haproxy and stunnel as peers, wrk as a client."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time

from . import peers


def find(*names):
    """The first program of these names; Debian keeps some where only root looks."""
    for name in names:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if found:
            return found
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configured(name, text):
    path = os.path.join(peers.BUILD, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def until_it_listens(running, port):
    """For programs that do not say that they listen."""
    running.port = port
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
            return running
        time.sleep(0.02)
    running.__exit__()
    raise RuntimeError(f"{running.process.args[0]} does not listen")


class Nginx:
    """One process, the same certificate and cipher, the same body; its other defaults."""
    name, package, works = "nginx", "nginx-light", ("http",)

    def is_there(self):
        return find("nginx") is not None

    def start(self, _work, _options=(), cores=(0,)):
        port = free_port()
        path = configured("nginx.conf", f"""
            daemon off; master_process off; pid {peers.BUILD}/nginx.pid; error_log stderr crit;
            worker_rlimit_nofile 65536;
            events {{ worker_connections 16384; }}
            http {{
                access_log off; default_type text/plain; keepalive_requests 1000000000; keepalive_timeout 1h;
                client_body_temp_path {peers.BUILD}/nginx; proxy_temp_path {peers.BUILD}/nginx;
                fastcgi_temp_path {peers.BUILD}/nginx; uwsgi_temp_path {peers.BUILD}/nginx;
                scgi_temp_path {peers.BUILD}/nginx;
                server {{
                    listen 127.0.0.1:{port} ssl;
                    ssl_certificate {peers.CERTIFICATE}; ssl_certificate_key {peers.KEY};
                    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
                    location / {{ return 200 "Hello, world\\n"; }}
                }}
            }}""")
        return until_it_listens(peers.Running([find("nginx"), "-p", peers.BUILD, "-c", path], cores), port)


class Relay:
    """A proxy that ends TLS in front of a server without TLS, which has the client's core."""
    works = ("echo", "download", "sink")

    def __init__(self, name, package, program, command):
        self.name, self.package, self.program, self.command = name, package, program, command

    def is_there(self):
        return self.program() is not None

    @contextlib.contextmanager
    def start(self, work, options=(), cores=(0,)):
        with peers.PLAIN.start(work, options, cores=(-1,)) as upstream:
            port = free_port()
            command = self.command(self.program(), port, upstream.port)
            with until_it_listens(peers.Running(command, cores), port) as proxy:
                yield proxy


def _haproxy(program, port, upstream):
    both = os.path.join(peers.BUILD, "haproxy.pem")
    with open(both, "w", encoding="utf-8") as out:
        for part in (peers.CERTIFICATE, peers.KEY):
            out.write(open(part, encoding="utf-8").read())
    return [program, "-db", "-f", configured("haproxy.cfg", f"""
global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend front
    bind 127.0.0.1:{port} ssl crt {both} ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256
    default_backend back
backend back
    server upstream 127.0.0.1:{upstream}
""")]


def _stunnel(program, port, upstream):
    return [program, configured("stunnel.conf", f"""
foreground = yes
pid =
debug = 3
[relay]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{upstream}
cert = {peers.CERTIFICATE}
key = {peers.KEY}
sslVersionMin = TLSv1.3
ciphersuites = TLS_AES_128_GCM_SHA256
""")]


def _tls_proxy(program, port, upstream):
    return [program, "--listen", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{upstream}", "--tls", "1.3",
            "--cert", peers.CERTIFICATE, "--key", peers.KEY]


def _example():
    path = os.path.join(peers.ROOT, "build", "examples", "tls_proxy")
    return path if os.path.exists(path) else None


RELAYS = [
    Relay("libtlsmem tls_proxy", "", _example, _tls_proxy),
    Relay("haproxy", "haproxy", lambda: find("haproxy"), _haproxy),
    Relay("stunnel", "stunnel4", lambda: find("stunnel4", "stunnel"), _stunnel),
]


def cpu_seconds(pid):
    """The CPU clock of another process (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def wrk(server, connections, seconds):
    """Returns [(metric, unit, value)], as the load generator does for the same work."""
    before, begin = cpu_seconds(server.pids[0]), time.monotonic()
    done = subprocess.run([find("wrk"), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
                           f"http{'' if server.plain else 's'}://127.0.0.1:{server.port}/"], stdout=subprocess.PIPE, text=True, check=True, timeout=60,
                          preexec_fn=peers.pinned(-1))
    cpu, wall = cpu_seconds(server.pids[0]) - before, time.monotonic() - begin
    count = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    if count == 0 or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(done.stdout)
    return [("responses", "k/s", count / wall / 1e3), ("server CPU per response", "us", 1e6 * cpu / count),
            ("server busy", "%", 100 * cpu / wall)]

"""The Python package of examples-c/python: loaded, installed, its example, and what a thousand connections leave."""

import asyncio
import ctypes
import gc
import importlib.util
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

from asyncio_backends import BACKENDS, PACKAGE, Notes, bounded, port_of
from support import LIMIT, Process, certificate
import tls

import tlsmem


class Loaded(unittest.TestCase):
    def _python(self, program, **environment):
        return subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, timeout=LIMIT,
                              env=os.environ | {"PYTHONPATH": str(PACKAGE)} | environment)

    def test_a_library_that_is_missing_or_another_is_named(self):
        for path, why in (("/nowhere/libtlsmem.so.0", "/nowhere/libtlsmem.so.0"), ("libc.so.6", "tlsmem_version")):
            done = self._python("import tlsmem", TLSMEM_LIBRARY=path)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr.splitlines()[-1], f"^ImportError: tlsmem needs libtlsmem: .*{why}")

    def test_the_end_of_the_interpreter(self):
        """With connections that nobody has closed, in cycles, and while a server is at work in a thread."""
        done = self._python(f"""
import asyncio, threading, tlsmem
server = tlsmem.Context.server({certificate("server.pem")!r}, {certificate("server.key")!r})
client = tlsmem.Context.client({certificate("ca.pem")!r})
begun = threading.Event()
async def serve():
    global ends
    listening = await tlsmem.start_server(lambda *both: None, "127.0.0.1", 0, context=server)
    port = listening.sockets[0].getsockname()[1]
    ends = [await tlsmem.open_connection("localhost", port, context=client) for _ in range(10)]
    ends.append(ends)
    ends[0][1].transport.own = ends
    begun.set()
    await asyncio.sleep(3600)
threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
begun.wait()
print("done")
""")
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"), done.stderr)
        self.assertNotRegex(done.stderr, "Traceback|Segmentation|Exception ignored")

    def test_threads_with_loops_of_their_own(self):
        context = BACKENDS["tlsmem"].server(), BACKENDS["tlsmem"].client()
        failures = []

        async def talk():
            async def answer(reader, writer):
                writer.write(await reader.readexactly(100000))
                writer.close()
            server = await tlsmem.start_server(answer, "127.0.0.1", 0, context=context[0])
            for _ in range(20):
                reader, writer = await tlsmem.open_connection("localhost", port_of(server), context=context[1])
                writer.write(b"x" * 100000)
                assert await reader.read(-1) == b"x" * 100000
                writer.close()
                await writer.wait_closed()
            server.close()

        def run():
            try:
                asyncio.run(asyncio.wait_for(talk(), LIMIT))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_settings_that_are_refused(self):
        client, server = tlsmem.Context.client, tlsmem.Context.server
        self.assertRaisesRegex(tlsmem.TLSError, "nowhere.pem", client, "/nowhere.pem")
        self.assertRaisesRegex(tlsmem.TLSError, "nowhere.key", server, certificate("server.pem"), "/nowhere.key")
        self.assertRaisesRegex(tlsmem.TLSError, "(?i)key", server, certificate("server.pem"), certificate("client.key"))
        self.assertRaisesRegex(TypeError, "speed", client, certificate("ca.pem"), speed=5)
        self.assertRaisesRegex(TypeError, "alpn", client, certificate("ca.pem"), alpn="h2")
        self.assertRaises(ValueError, server, certificate("server.pem"), None)
        self.assertRaises(ValueError, client, certificate("ca.pem") + "\0more")
        self.assertRaises(ValueError, client, certificate("ca.pem"), alpn=["h2,http/1.1"])
        self.assertRaises(ValueError, tlsmem.Connection, client(certificate("ca.pem")), "good.example\0.evil.example")
        self.assertRaises(tlsmem.TLSError, client, certificate("ca.pem"), ciphers="NO-SUCH-CIPHER")
        with open(certificate("ca.pem"), "rb") as pem:
            client([pem.read(), certificate("other-ca.pem")], alpn=["h2"], idle_ms=1000)

    def test_installed_by_pip(self):
        """Into a folder of its own, without the network, and used from there."""
        with tempfile.TemporaryDirectory() as folder:
            python, target = sys.executable, pathlib.Path(folder, "target")
            if importlib.util.find_spec("pip") is None:  # Debian's Python, whose venv has one
                subprocess.run([python, "-m", "venv", pathlib.Path(folder, "venv")], check=True, timeout=2 * LIMIT)
                python = pathlib.Path(folder, "venv", "bin", "python")
            done = subprocess.run(
                [python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", "--target", target, PACKAGE],
                capture_output=True, text=True, timeout=2 * LIMIT)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            used = subprocess.run([sys.executable, "-c", "import tlsmem; print(tlsmem.__file__)"], check=True, timeout=LIMIT,
                                  capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(target)}, cwd=folder)
            self.assertTrue(used.stdout.startswith(str(target)), used.stdout)
            self.assertEqual(sorted(path.name for path in target.glob("tlsmem/*.py")),
                             sorted(path.name for path in PACKAGE.glob("tlsmem/*.py")))

    def test_the_version_is_that_of_the_library(self):
        sys.path.insert(0, str(PACKAGE))
        import build_backend
        self.assertEqual(build_backend.VERSION, tlsmem.library.lib.tlsmem_version_string().decode())


class Example(unittest.TestCase):
    def setUp(self):
        before = os.environ.get("PYTHONPATH", "")
        self.addCleanup(os.environ.__setitem__, "PYTHONPATH", before)
        os.environ["PYTHONPATH"] = f"{PACKAGE}:{before}"

    def _serve(self, answer):
        """Answers HTTP by Python's own ssl, in a thread; returns the port."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            sock, _ = listener.accept()
            try:
                with tls.server_context().wrap_socket(sock, server_side=True) as connection:
                    while b"\r\n\r\n" not in connection.recv(1 << 16):
                        pass
                    answer(connection)
            except (OSError, ssl.SSLError):
                pass  # the client tells

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, LIMIT)
        return listener.getsockname()[1]

    def _get(self, answer, *options, ca="ca.pem"):
        port = self._serve(answer)
        getting = Process(self, sys.executable, PACKAGE / "examples" / "https_get.py", "--ca", certificate(ca), *options,
                          f"https://localhost:{port}/path?query")
        return getting.exit_code(), getting.stdout.bytes, getting.stderr.text

    @staticmethod
    def _saying(*pieces):
        def answer(connection):
            for piece in pieces:
                connection.sendall(piece)
            connection.unwrap()
        return answer

    def test_a_body_with_a_length(self):
        answer = self._saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x" * 100000)
        code, body, said = self._get(answer, "--head")
        self.assertEqual((code, body), (0, b"x" * 100000), said)
        self.assertRegex(said, r"^TLSv1.3, TLS_AES_\w+, CN=localhost\nHTTP/1.1 200 OK\r")

    def test_chunks_and_a_failure_of_http(self):
        code, body, said = self._get(self._saying(b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n",
                                                  b"a;x=y\r\n0123456789\r\n0\r\n\r\n"))
        self.assertEqual((code, body), (22, b"abcd0123456789"), said)

    def test_a_body_that_ends_with_the_connection(self):
        code, body, said = self._get(self._saying(b"HTTP/1.0 200 OK\r\n\r\n", b"all of it"))
        self.assertEqual((code, body), (0, b"all of it"), said)

    def test_a_body_that_is_cut(self):
        def answer(connection):
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhalf of it")
            connection.shutdown(socket.SHUT_WR)

        code, body, said = self._get(answer)
        self.assertEqual((code, body), (1, b"half of it"))
        self.assertIn("TLSMEM_ETRUNCATED", said)

    def test_a_server_that_is_not_trusted(self):
        code, body, said = self._get(self._saying(b"never"), ca="other-ca.pem")
        self.assertEqual((code, body), (1, b""))
        self.assertIn("TLSMEM_EVERIFY", said)


class mallinfo2(ctypes.Structure):
    """What glibc has given out (mallinfo(3)); uordblks are the bytes in use."""
    NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]


def in_use():
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = mallinfo2
    info = libc.mallinfo2()
    return len(os.listdir("/proc/self/fd")), info.uordblks + info.hblkhd


class Flat(unittest.IsolatedAsyncioTestCase):
    @bounded
    async def test_a_thousand_connections_leave_nothing(self):
        asyncio.get_running_loop().set_debug(False)
        backend = BACKENDS["tlsmem"]
        contexts, over = (backend.server(), backend.client()), asyncio.Semaphore(0)

        class Counted(Notes):
            def connection_lost(self, exc):
                over.release()

        server = await backend.serve(Counted, contexts[0])

        async def one(number):
            client = (await backend.connect(Notes, port_of(server), contexts[1]))[1]
            client.transport.write(b"x" * 1000)
            client.transport.close() if number % 2 else client.transport.abort()
            await client.lost()

        async def many(number):
            for first in range(0, number, 100):
                await asyncio.gather(*map(one, range(first, first + 100)))
            for _ in range(number):
                await over.acquire()

        await many(300)
        descriptors, before = in_use()
        await many(1000)
        alive = [thing for thing in gc.get_objects() if isinstance(thing, (tlsmem.Connection, tlsmem.TLSDriver))]
        self.assertEqual(alive, [])
        after_descriptors, after = in_use()
        self.assertEqual(after_descriptors, descriptors)
        self.assertLess(after - before, 100 * 1024, "bytes more than before a thousand connections")
        server.close()


if __name__ == "__main__":
    unittest.main()

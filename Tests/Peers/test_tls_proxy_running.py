"""tls_proxy from its start to its end: mistakes, signals, threads, an upstream that is not there; what a message costs."""

import os
import shutil
import signal
import socket
import ssl
import tempfile
import unittest

from namespace import Network, Silent, in_namespace
from proxy import PlainServer, Proxy, receive_all
from support import LIMIT, Process, certificate, example, free_port, identity
from tls import client_context, connect, exchange, plain_socket, receive


class Mistakes(unittest.TestCase):
    def ends(self, code, *options):
        program = Process(self, example("tls_proxy"), *options)
        self.assertEqual(program.exit_code(), code)
        self.assertRegex(program.stderr.text, r"\Atls_proxy: .+\n\Z")
        self.assertEqual(program.stdout.text, "")

    def test_options_that_make_no_sense_end_it_with_code_1(self):
        for options in (["--upstream", "nowhere"], ["--upstream", ":80"], ["--upstream", "a:70000"], ["--upstream", "unix:"],
                        ["--upstream", "unix:/" + "x" * 200], ["--mode", "both"], ["--threads", "0"], [],
                        ["--listen", "unix:/tmp/x", "--upstream", "a:1"], ["--upstream", "127.0.0.1:1", "--max", "1", "--threads", "2"],
                        *([option, "4294968", "--upstream", "127.0.0.1:1"] for option in ("--idle", "--drain", "--stats"))):
            with self.subTest(options=options):
                self.ends(1, *identity(), *options)

    def test_a_server_without_certificate_ends_it_with_code_1(self):
        self.ends(1, "--upstream", "127.0.0.1:1")

    def test_an_authority_that_cannot_be_read_ends_it_with_code_3(self):
        self.ends(3, "--mode", "client", "--ca", "/no/such/file", "--upstream", "127.0.0.1:1")

    def test_a_port_that_is_taken_ends_it_with_code_2(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.ends(2, *identity(), "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--upstream", "127.0.0.1:1")


class Upstreams(unittest.TestCase):
    def test_one_that_refuses_ends_the_session_and_nothing_else(self):
        port = free_port()
        proxy = Proxy(self, f"127.0.0.1:{port}", "--verbose")
        for _ in range(3):
            client = connect(self, proxy.port, client_context())
            with self.assertRaises((ssl.SSLEOFError, ConnectionResetError)):
                client.recv(1)
        proxy.stderr.wait_for(r"^tls_proxy: cannot connect to the upstream: Connection refused\n")
        with socket.create_server(("127.0.0.1", port)) as listener:  # now it is there
            client = connect(self, proxy.port, client_context())
            service, _ = listener.accept()
            with service:
                client.sendall(b"at last")
                self.assertEqual(receive(service, 7), b"at last")

    def test_a_name_is_tried_at_all_its_addresses(self):
        service = PlainServer(self).echo()  # localhost is ::1 first on many machines, and there nobody listens
        proxy = Proxy(self, service.place.replace("127.0.0.1", "localhost"))
        with connect(self, proxy.port, client_context()) as client:
            self.assertEqual(exchange(client, b"here"), b"here")

    @in_namespace
    def test_an_address_that_refuses_after_a_while_is_followed_by_the_next(self):
        Network(self, hosts="127.0.0.2 service\n127.0.0.3 service\n")
        port = free_port()
        silent = Silent(self, "127.0.0.2", port)
        proxy = Proxy(self, f"service:{port}")
        client = connect(self, proxy.port, client_context())
        client.sendall(b"are you there?")
        with socket.create_server(("127.0.0.3", port)) as listener:
            listener.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                listener.accept()  # the first address is not given up before its time
            silent.socket.close()  # the next attempt of the kernel is refused
            listener.settimeout(LIMIT)
            service, _ = listener.accept()
            with service:
                self.assertEqual(receive(service, 14), b"are you there?")
                service.sendall(b"yes")
                self.assertEqual(receive(client, 3), b"yes")

    def test_a_tls_upstream_that_is_not_trusted_is_a_reset_for_the_client(self):
        inner = Proxy(self, PlainServer(self).place)
        outer = Proxy(self, f"localhost:{inner.port}", "--verbose", mode="client",
                      credentials=["--ca", certificate("other-ca.pem")])
        client = plain_socket(self, outer.port)
        with self.assertRaises(ConnectionResetError):
            client.recv(1)
        outer.stderr.wait_for(r"^tls_proxy: .*not trusted.*\n")

    def test_the_name_of_a_tls_upstream_may_be_another_than_its_host(self):
        inner = Proxy(self, PlainServer(self).echo().place, credentials=identity("wronghost"))
        for name, code in (("other.example", True), ("localhost", False)):
            with self.subTest(name=name):
                outer = Proxy(self, f"127.0.0.1:{inner.port}", "--server-name", name, mode="client")
                if code:
                    client = plain_socket(self, outer.port)
                    client.sendall(b"hello")
                    self.assertEqual(receive(client, 5), b"hello")
                else:
                    with self.assertRaises(ConnectionResetError):  # as soon as it connects, or later
                        client = plain_socket(self, outer.port)
                        client.sendall(b"hello")
                        client.recv(1)

    def test_clients_without_a_certificate_are_refused_when_one_is_required(self):
        proxy = Proxy(self, PlainServer(self).echo().place, "--client-ca", certificate("ca.pem"))
        with connect(self, proxy.port, client_context(identity="client")) as client:
            self.assertEqual(exchange(client, b"known"), b"known")
        client = connect(self, proxy.port, client_context())
        with self.assertRaises(ssl.SSLError):
            client.recv(1)


class Signals(unittest.TestCase):
    def setUp(self):
        self.service = PlainServer(self).echo()

    def connect(self, proxy):
        client = connect(self, proxy.port, client_context(ca="ca.pem"), name="localhost")
        self.assertEqual(exchange(client, b"hello"), b"hello")
        return client

    def use(self, folder, name):
        """Puts a certificate and its key where the proxy reads them."""
        for kind in ("pem", "key"):
            shutil.copy(certificate(f"{name}.{kind}"), os.path.join(folder, kind))

    def test_sighup_renews_the_certificate_and_old_sessions_go_on(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-proxy-")
        self.addCleanup(folder.cleanup)
        self.use(folder.name, "server")
        proxy = Proxy(self, self.service.place, "--verbose", "--threads", "2", credentials=[
            "--cert", os.path.join(folder.name, "pem"), "--key", os.path.join(folder.name, "key")])
        old = self.connect(proxy)
        first = old.getpeercert(True)
        self.use(folder.name, "rsa")
        os.kill(proxy.pid, signal.SIGHUP)
        proxy.stderr.wait_for("^tls_proxy: certificates and keys are read anew\n")
        second = self.connect(proxy).getpeercert(True)
        self.assertNotEqual(first, second)
        with open(os.path.join(folder.name, "key"), "w") as key:
            key.write("no key at all")
        before = len(proxy.stderr.bytes)
        os.kill(proxy.pid, signal.SIGHUP)
        proxy.stderr.wait_for("^tls_proxy: .+\n", before)
        self.assertEqual(self.connect(proxy).getpeercert(True), second)  # it keeps what it has
        self.assertEqual(exchange(old, b"still here"), b"still here")

    def test_sigterm_lets_sessions_end_by_themselves_and_takes_no_new_ones(self):
        for threads in ("1", "3"):
            with self.subTest(threads=threads):
                proxy = Proxy(self, self.service.place, "--threads", threads)
                clients = [self.connect(proxy) for _ in range(4)]
                os.kill(proxy.pid, signal.SIGTERM)
                self.assertTrue(proxy.stays_for(0.3), "it has ended")
                with self.assertRaises(ConnectionRefusedError):
                    plain_socket(self, proxy.port)
                for client in clients:
                    self.assertEqual(exchange(client, b"still here"), b"still here")
                    client.unwrap().close()
                self.assertEqual(proxy.exit_code(), 0, proxy.stderr.text)

    def test_a_second_sigterm_ends_them_with_close_notify(self):
        proxy = Proxy(self, self.service.place)
        client = self.connect(proxy)
        os.kill(proxy.pid, signal.SIGTERM)
        self.assertTrue(proxy.stays_for(0.3), "it has ended")
        os.kill(proxy.pid, signal.SIGTERM)
        self.assertEqual(receive_all(client), b"")
        client.unwrap().close()
        self.assertEqual(proxy.exit_code(), 0, proxy.stderr.text)

    def test_the_time_for_draining_is_limited(self):
        proxy = Proxy(self, self.service.place, "--drain", "1")
        client = self.connect(proxy)
        os.kill(proxy.pid, signal.SIGTERM)
        self.assertEqual(receive_all(client), b"")
        client.unwrap().close()
        self.assertEqual(proxy.exit_code(), 0, proxy.stderr.text)

    def test_sigterm_without_sessions_ends_it_at_once(self):
        proxy = Proxy(self, self.service.place, "--threads", "4")
        os.kill(proxy.pid, signal.SIGTERM)
        self.assertEqual(proxy.exit_code(), 0, proxy.stderr.text)

    def test_statistics_count_sessions_and_bytes(self):
        proxy = Proxy(self, self.service.place, "--threads", "2")
        clients = [self.connect(proxy) for _ in range(3)]
        self.assertEqual(proxy.counts(), {"accepted": 3, "active": 3, "failed": 0, "to_plain": 15, "to_tls": 15})
        with self.assertRaises(ssl.SSLError):
            connect(self, proxy.port, client_context(ca=None))
        for client in clients:
            client.unwrap().close()
        while (counts := proxy.counts())["active"] > 0:
            pass
        self.assertEqual(counts, {"accepted": 4, "active": 0, "failed": 1, "to_plain": 15, "to_tls": 15})

    def test_statistics_come_by_themselves_when_wanted(self):
        Proxy(self, self.service.place, "--stats", "1").stdout.wait_for(r"^accepted=0 active=0 .*\n")


if __name__ == "__main__":
    unittest.main()

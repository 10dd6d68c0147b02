"""The Lua module by itself: many connections, errors, the collector, the end of the state; what a client is told of servers."""

import socket
import subprocess
import tempfile
import unittest

import lua
from support import LIMIT, Server, certificate, free_port, tool
from tls import PythonServer, Wire, client_context, server_context

MEMORY_KIB = 2048  # what a thousand connections may leave behind in the allocator
VALGRIND = ("valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect")


class Scripts(unittest.TestCase):
    """Client and server in one loop, in one process; each script asserts what it says."""

    def test_a_hundred_connections_at_once_and_many_writers_of_one(self):
        self.assertEqual(lua.script(self, "many.lua", 100).ends(), ["100 at once", "in one piece each"])

    def test_each_option_of_a_context_does_what_it_says(self):
        with tempfile.NamedTemporaryFile() as encrypted:
            subprocess.run([tool("openssl", "openssl"), "pkey", "-in", certificate("server.key"), "-aes256", "-passout",
                            "pass:open sesame", "-out", encrypted.name], check=True, timeout=LIMIT)
            self.assertEqual(lua.script(self, "options.lua", encrypted.name).ends(), ["each option does what it says"])

    def test_errors_are_raised_where_they_can_be_caught(self):
        self.assertEqual(lua.script(self, "mistakes.lua").ends(), ["all mistakes were told"])

    def test_the_collector_may_take_anything_at_any_time(self):
        scripts = [lua.script(self, "garbage.lua", mode, 8) for mode in ("incremental", "generational", "stop", "always")]
        for running in scripts:
            self.assertEqual(running.ends(), ["nothing is left"])

    def test_the_state_is_closed_with_everything_alive(self):
        for how, code in (("end", 0), ("error", 1), ("exit", 7), ("handler", 7)):
            with self.subTest(how=how):
                ended = lua.script(self, "ending.lua", how)
                ended.ends(code)
                self.assertRegex(ended.stderr.text, r"\A\S*lua5.4: at the end\n" if how == "error" else r"\A\Z")

    def cycles(self, count, *how):
        lines = dict(line.split("\t", 1) for line in lua.script(self, "cycles.lua", count, *how).ends())
        self.assertEqual(lines["served"], str(count))
        before, after, _, most = lines["descriptors"].split("\t")
        self.assertLessEqual(int(after), int(before))
        before, after = map(int, lines["memory"].split("\t"))
        return int(most), after - before

    def test_a_thousand_connections_leave_nothing(self):
        descriptors, growth = self.cycles(1000)
        self.assertLess(descriptors, 20)
        self.assertLess(growth, MEMORY_KIB)

    def test_those_that_are_dropped_are_collected_meanwhile(self):
        self.assertLess(self.cycles(400, "dropped")[0], 200)


class Valgrind(unittest.TestCase):
    def test_nothing_is_lost_or_read_after_it_was_freed(self):
        """With every access to memory watched, and what is lost at the end counted."""
        tool("valgrind", "valgrind")
        watched = lua.script(self, "garbage.lua", "always", 1, before=VALGRIND)
        self.assertEqual(watched.ends(timeout=2 * LIMIT), ["nothing is left"])
        self.assertEqual(watched.stderr.text, "")


class Client(unittest.TestCase):
    """What client.lua knows of a server, and the status that it fails with."""

    def lines(self, host, port, ca="ca.pem", *what):
        client = lua.script(self, "client.lua", host, port, ca, *what)
        return [line.split("\t") for line in client.ends()]

    def test_the_facts_are_those_of_the_server(self):
        for version, protocol in (("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")):
            server = Server(self, "echo_server", "--tls", version, "--alpn", "http/1.1")
            facts = {name: values for name, *values in self.lines("127.0.0.1", server.port)}
            wire = Wire(self, server.port, client_context(version))
            wire.handshake()
            der = wire.tls.getpeercert(binary_form=True)
            self.assertEqual(facts["protocol"], [protocol])
            self.assertEqual(facts["cipher"], [wire.tls.cipher()[0]])
            self.assertEqual(facts["alpn"], ["http/1.1"])
            self.assertEqual((facts["subject"], facts["issuer"]), (["CN=localhost"], ["CN=tlsmem test authority"]))
            self.assertEqual(facts["names"], ["DNS:localhost IP:127.0.0.1 IP:::1"])
            with open(certificate("server.pem"), encoding="ascii") as pem:
                sizes = [str(len(pem.read())), "der", str(len(der))]
            self.assertEqual(facts["pem"], [*sizes, "address", "127.0.0.1", str(server.port)])

    def refused(self, status, host, port, ca="ca.pem"):
        lines = self.lines(host, port, ca)
        self.assertEqual(lines[-2][:2], ["failed", status], lines)
        return lines[-1][1:]

    def test_servers_that_are_not_trusted_fail_with_their_status(self):
        for name, ca, status, alert in (
                ("server", "other-ca.pem", "TLSMEM_EVERIFY", "48"), ("selfsigned", "ca.pem", "TLSMEM_EVERIFY", "48"),
                ("wronghost", "ca.pem", "TLSMEM_EHOST", "42"), ("expired", "ca.pem", "TLSMEM_EEXPIRED", "45"),
                ("future", "ca.pem", "TLSMEM_EEXPIRED", "45")):
            with self.subTest(name=name, ca=ca):
                server = Server(self, "echo_server", certificate=name)
                self.assertEqual(self.refused(status, "127.0.0.1", server.port, ca), [alert, "nil"])

    def test_a_network_that_fails_has_its_status(self):
        self.assertEqual(self.refused("TLSMEM_ECONNECT", "127.0.0.1", free_port()), ["nil", "nil"])
        self.refused("TLSMEM_ERESOLVE", "nowhere.invalid", 443)
        silent = PythonServer(self, None)
        client = lua.script(self, "client.lua", "127.0.0.1", silent.port, "ca.pem")
        silent.accept().shutdown(socket.SHUT_WR)
        self.assertIn("TLSMEM_EHANDSHAKEEOF", client.ends()[0])
        client = lua.script(self, "client.lua", "127.0.0.1", silent.port, "ca.pem")
        silent.accept().sendall(b"220 mail.example ESMTP\r\n")
        self.assertIn("TLSMEM_ENOTTLS", client.ends()[0])

    def test_an_alert_of_the_server_is_in_the_error(self):
        strict = PythonServer(self, server_context("1.2", client_ca="ca.pem"))
        client = lua.script(self, "client.lua", "127.0.0.1", strict.port, "ca.pem")
        with self.assertRaisesRegex(OSError, "PEER_DID_NOT_RETURN_A_CERTIFICATE"):
            strict.establish()
        lines = [line.split("\t") for line in client.ends()]
        self.assertEqual(lines[-2][:2], ["failed", "TLSMEM_EALERT"])
        self.assertEqual(lines[-1], ["alerts", "nil", "40"])

    def test_what_came_before_a_cut_is_read_and_the_rest_is_an_error(self):
        for version in ("1.2", "1.3"):
            server = PythonServer(self, server_context(version))
            client = lua.script(self, "client.lua", "127.0.0.1", server.port, "ca.pem", "ask")
            connection = server.establish()
            self.assertEqual(connection.recv(100), b"hello\n")
            connection.sendall(b"a line\r\nand half of")
            connection.close()
            lines = [line.split("\t") for line in client.ends()]
            self.assertEqual(lines[-3], ["line", "a line"])
            self.assertEqual(lines[-2][:2], ["failed", "TLSMEM_ETRUNCATED"])


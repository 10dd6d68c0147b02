"""tlsmem_fetch in PostgreSQL: many at once, and that a query which waits for a server ends when it is told to."""

import contextlib
import os
import pathlib
import signal
import ssl
import time
import unittest

from fetching import Deaf, FetchTest, Host
from support import LIMIT, VERSIONS, Process, free_port
from web_servers import Web

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

setUpModule = FetchTest.start


class AtOnce(FetchTest):
    def ask_for(self, session, server, count):
        session.send("select string_agg(coalesce(convert_from(body, 'UTF8'), sqlstate), ' ' order by number), "
                     "count(distinct url) from (select row_number() over () as number, * from tlsmem_get_all("
                     f"(select array_agg('{server.url()}' || i) from generate_series(1, {count}) i))) got")

    def test_the_first_is_answered_when_the_last_has_asked(self):
        server, session = self.serve(), self.session()
        before = session.descriptors()
        self.ask_for(session, server, 50)
        asked = [server.request() for _ in range(50)]
        self.assertEqual(session.descriptors()["socket"], before["socket"] + 50)
        for connection, head in reversed(asked):
            target = head.split()[1].encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target))
        self.assertEqual(session.done(), " ".join(f"/{i}" for i in range(1, 51)) + "|50")
        self.assertEqual(session.descriptors(), before)

    def test_no_more_are_under_way_than_are_allowed(self):
        server, session, other = self.serve(), self.session(), self.session()
        session.ask("set tlsmem_fetch.max_at_once = 3")
        before = session.descriptors()["socket"]
        self.ask_for(session, server, 10)
        waiting = [server.request()[0] for _ in range(3)]
        for left in range(10, 0, -1):
            self.assertEqual(session.descriptors()["socket"], before + min(3, left))
            waiting.pop(0).sendall(OK)
            if left > 3:
                waiting.append(server.request()[0])
            else:
                self.wait_for(other, lambda: session.descriptors()["socket"] == before + left - 1)
        self.assertEqual(session.done(), " ".join(["ok"] * 10) + "|10")

    def test_one_that_fails_is_a_row_and_the_others_come(self):
        web, session = Web(self, "https_server"), self.session()
        good, absent = f"https://localhost:{web.port}/text.txt", f"https://localhost:{free_port()}/"
        text = session.ask(f"select url is null, status, length(body), sqlstate, error from tlsmem_get_all(array['{good}', "
                           f"'{absent}', null, 'gopher://x', '{good}'])")
        self.assertEqual(text.splitlines(), [
            "f|200|100||", "f|||08001|cannot connect: Connection refused", "t|||22004|the URL is null",
            "f|||22023|only https:// is spoken here", "f|200|100||"])
        self.assertEqual(session.ask("select count(*) from tlsmem_get_all('{}')"), "0")
        self.assertEqual(session.ask("select count(*) from tlsmem_get_all(null)"), "0")

    def test_descriptors_that_run_out_are_an_error(self):
        server, session = self.serve(), self.session()
        before = session.descriptors()
        session.ask("set tlsmem_fetch.max_at_once = 1000; set tlsmem_fetch.timeout = '1s'")
        # A third of those that a backend may have open (max_files_per_process, 1000) is for extensions: AcquireExternalFD.
        text = session.ask("select count(*) filter (where sqlstate = '53000') > 600, "
                           "count(*) filter (where sqlstate = '08006') > 300, count(*) "
                           f"from tlsmem_get_all(array_fill('{server.url()}'::text, array[1000]))")
        self.assertEqual(text, "t|t|1000")
        self.assertEqual(session.descriptors(), before)


class Interrupted(FetchTest):
    def silent_servers(self):
        """For each place where a server can fall silent: a server, and what brings the client there."""
        yield "connecting", Deaf(self), lambda server: None
        for version in VERSIONS:
            yield f"connected, {version}", self.serve(version=version), lambda server: server.accept().recv(1)
            yield f"established, {version}", self.serve(version=version), lambda server: server.establish()
            yield f"asked, {version}", self.serve(version=version), lambda server: server.request()
            yield f"in the body, {version}", self.serve(version=version), self.half_a_body

    @staticmethod
    def half_a_body(server):
        connection, _ = server.request()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")

    @staticmethod
    def come_so_far(server, go):
        """Goes as far as a client comes that has a fifth of a second: less far where this machine is slow."""
        with contextlib.suppress(OSError, AssertionError):
            go(server)

    def test_a_query_is_cancelled_at_once(self):
        session, other = self.session(), self.session()
        before = session.descriptors()
        for place, server, go in self.silent_servers():
            for call in ("tlsmem_get('{}')", "tlsmem_get_all(array['{}'])"):
                with self.subTest(place=place, call=call):
                    session.send("select * from " + call.format(server.url()))
                    go(server)
                    waits = f"select wait_event_type = 'Extension' from pg_stat_activity where pid = {session.pid}"
                    self.wait_for(other, lambda: other.ask(waits) == "t")
                    self.assertEqual(other.ask(f"select pg_cancel_backend({session.pid})"), "t")
                    state, text = session.answer()
                    self.assertEqual((state, "due to user request" in text), ("57014", True), text)
                    self.assertEqual(session.descriptors(), before)

    def test_statement_timeout_holds(self):
        session = self.session()
        before = session.descriptors()
        for place, server, go in self.silent_servers():
            with self.subTest(place=place):
                session.ask("set statement_timeout = '200ms'")
                session.send(f"select * from tlsmem_get('{server.url()}')")
                self.come_so_far(server, go)
                state, text = session.answer()
                self.assertEqual((state, "due to statement timeout" in text), ("57014", True), text)
                self.assertEqual(session.descriptors(), before)

    def test_a_fetch_has_a_time_of_its_own(self):
        session = self.session()
        before = session.descriptors()
        session.ask("set tlsmem_fetch.timeout = '200ms'")
        for place, server, go in self.silent_servers():
            with self.subTest(place=place):
                session.send(f"select * from tlsmem_get('{server.url()}')")
                self.come_so_far(server, go)
                state, text = session.answer()
                self.assertEqual((state, "200 ms of tlsmem_fetch.timeout" in text), ("08006", True), text)
                self.assertEqual(session.descriptors(), before)

    def test_a_handshake_has_a_time_of_its_own(self):
        server, session = self.serve(), self.session()
        session.ask("set tlsmem_fetch.handshake_timeout = '200ms'")
        session.send(f"select * from tlsmem_get('{server.url()}')")
        server.accept()
        begun = time.monotonic()
        state, text = session.answer()
        self.assertEqual((state, "TLSMEM_ETIMEOUT" in text), ("08001", True), text)
        self.assertLess(time.monotonic() - begun, 5)  # a backend is woken every now and then, and would notice

    def test_a_backend_that_is_terminated_goes(self):
        other = self.session()
        for place, server, go in self.silent_servers():
            with self.subTest(place=place):
                session = self.session()
                session.send(f"select * from tlsmem_get_all(array_fill('{server.url()}'::text, array[3]))")
                go(server)
                self.assertEqual(other.ask(f"select pg_terminate_backend({session.pid}, {LIMIT * 1000})"), "t")
                session.psql.stdout.wait_for("FATAL:  57P01: terminating connection")
                self.assertFalse(pathlib.Path(f"/proc/{session.pid}").exists())
                self.assertEqual(other.ask("select 1"), "1")

    def test_an_exception_block_leaves_nothing_open(self):
        web, session = Web(self, "https_server"), self.session()
        url = f"https://localhost:{web.port}/text.txt"
        call = "do $$ declare n int := 0; begin for i in 1..%d loop begin perform tlsmem_get('%s'%s); " \
               "exception when sqlstate '%s' then n := n + 1; end; end loop; assert n = %d; end $$"
        session.ask(call % (1, url, f", ca => '{self.stranger}'", "28000", 1))
        before = session.descriptors()
        session.ask(call % (50, url, f", ca => '{self.stranger}'", "28000", 50))
        session.ask(call % (50, f"https://localhost:{free_port()}/", "", "08001", 50))
        session.ask(call % (50, "https://localhost/", ", ca => '/etc/absent'", "F0000", 50))
        self.assertEqual(session.descriptors(), before)


class ManyTimes(FetchTest):
    def test_fetch_after_fetch_leaves_nothing(self):
        web, session = Web(self, "https_server"), self.session()
        fetch = f"select sum(length(body)) from generate_series(1, %d) i, " \
                f"tlsmem_get('https://localhost:{web.port}/text.txt?' || i)"
        self.assertEqual(session.ask(fetch % 150), "15000")
        descriptors, memory = session.descriptors(), session.memory()
        self.assertEqual(session.ask(fetch % 200), "20000")
        self.assertEqual(session.descriptors(), descriptors)
        self.assertLess(session.memory(), memory + (512 << 10))
        web.logged(350)

    def test_preloaded_then_orphaned_then_alone(self):
        server, host = self.serve(), Host(self, "shared_preload_libraries=$libdir/tlsmem_fetch")
        for _ in range(2):
            session = host.session(self)
            session.send(f"select convert_from(body, 'UTF8') from tlsmem_get('{server.url()}')")
            server.play(OK)
            self.assertEqual(session.done(), "ok")
        session.send(f"select * from tlsmem_get('{server.url()}')")
        connection, _ = server.request()
        os.kill(host.server.pid, signal.SIGKILL)
        with self.assertRaises(ssl.SSLEOFError):  # it had no time to say goodbye
            connection.recv(1)
        host.server.exit_code()  # which comes when the last of its processes has closed its output
        web = Web(self, "https_server")
        with host.library():
            alone = Process(self, *host.under, f"{host.programs}/postgres", "--single", "-D", host.data, "-c",
                            f"extension_destdir={host.root}", "postgres")
        alone.feed(f"select status from tlsmem_get('https://localhost:{web.port}/text.txt', ca => '{host.ca}')\n".encode())
        self.assertEqual(alone.exit_code(), 0, alone.stderr.text)
        self.assertIn('status = "200"', alone.stdout.text)


if __name__ == "__main__":
    unittest.main()

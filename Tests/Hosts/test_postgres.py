"""tlsmem_fetch in PostgreSQL: what is fetched, what is refused, and in which words."""

import hashlib
import unittest

from fetching import FetchTest
from support import VERSIONS, certificate, free_port
from web import WebTest
from web_servers import Web, root

ANSWER = "select status, convert_from(body, 'UTF8') from tlsmem_get('{}')"


setUpModule = FetchTest.start


class RealServers(WebTest, FetchTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ports = dict(zip(VERSIONS, cls.nginx(*(cls.identity() + f"ssl_protocols TLSv{version};" for version in VERSIONS))))

    def test_nginx_gives_the_same_bytes_in_each_version(self):
        session = self.session()
        for version, port in self.ports.items():
            for name, content in self.files.items():
                with self.subTest(version=version, name=name):
                    text = session.ask(f"select status, sha256(body) from tlsmem_get('https://localhost:{port}/{name}')")
                    self.assertEqual(text, f"200|\\x{hashlib.sha256(content).hexdigest()}")
            answer = session.ask(f"select status, (select value from unnest(headers) where name = 'server') like 'nginx%' "
                                 f"from tlsmem_get('https://127.0.0.1:{port}/absent?x#y')")
            self.assertEqual(answer, "404|t")

    def test_https_server_gives_the_same_bytes(self):
        web = Web(self, "https_server")
        session = self.session()
        content = (root() / "data.bin").read_bytes()
        answer = session.ask(f"select status, sha256(body) from tlsmem_get('https://localhost:{web.port}/data.bin')")
        self.assertEqual(answer, f"200|\\x{hashlib.sha256(content).hexdigest()}")
        self.assertEqual(web.logged(1)[0][:2], ("GET /data.bin HTTP/1.1", "200"))
        self.assertEqual(session.ask("select tlsmem_version() ~ '^[0-9]+[.][0-9]+[.][0-9]+$'"), "t")


class Played(FetchTest):
    def fetched(self, answer, statement=ANSWER, target="/", **parameters):
        """Fetches from a server that answers so; returns what the statement gave, and the request."""
        server, session = self.serve(**parameters), self.session()
        session.send(statement.format(server.url(target)))
        request = server.play(answer)
        return session.done(), request

    def refused(self, url, state, words, ca=None, session=None):
        session = session or self.session()
        ca = f", ca => '{ca}'" if ca else ""
        got, text = session.error(f"select * from tlsmem_get({url}{ca})")
        self.assertEqual(got, state, text)
        self.assertRegex(text, words)
        self.assertEqual(session.ask("select 1"), "1")
        return text

    def test_the_request_is_what_the_url_says(self):
        answer, request = self.fetched(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", target="/a%20b?c=d&e#f")
        self.assertEqual(answer, "200|ok")
        self.assertTrue(request.startswith("GET /a%20b?c=d&e HTTP/1.1\r\nHost: localhost:"), request)
        self.assertTrue(request.endswith("\r\nAccept: */*\r\nConnection: close\r\n\r\n"), request)

    def test_bodies_in_chunks_and_up_to_the_end_come_whole(self):
        chunked = (b"HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"2\r\nab\r\n3\r\ncde\r\n0\r\nX-Trailer: 1\r\n\r\n")
        statement = "select convert_from(body, 'UTF8'), headers from tlsmem_get('{}')"
        self.assertEqual(self.fetched(chunked, statement)[0], 'abcde|{"(transfer-encoding,chunked)"}')
        server, session = self.serve(), self.session()
        session.send(ANSWER.format(server.url()))
        connection, _ = server.request()
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nabcde")
        connection.unwrap()  # which takes the client's own close_notify
        self.assertEqual(session.done(), "200|abcde")
        self.assertEqual(self.fetched(b"HTTP/1.1 204 No Content\r\n\r\n")[0], "204|")

    def test_fields_come_in_order_and_as_they_are(self):
        answer = (b"HTTP/1.1 301 Gone\r\nLocation: https://localhost:1/\r\nSet-Cookie: a\r\nX-Empty:\r\nSET-COOKIE: b\r\n"
                  b"X-Good: \xc3\xa9\r\nX-Bad: \xe9\r\nContent-Length: 0\r\n\r\n")
        text = self.fetched(answer, "select status, (select string_agg(name || '=' || value, ' ') from unnest(headers)) "
                                    "from tlsmem_get('{}')")[0]
        self.assertEqual(text, "301|location=https://localhost:1/ set-cookie=a x-empty= set-cookie=b x-good=\u00e9 x-bad=\\xE9 "
                               "content-length=0")

    def test_a_server_of_an_unknown_authority_is_refused(self):
        for version in VERSIONS:
            server, session = self.serve(version=version), self.session()
            session.send(f"select * from tlsmem_get('{server.url()}', ca => '{self.stranger}')")
            with self.assertRaises(OSError, msg=version):  # the alert unknown_ca, or the reset behind it
                server.establish().recv(1)
            state, text = session.answer()
            self.assertEqual(state, "28000")
            self.assertRegex(text, rf"ERROR:  28000: could not fetch from localhost:{server.port}: the peer's certificate is "
                                   r"not trusted.*\nDETAIL:  libtlsmem's status is TLSMEM_EVERIFY\.\nHINT:  Name the file")
            self.assertEqual(session.ask("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t")

    def test_a_server_of_another_name_is_refused(self):
        for identity, words in (("wronghost", "TLSMEM_EHOST"), ("expired", "TLSMEM_EEXPIRED")):
            server, session = self.serve(identity=identity), self.session()
            session.send(f"select * from tlsmem_get('{server.url()}')")
            with self.assertRaises(OSError, msg=identity):
                server.establish().recv(1)
            state, text = session.answer()
            self.assertEqual(state, "28000", text)
            self.assertIn(f"DETAIL:  libtlsmem's status is {words}.", text)

    def test_a_server_that_is_none_is_named(self):
        text = self.refused(f"'https://localhost:{free_port()}/'", "08001", r"cannot connect: Connection refused")
        self.assertNotIn("DETAIL", text)
        self.refused(f"'https://[::1]:{free_port()}/'", "08001", r"could not fetch from \[::1\]:\d+: cannot connect: ")
        self.refused("'https://no-such-host.invalid/'", "08001", "no-such-host.invalid has no address: ")
        server, session = self.serve(), self.session()
        session.send(f"select * from tlsmem_get('{server.url()}')")
        with server.accept() as connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            state, text = session.answer()
        self.assertEqual((state, "TLSMEM_ENOTTLS" in text), ("08P01", True), text)

    def test_what_is_no_url_is_refused(self):
        session = self.session()
        for url in ("'http://localhost/'", "'ftp://x'", "''", "'https://'", "'https://localhost:0/'",
                    "'https://localhost:99999/'", r"E'https://localhost/\r\nX-Injected: 1'", r"E'https://localhost/a\tb'",
                    "'https://localhost/ a'", "'https://b\u00fccher.example/'", "'https://localhost/' || repeat('x', 9000)"):
            with self.subTest(url=url):
                self.refused(url, "22023", "could not fetch from that URL: ", session=session)
        text = self.refused("'https://me:secret@localhost/'", "22023", "a user's name or password is not taken")
        self.assertNotIn("secret", text.partition("LOCATION")[0].partition("STATEMENT")[0])
        self.assertEqual(session.ask("select tlsmem_get(null) is null"), "t")

    def test_an_answer_that_is_cut_is_an_error(self):
        server, session = self.serve(), self.session()
        for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"HTTP/1.1 200 OK\r\nContent-"):
            session.send(f"select * from tlsmem_get('{server.url()}')")
            server.play(answer)
            state, text = session.answer()
            self.assertEqual((state, "the answer is cut" in text), ("08006", True), text)
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"HTTP/1.0 200 OK\r\n\r\nabc"):
            session.send(f"select * from tlsmem_get('{server.url()}')")
            connection, _ = server.request()
            connection.sendall(answer)
            connection.close()  # without close_notify: anybody may have cut it
            state, text = session.answer()
            self.assertEqual((state, "TLSMEM_ETRUNCATED" in text), ("08006", True), text)
        session.send(f"select * from tlsmem_get('{server.url()}')")
        server.play(b"SSH-2.0-OpenSSH\r\n")
        state, text = session.answer()
        self.assertEqual((state, "the answer is no HTTP" in text), ("08P01", True), text)

    def test_a_body_over_the_limit_is_an_error(self):
        server, session = self.serve(), self.session()
        session.ask("set tlsmem_fetch.max_body = '10B'")
        for head, end in (("Content-Length: 11", ""), ("Transfer-Encoding: chunked", "0\r\n\r\n"), ("X: y", "")):
            body = "b\r\n01234567890\r\n" if end else "01234567890"
            session.send(f"select * from tlsmem_get('{server.url()}')")
            connection, _ = server.request()
            connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}{end}".encode())
            state, text = session.answer()
            self.assertEqual(state, "54000", text)
            self.assertIn("the body has more than the 10 bytes of tlsmem_fetch.max_body", text)
        session.send(ANSWER.format(server.url()))
        server.play(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
        self.assertEqual(session.done(), "200|0123456789")

    def test_nobody_may_fetch_who_was_not_allowed_to(self):
        web, somebody, owner = Web(self, "https_server"), self.session("somebody"), self.session()
        url = f"https://localhost:{web.port}/text.txt"
        for call in (f"tlsmem_get('{url}')", f"tlsmem_get_all(array['{url}'])"):
            self.assertEqual(somebody.error(f"select * from {call}")[0], "42501")
        owner.ask("grant execute on function tlsmem_get, tlsmem_get_all to somebody")
        self.addCleanup(owner.ask, "revoke execute on function tlsmem_get, tlsmem_get_all from somebody")
        for file in (self.ca, "/etc/absent"):  # and is not told whether it is there
            state, text = somebody.error(f"select * from tlsmem_get('{url}', ca => '{file}')")
            self.assertEqual((state, "permission denied to name a file" in text), ("42501", True), text)
        self.assertEqual(somebody.error(f"set tlsmem_fetch.ca_file = '{self.ca}'")[0], "42501")
        self.assertEqual(somebody.error("set tlsmem_fetch.max_body = 1")[0], "42501")
        self.assertEqual(somebody.error(f"select * from tlsmem_get('{url}')")[0], "28000")  # the system knows no such authority
        owner.ask(f"alter role somebody set tlsmem_fetch.ca_file = '{self.ca}'")
        self.addCleanup(owner.ask, "alter role somebody reset tlsmem_fetch.ca_file")
        self.assertEqual(self.session("somebody").ask(f"select status from tlsmem_get('{url}')"), "200")
        early = self.session("somebody")  # before the extension is loaded, anything may be set, and is dropped then
        early.ask(f"set tlsmem_fetch.ca_file = '{self.stranger}'")
        self.assertIn("permission denied to set parameter", early.ask(f"select status from tlsmem_get('{url}')"))

    def test_authorities_that_cannot_be_read_are_named(self):
        self.refused("'https://localhost/'", "F0000", "cannot verify servers: .*/etc/absent", ca="/etc/absent")
        self.refused("'https://localhost/'", "F0000", "cannot verify servers: ", ca=certificate("server.key"))


if __name__ == "__main__":
    unittest.main()

"""https_server and h2_server as curl and Python see them: files, ranges, conditions, /echo, and no way out of the root."""

import email.utils
import http.client
import os
import time
import unittest

from support import LIMIT, WEB_SERVERS, Process, certificate, example, identity, tool, variants
from tls import client_context
from web_servers import SECRET, Web, curl, root

SERVED = ("https_server 1.1", "h2_server 1.1", "h2_server 2")
DATA = "/data.bin"
OUTSIDE = (
    "/../secret", "/sub/../../secret", "/..", "/%2e%2e/secret", "/%2e%2e%2fsecret", "/sub%2f..%2f..%2fsecret",
    "/.%2e/secret", "/outside", "/absolute", "/up/secret", "/up/root/text.txt", "//secret",
    "/..%5csecret", "/sub/..%00/../secret", "/%00", "/%zz", "/%4", "/text.txt%00.png", "/loop", "/pipe",
    "/text.txt/", "/" + "a/" * 4000, "/" + "x" * 300)


class Files:
    """One program and version of HTTP; set by the variants."""

    def setUp(self):
        program, self.http = self.served.split()
        self.server = Web(self, program)

    def get(self, target, *options, **how):
        return curl(self.server.port, target, *options, http=self.http, **how)

    def field(self, target, name):
        return self.get(target, "--head")[1][name]

    def test_a_file_comes_whole_with_its_length_and_type(self):
        for name, kind in (("data.bin", "application/octet-stream"), ("text.txt", "text/plain; charset=utf-8"),
                           ("empty.css", "text/css; charset=utf-8"), ("sub/dot.png", "image/png"),
                           ("inside", "application/octet-stream"),
                           ("sub/deep/a%20name%20%23.txt", "text/plain; charset=utf-8")):
            with self.subTest(name=name):
                content = (root() / name.replace("%20", " ").replace("%23", "#")).read_bytes()
                status, fields, body = self.get("/" + name + "?query=/../x")
                self.assertEqual(status, 200)
                self.assertTrue(body == content, f"{len(body)} bytes")
                self.assertEqual(fields["content-type"], kind)
                self.assertEqual(fields["content-length"], str(len(content)))
                email.utils.parsedate_to_datetime(fields["date"])

    def test_head_says_the_same_and_sends_nothing(self):
        status, whole, _ = self.get(DATA)
        status, fields, body = self.get(DATA, "--head", "--range", "0-9")
        self.assertEqual((status, body), (200, b""))
        del whole["date"], fields["date"]
        self.assertEqual(fields, whole)
        self.assertEqual(self.get("/nothing", "--head")[::2], (404, b""))

    def test_a_directory_is_its_index_and_wants_its_slash(self):
        index = (root() / "sub" / "index.html").read_bytes()
        self.assertEqual(self.get("/sub/")[::2], (200, index))
        self.assertEqual(self.get("/")[1]["content-type"], "text/html; charset=utf-8")
        status, fields, _ = self.get("/sub?a=b")
        self.assertEqual((status, fields["location"]), (301, "/sub/?a=b"))
        self.assertEqual(self.get("//sub")[1]["location"], "/sub/")
        self.assertEqual(self.get("/%2e/sub")[1]["location"], "/./sub/")
        self.assertEqual(self.get("/sub", "--location")[2][-len(index):], index)
        self.assertEqual(self.get("/bare/")[0], 404)

    def test_nothing_leads_out_of_the_root(self):
        for target in OUTSIDE:
            with self.subTest(target=target[:60]):
                status, _, body = self.get(target)
                self.assertIn(status, (400, 404))
                self.assertNotIn(SECRET, body)
        for prefix in ("/", "/%2f", "//"):
            self.assertEqual(self.get(prefix + str(root().parent / "secret"))[0], 404)
        self.assertEqual(self.get("/text.txt")[0], 200)

    def test_a_file_that_may_not_be_read_is_403(self):
        closed = root() / "closed"
        closed.touch(0)
        self.assertEqual(self.get("/closed")[0], 200 if os.geteuid() == 0 else 403)

    def test_one_range_is_206_and_its_bytes(self):
        data = (root() / "data.bin").read_bytes()
        for text, first, last in (("0-0", 0, 0), ("0-99", 0, 99), ("2999990-", 2999990, 2999999), ("-5", 2999995, 2999999),
                                  ("100-99999999999999999999", 100, 2999999), ("-9999999", 0, 2999999),
                                  ("7-2000006", 7, 2000006)):
            with self.subTest(range=text):
                status, fields, body = self.get(DATA, "--range", text)
                self.assertEqual(status, 206)
                self.assertEqual(fields["content-range"], f"bytes {first}-{last}/3000000")
                self.assertTrue(body == data[first:last + 1], f"{len(body)} bytes")

    def test_a_range_behind_the_end_is_416(self):
        for target, text, size in ((DATA, "3000000-", 3000000), (DATA, "-0", 3000000), ("/empty.css", "0-0", 0)):
            with self.subTest(range=text):
                status, fields, _ = self.get(target, "--range", text)
                self.assertEqual((status, fields["content-range"]), (416, f"bytes */{size}"))

    def test_other_ranges_are_the_whole_file(self):
        for text in ("bytes=5-2", "bytes=0-1,5-6", "bytes=x-", "bytes=-", "bytes=1", "bytes=1-2x", "lines=0-1", "bytes",
                     "bytes=--1"):
            with self.subTest(range=text):
                status, fields, body = self.get("/text.txt", "--header", "Range: " + text)
                self.assertEqual((status, len(body)), (200, 100))
                self.assertNotIn("content-range", fields)

    def test_if_range_asks_for_the_same_file(self):
        tag, date = self.field("/text.txt", "etag"), self.field("/text.txt", "last-modified")
        for condition, status in ((tag, 206), (date, 206), ('"other"', 200), ("W/" + tag, 200),
                                  ("Mon, 01 Jan 2001 00:00:00 GMT", 200), ("nonsense", 200)):
            with self.subTest(condition=condition):
                answer = self.get("/text.txt", "--range", "0-4", "--header", "If-Range: " + condition)
                self.assertEqual(answer[0], status)

    def test_a_file_that_the_client_has_is_304(self):
        tag, date = self.field("/text.txt", "etag"), self.field("/text.txt", "last-modified")
        moment = email.utils.parsedate_to_datetime(date).timestamp()
        older, newer = (email.utils.formatdate(moment + shift, usegmt=True) for shift in (-1, 3600))
        for field, status in ((f"If-None-Match: {tag}", 304), (f'If-None-Match: "a", W/{tag}', 304),
                              ("If-None-Match: *", 304), ('If-None-Match: "other"', 200), (f"If-Modified-Since: {date}", 304),
                              (f"If-Modified-Since: {newer}", 304), (f"If-Modified-Since: {older}", 200),
                              ("If-Modified-Since: yesterday", 200)):
            with self.subTest(field=field):
                answer, fields, body = self.get("/text.txt", "--header", field)
                self.assertEqual(answer, status)
                self.assertEqual(fields["etag"], tag)
                self.assertEqual(len(body), 0 if status == 304 else 100)
        both = self.get("/text.txt", "--header", 'If-None-Match: "other"', "--header", f"If-Modified-Since: {newer}")
        self.assertEqual(both[0], 200)  # the tag decides
        with_range = self.get("/text.txt", "--header", f"If-None-Match: {tag}", "--range", "0-4")
        self.assertEqual(with_range[0], 304)

    def test_a_file_that_changes_changes_its_tag(self):
        changing = root() / "changing.txt"
        changing.write_bytes(b"one")
        before = self.field("/changing.txt", "etag")
        changing.write_bytes(b"two")
        os.utime(changing, (time.time(), time.time() + 1))
        self.assertNotEqual(self.field("/changing.txt", "etag"), before)

    def test_the_echo_is_the_body_with_and_without_a_known_length(self):
        data = (root() / "data.bin").read_bytes()
        path = certificate(f"{self.id()}.body")
        for size in (0, 1, 65535, 65536, 65537, 1 << 20):
            for options in ((), ("--header", "Transfer-Encoding: chunked"), ("--header", "Expect: 100-continue")):
                with self.subTest(size=size, options=options), open(path, "wb") as file:
                    file.write(data[:size])
                    file.flush()
                    status, fields, body = self.get("/echo", "--data-binary", "@" + path, *options)
                    self.assertEqual(status, 200)
                    self.assertTrue(body == data[:size], f"{len(body)} bytes")
                    known = "chunked" not in str(options)
                    self.assertEqual(fields.get("content-length"), str(size) if known else None)

    def test_a_body_over_the_limit_is_413(self):
        server = Web(self, self.served.split()[0], "--body-max", "50000")
        for options in ((), ("--header", "Transfer-Encoding: chunked"), ("--header", "Expect:")):
            for target in ("/echo", "/text.txt"):
                with self.subTest(options=options, target=target):
                    body = ("--request", "POST", "--data-binary", "@" + str(root() / "data.bin"))
                    status = curl(server.port, target, *body, *options, http=self.http)[0]
                    self.assertIn(status, (413,) if target == "/echo" or options == () else (413, 405))
        self.assertEqual(curl(server.port, "/text.txt", http=self.http)[0], 200)

    def test_other_methods_are_405_and_told_what_is_allowed(self):
        for target, method, allowed in (("/text.txt", "POST", "GET, HEAD"), ("/text.txt", "DELETE", "GET, HEAD"),
                                        ("/echo", "GET", "POST"), ("/echo", "PUT", "POST"),
                                        ("/nothing", "OPTIONS", "GET, HEAD")):
            with self.subTest(target=target, method=method):
                status, fields, _ = self.get(target, "--request", method)
                self.assertEqual((status, fields["allow"]), (405, allowed))

    def test_every_request_is_a_line_of_the_log(self):
        self.get("/text.txt")
        self.get('/"nothing"', "--range", "0-3")
        self.get("/text.txt", "--range", "0-3")
        self.get("/text.txt", "--head")
        version = "HTTP/2.0" if self.http == "2" else "HTTP/1.1"
        self.assertEqual(self.server.logged(4), [
            (f"GET /text.txt {version}", "200", "100"), (f"GET /\\x22nothing\\x22 {version}", "404", "14"),
            (f"GET /text.txt {version}", "206", "4"), (f"HEAD /text.txt {version}", "200", "-")])


class Others(unittest.TestCase):
    def test_python_sends_many_requests_on_one_connection(self):
        server = Web(self, "https_server", "--threads", "2", "--stats")
        client = http.client.HTTPSConnection("localhost", server.port, timeout=LIMIT, context=client_context())
        self.addCleanup(client.close)
        for number in range(50):
            body = bytes([number]) * number * 1000
            pieces = number % 2 == 0
            client.request("POST", "/echo", iter([body[:5], body[5:]]) if pieces else body, encode_chunked=pieces)
            answer = client.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, body))
        client.close()
        server.stdout.wait_for(r"^protocol=.* alpn=- .*\n")
        self.assertEqual(server.stdout.text.count("protocol="), 1)

    def test_without_a_root_there_is_only_the_echo(self):
        for name in WEB_SERVERS:
            with self.subTest(name=name):
                server = Process(self, example(name), "--port", "0", *identity())
                port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
                self.assertEqual(curl(port, "/")[0], 404)
                self.assertEqual(curl(port, "/etc/passwd")[0], 404)
                self.assertEqual(curl(port, "/echo", "--data", "x")[2], b"x")

    def test_where_the_kernel_has_no_openat2_nothing_leads_out_of_the_root_either(self):
        server = Process(
            self, tool("strace", "strace"), "-D", "-f", "-o", "/dev/null", "-e", "trace=openat2",
            "-e", "inject=openat2:error=ENOSYS", example("https_server"), "--port", "0", "--root", root(), *identity())
        port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
        for target in (*OUTSIDE, "/inside", "/up/", "/up/root"):  # nor over any symbolic link
            with self.subTest(target=target[:60]):
                self.assertIn(curl(port, target)[0], (400, 404))
        for target in ("/", "/text.txt", "/sub/", "/sub//./deep/a%20name%20%23.txt"):
            self.assertEqual(curl(port, target)[0], 200)
        self.assertEqual(curl(port, "/sub")[0], 301)

    def test_the_log_is_appended_to(self):
        path = certificate("access.log")
        for number in (1, 2):
            server = Process(self, example("https_server"), "--port", "0", "--log", path, *identity())
            port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
            curl(port, f"/{number}")
            server.end()
        with open(path) as log:
            self.assertRegex(log.read(), r'\A.* "GET /1 HTTP/1.1" 404 14\n.* "GET /2 HTTP/1.1" 404 14\n\Z')

    def test_what_cannot_be_opened_or_is_out_of_range_is_code_1_and_a_sentence(self):
        for name in WEB_SERVERS:
            for options in (["--root", "/no/such/folder"], ["--root", certificate("server.pem")], ["--log", "/no/such/file"],
                            ["--threads", "0"], ["--threads", "257"], ["--timeout", "0"], ["--head-max", "1"],
                            ["--inherited"], []):
                with self.subTest(name=name, options=options):
                    program = Process(self, example(name), "--port", "0", *(identity() if options else []), *options)
                    self.assertEqual(program.exit_code(), 1)
                    self.assertRegex(program.stderr.text, rf"\A{name}: .+\n\Z")
                    self.assertEqual(program.stdout.text, "")


variants(globals(), Files, served=SERVED)

if __name__ == "__main__":
    unittest.main()

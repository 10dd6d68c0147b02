"""tlsmem_fetch in PostgreSQL: a name that has several addresses, in a network of the test's own."""

import unittest

from fetching import FetchTest, Host
from namespace import Network, in_namespace


class Names(FetchTest):
    @in_namespace
    def test_an_address_that_refuses_is_not_the_last(self):
        dead = [f"fd00::{i}" for i in range(1, 6)]
        hosts = "".join(f"{address} dead.example\n" for address in dead) + "".join(f"{a} far.example\n" for a in dead)
        Network(self, hosts=f"::1 localhost\n127.0.0.1 localhost\n{hosts}127.0.0.1 far.example\n",
                addresses=[f"{address}/128" for address in dead])
        self.host = Host(self)
        server, session = self.serve(), self.session()
        before = session.descriptors()
        session.send(f"select convert_from(body, 'UTF8') from tlsmem_get('{server.url()}')")
        server.play(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")  # on 127.0.0.1, and nobody is on ::1
        self.assertEqual(session.done(), "ok")
        for name in ("dead", "far"):  # where the first four do not answer, the others are not asked
            state, text = session.error(f"select * from tlsmem_get('https://{name}.example:{server.port}/')")
            self.assertEqual((state, "cannot connect: Connection refused" in text), ("08001", True), text)
        self.assertEqual(session.descriptors(), before)


if __name__ == "__main__":
    unittest.main()

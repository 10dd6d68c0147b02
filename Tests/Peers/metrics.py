"""The numbers that https_server --metrics gives, read by Prometheus's own parser."""

import http.client
import sys
import time

from support import LIMIT
from tls import client_context

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:  # Debian's, for another Python than Debian's: it is the same text
    sys.path.append("/usr/lib/python3/dist-packages")
    from prometheus_client.parser import text_string_to_metric_families


class Numbers:
    """One text, as the parser sees it."""

    def __init__(self, text):
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        samples = [sample for family in self.families.values() for sample in family.samples]
        self.values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
        if len(self.values) != len(samples):
            raise AssertionError("a sample stands there twice")

    def __call__(self, name, **labels):
        return self.values["tlsmem_" + name, frozenset({"role": "server", **labels}.items())]

    def handshakes(self, version, resumed):
        return self("handshakes_total", version=f"TLSv{version}", resumed=str(resumed).lower())

    def ends(self):
        """Those of which there are some."""
        return {sample.labels["status"]: sample.value for sample in self.families["tlsmem_ends"].samples if sample.value}

    def buckets(self):
        return [(sample.labels["le"], sample.value) for sample in self.families["tlsmem_handshake_duration_seconds"].samples
                if sample.name.endswith("_bucket")]


class Scraper:
    """One connection that asks again and again, of TLS 1.3: it is one of those that it counts."""

    def __init__(self, test, port):
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=LIMIT, context=client_context("1.3"))
        test.addCleanup(self.connection.close)

    def request(self, method="GET", path="/metrics"):
        self.connection.request(method, path)
        answer = self.connection.getresponse()
        return answer, answer.read()

    def __call__(self):
        answer, body = self.request()
        if answer.status != 200:
            raise AssertionError(f"{answer.status} {answer.reason}")
        return Numbers(body.decode("utf-8"))

    def until(self, condition):
        """Asks until it is so: what a client has done, its server counts when it hears of it."""
        end = time.monotonic() + LIMIT
        while not condition(numbers := self()):
            if time.monotonic() > end:
                raise AssertionError(f"that did not come: {numbers.values}")
        return numbers

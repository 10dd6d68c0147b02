"""No setting is forgotten: each setter of the header is a word of settings.c, and each word stands in a row."""

import importlib
import re
import unittest

from settings import told
from settings_peers import SOURCES, Ours, words
from support import HERE

HEADER = HERE.parent.parent / "include/tlsmem.h"
# A setter's name with what it is given; not where a comment speaks of it.
DECLARED = re.compile(r"^int (tlsmem_ctx_(?:set|add|insecure|request|require)_\w+)\(", re.MULTILINE)
USED = re.compile(r"\b(tlsmem_ctx_(?:set|add|insecure|request|require)_\w+)\b")
# Not a word, but held against others' servers and clients by these.
ELSEWHERE = {
    "tlsmem_ctx_set_sign_cb": "examples-c/remote_key.c",            # test_remote_key.py
    "tlsmem_ctx_set_client_cert_cb": "Tests/Peers/choosing.c",      # test_choosing.py
    "tlsmem_ctx_set_session_callbacks": "examples-c/fleet_redis.c", # test_fleet_store.py
    "tlsmem_ctx_set_ticket_key_cb": "Tests/Conformance/fleet_asked.c", # whose ticket it is no client knows
    "tlsmem_ctx_set_early_data": "examples-c/settings.c",           # test_early_data.py
    "tlsmem_ctx_set_key_update": "examples-c/settings.c",           # test_mid_stream.py
}
WORD = re.compile(r'^    (?:\{ "(\w+)", \.|LIMIT\((\w+)\))', re.MULTILINE)


def used_words():
    """Returns the words of all rows, with those that an identity is made of and those inside other words."""
    for path in HERE.glob("test_settings_*.py"):
        for row in importlib.import_module(path.stem).ROWS:
            for side in ("server", "client"):
                for version in row.versions:
                    wanted = told(side, row, version)
                    for name, value in wanted.items():
                        yield from Ours.IDENTITIES.get(name, [name])
                        yield from words(value.partition("ctx:")[2])
    yield from ("host", "port")  # of the program, which settings_peers says


class Words(unittest.TestCase):
    def test_each_setter_is_a_word(self):
        source = "".join((HERE / name).read_text(encoding="utf-8") for name in SOURCES)
        declared = set(DECLARED.findall(HEADER.read_text(encoding="utf-8")))
        self.assertGreater(len(declared), 40, "the header is not where it was, or looks otherwise")
        self.assertEqual(declared - set(USED.findall(source)), set(ELSEWHERE))
        for setter, path in ELSEWHERE.items():
            self.assertIn(setter + "(", (HERE.parent.parent / path).read_text(encoding="utf-8"))

    def test_each_word_stands_in_a_row(self):
        source = (HERE / "settings_words.c").read_text(encoding="utf-8")
        table = {word or limit for word, limit in WORD.findall(source)}
        self.assertGreater(len(table), 40, "the table is not where it was, or looks otherwise")
        self.assertEqual(table - set(used_words()), set())


if __name__ == "__main__":
    unittest.main()

"""Runs tests of CPython's own for asyncio over TLS, over Python's ssl or over tlsmem:

    cpython.py ssl|tlsmem PATTERN...      a module or class of test.test_asyncio, and :SUBSTRINGS of names, if not all

Its last line is a summary: how many tests, failures and connections there were, and what asyncio reported as an error.
"""

import logging
import sys
import unittest

import over_tlsmem


class Reported(logging.Handler):
    """What asyncio logs as an error, and no test looks at: that a protocol's method has raised, for one."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage().splitlines()[0])


def chosen(pattern):
    name, _, substrings = pattern.partition(":")
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in substrings.split(",")] if substrings else None
    return loader.loadTestsFromName(f"test.test_asyncio.{name}")


def main(over, *patterns):
    if over == "tlsmem":
        over_tlsmem.install()
    reported = Reported()
    logging.getLogger("asyncio").addHandler(reported)
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(map(chosen, patterns)))
    failed = len(result.failures) + len(result.errors)
    print(f"tests {result.testsRun} failed {failed} skipped {len(result.skipped)} drivers {over_tlsmem.drivers} "
          f"reported {reported.messages}")


if __name__ == "__main__":
    main(*sys.argv[1:])

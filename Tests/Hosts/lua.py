"""The Lua module in Debian's interpreter: scripts of the examples, and those of the folder lua."""

import pathlib

from support import BUILD, LIMIT, Process, certificates, tool

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples-c" / "lua"
MODULE = BUILD / "examples" / "lua" / "tlsmem.so"


class Script(Process):
    """A script under lua5.4; `before` is what runs the interpreter, and `options` are its own."""

    def __init__(self, test, path, *arguments, before=(), options=()):
        if not MODULE.exists():
            raise AssertionError(f"{MODULE} is missing: run `make examples` with liblua5.4-dev installed")
        super().__init__(test, "env", f"LUA_CPATH={MODULE.parent}/?.so", f"LUA_PATH={HERE}/lua/?.lua", *before,
                         tool("lua5.4", "lua5.4"), *options, path, *arguments)

    def ends(self, code=0, timeout=LIMIT):
        """Waits for the end, which has to have this exit code, and returns the lines of the standard output."""
        ended = self.exit_code(timeout)
        if ended != code:
            raise AssertionError(f"it has ended with {ended}, not {code}: {self.stdout.text[-2000:]}{self.stderr.text}")
        return self.stdout.text.splitlines()


def example(test, name, *arguments, **more):
    """Starts a script of the examples."""
    return Script(test, EXAMPLES / name, *arguments, **more)


def script(test, name, *arguments, **more):
    """Starts a script of the folder lua, which is told where the certificates are."""
    return Script(test, HERE / "lua" / name, certificates(), *arguments, **more)

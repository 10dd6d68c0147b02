"""Commands of gdb for programs with libtlsmem: what tlsmem_explain says of their connections and loops, and its probes.

    tlsmem-explain [-p PID] [EXPRESSION]    one connection, or every loop of the process and all that is in it
    tlsmem-watch [off]                      a line for each handshake, limit and end, while the process goes on
    info probes stap libtlsmem              gdb's own: where the probes are; tools/tlsmem.bt says what they have

gdb loads this by itself with an installed library; else: source tlsmem_gdb.py. It needs no debug information.
"""

import contextlib
import os
import re
import signal
import subprocess

import gdb

LIMIT = 5  # seconds for what has to happen in the process
ROOM = 4096  # bytes: more than any paragraph needs
ARGUMENT = {"i386:x86-64": "$rdi", "aarch64": "$x0"}  # where a function's first one is, as it begins
STATUS = (
    "OK AGAIN CLOSED EINVAL ESTATE ENOMEM ESYSTEM ECONFIG ENAME ENOTRUST ENOIDENTITY ELIMIT ETIMEOUT EABORTED ERESET"
    " ETRUNCATED EHANDSHAKEEOF ENOTTLS EPROTOCOL EALERT EVERSION ECIPHER EALPN EVERIFY EHOST EEXPIRED ENOCERT EREJECTED"
    " EINTERNAL ERESOLVE ECONNECT ESESSION EPIN EREFUSED LATER EOCSP EPSK ESIGN").split()


def status_name(status):
    """Returns the name of a status of tlsmem.h, or its number."""
    return "TLSMEM_" + STATUS[-status] if -len(STATUS) < status <= 0 else str(status)


def address_of(name):
    """Returns where a function is, with no more than its symbol."""
    try:
        return int(gdb.parse_and_eval(f"(unsigned long) &'{name}'"))
    except gdb.error:
        raise gdb.GdbError(f"tlsmem: there is no {name} here: the program has no libtlsmem, an old one, or one whose symbols"
                           " are stripped") from None


def probe_addresses(*names):
    """Returns where these probes are, by name. Notes about code that the linker has dropped stay, and lead to no code."""
    sections = re.findall(r"(0x\w+) - (0x\w+) is \.text", gdb.execute("info files", to_string=True))
    code = [range(int(start, 16), int(end, 16)) for start, end in sections]
    table = gdb.execute("info probes stap libtlsmem", to_string=True)
    probes = [(name, int(at, 16)) for name, at in re.findall(r"^stap +libtlsmem +(\w+) +(0x\w+)", table, re.MULTILINE)]
    found = {name: [at for kind, at in probes if kind == name and any(at in text for text in code)] for name in names}
    if not any(found.values()):
        raise gdb.GdbError("tlsmem: gdb finds no probes of libtlsmem: the program has none loaded, or one that was built"
                           " without <sys/sdt.h> (Debian: systemtap-sdt-dev); `info probes stap libtlsmem` lists them")
    return found


def require_process():
    """Refuses where no function can be called."""
    if not gdb.selected_inferior().pid:
        raise gdb.GdbError("tlsmem: no process: attach to one (gdb -p PID), or start one")
    kind = gdb.selected_inferior().connection.type
    if kind == "core":
        raise gdb.GdbError("tlsmem: a core file: what it has to say has to run; `info probes stap libtlsmem` works")
    if kind != "native":
        raise gdb.GdbError(f"tlsmem: the process is not one of this machine, but of gdb's target \"{kind}\"")
    if not gdb.selected_thread() or not gdb.selected_thread().is_stopped():
        raise gdb.GdbError("tlsmem: the process runs: interrupt it first")


@contextlib.contextmanager
def hushed():
    """What gdb prints of each stop goes past to_string."""
    gdb.flush()
    before = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        gdb.flush()
        os.dup2(before, 1)
        os.close(before)


@contextlib.contextmanager
def limited():
    """Stops the process when something in it takes too long. By SIGSTOP, which nothing in it can block or read, and which gdb
    keeps from it, from then on. gdb's own way would be SIGINT, at which a server may well end."""
    gdb.execute("handle SIGSTOP stop print nopass", to_string=True)
    alarm = subprocess.Popen(["sh", "-c", f"sleep {LIMIT}; kill -STOP {gdb.selected_inferior().pid}"], start_new_session=True)
    try:
        with hushed():
            yield
    finally:
        if alarm.poll() is None:
            os.killpg(alarm.pid, signal.SIGKILL)
        alarm.wait()
        if gdb.selected_inferior().pid:
            take_back(gdb.selected_inferior().pid)


def take_back(pid):
    """A SIGSTOP that came too late, and that gdb has not seen, would stop the process once gdb has left it."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        pending = next(int(line.split()[1], 16) for line in status if line.startswith("ShdPnd:"))
    if pending >> signal.SIGSTOP - 1 & 1:
        gdb.execute("handle SIGCONT nostop noprint pass", to_string=True)
        os.kill(pid, signal.SIGCONT)


def call(expression):
    """Has the process evaluate it, whatever happens there."""
    with gdb.with_parameter("unwindonsignal", True), limited():
        try:
            return int(gdb.parse_and_eval(expression))
        except gdb.error as error:
            raise gdb.GdbError("tlsmem: the call did not return: " + str(error).splitlines()[0]) from None


def text_at(value):
    return gdb.Value(value).cast(gdb.lookup_type("char").pointer()).string("utf-8", "replace")


class Passed(gdb.Breakpoint):
    def __init__(self, address):
        super().__init__(f"*{address:#x}", internal=True)
        self.silent = True


class Paragraphs(Passed):
    """At a function that the library has anyway, and that takes nothing: given as callback, it is told each paragraph."""
    FUNCTION = "tlsmem_version"

    def __init__(self):
        self._argument = ARGUMENT.get(gdb.selected_frame().architecture().name())
        if not self._argument:
            raise gdb.GdbError("tlsmem: where arguments are is known of x86-64 and AArch64 only: give an address")
        super().__init__(address_of(self.FUNCTION))
        self.thread = gdb.selected_thread().global_num
        self.found = []

    def stop(self):
        self.found.append(text_at(gdb.parse_and_eval(self._argument)))
        return False


class Turn(Passed):
    """At a probe `turn`: stops for each loop once."""

    def __init__(self, address, seen):
        super().__init__(address)
        self._seen = seen

    def stop(self):
        return int(gdb.parse_and_eval("$_probe_arg0")) not in self._seen


def threads_in_loops():
    """Returns the threads that are inside the library, as far as their frames can be told: most of the time in epoll_wait."""
    library = gdb.solib_name(address_of("tlsmem_loop_explain"))
    before, found = gdb.selected_thread(), set()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        with contextlib.suppress(gdb.error):
            frame, depth = gdb.newest_frame(), 0
            while frame and depth < 8 and gdb.solib_name(frame.pc()) != library:
                frame, depth = frame.older(), depth + 1
            if frame and depth < 8:
                found.add(thread.num)
    before.switch()
    return found


def explain_loop(loop, turns):
    """Asks the selected thread, which is about to wait in this loop. Others turn meanwhile, and are not to stop."""
    heard = Paragraphs()
    try:
        for turn in turns:
            turn.enabled = False
        call(f"((long (*)(void *, void *, void *)) {address_of('tlsmem_loop_explain'):#x})"
             f"((void *) {loop:#x}, (void *) {address_of(Paragraphs.FUNCTION):#x}, (void *) 0)")
    finally:
        heard.delete()
        for turn in turns:
            turn.enabled = True
    gdb.write("".join(paragraph + "\n" for paragraph in heard.found))


def explain_loops():
    """Lets the process run until every thread that is in a loop has come to its next turn: being interrupted is one."""
    awaited, seen = threads_in_loops(), set()
    addresses = probe_addresses("turn")["turn"]
    turns = [Turn(address, seen) for address in addresses]
    try:
        while awaited or not seen:
            with limited():
                gdb.execute("continue", to_string=True)
            thread = gdb.selected_thread()
            if not thread:
                raise gdb.GdbError("tlsmem: the process has ended meanwhile")
            if gdb.selected_frame().pc() not in addresses:
                break
            seen.add(loop := int(gdb.parse_and_eval("$_probe_arg0")))
            explain_loop(loop, turns)
            awaited.discard(thread.num)
    finally:
        for turn in turns:
            turn.delete()
    if awaited or not seen:
        which = f"thread {', '.join(map(str, sorted(awaited)))} has not" if awaited else "no thread has"
        raise gdb.GdbError(f"tlsmem: {which} come to a turn of a loop within {LIMIT} seconds, or something else has stopped the"
                           " process; `thread apply all backtrace` says where it is")


def explain_connection(expression):
    """Asks the selected thread, wherever it stands."""
    function = address_of("tlsmem_explain")
    c = int(gdb.parse_and_eval(expression)) & (1 << 64) - 1
    try:
        kind = int(gdb.Value(c).cast(gdb.lookup_type("unsigned long").pointer()).dereference())
    except gdb.error:
        raise gdb.GdbError(f"tlsmem: {c:#x} is no address of the process's memory") from None
    if gdb.solib_name(kind) != gdb.solib_name(function):
        raise gdb.GdbError(f"tlsmem: at {c:#x} there is no tlsmem")
    room = call(f"((void *(*)(unsigned long)) {address_of('malloc'):#x})({ROOM})")
    if not room:
        raise gdb.GdbError("tlsmem: the process has no memory left")
    try:
        count = call(f"((long (*)(const void *, char *, unsigned long)) {function:#x})"
                     f"((void *) {c:#x}, (char *) {room:#x}, {ROOM})")
        if count < 0:
            raise gdb.GdbError(f"tlsmem: tlsmem_explain returned {status_name(count)}")
        gdb.write(text_at(room) + "\n")
    finally:
        call(f"((int (*)(void *)) {address_of('free'):#x})((void *) {room:#x}), 0")


class Explain(gdb.Command):
    """Say in words how connections stand: tlsmem-explain [-p PID] [EXPRESSION]

EXPRESSION is the address of a tlsmem: tlsmem_explain is called where the selected thread stands, which should be the
connection's own. Without one, the process goes on until each of its loops turns, and tells of all that is in it; a thread that
is not in a loop is left alone. With -p, gdb attaches before, and detaches after. $tlsmem_failed is 0 when all was said."""

    def invoke(self, argument, from_tty):
        gdb.set_convenience_variable("tlsmem_failed", 1)
        words = argument.split(None, 2)
        if words[:1] == ["-p"]:
            if len(words) < 2 or not words[1].isdigit():
                raise gdb.GdbError("usage: tlsmem-explain [-p PID] [EXPRESSION]")
            self._explain_process(words[1], "".join(words[2:]))
        else:
            require_process()
            self._explain(argument)
        gdb.set_convenience_variable("tlsmem_failed", 0)

    @staticmethod
    def _explain(expression):
        with gdb.with_parameter("pagination", False):
            explain_connection(expression) if expression else explain_loops()

    def _explain_process(self, pid, expression):
        # Its signals are its own, but for what a call may cause.
        gdb.execute("handle all nostop noprint pass", to_string=True)
        gdb.execute("handle SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT stop print pass", to_string=True)
        try:
            with hushed():
                gdb.execute(f"attach {pid}", to_string=True)
        except gdb.error as error:
            raise gdb.GdbError(f"tlsmem: cannot attach to process {pid}: {error}") from None
        try:
            self._explain(expression)
        finally:
            if gdb.selected_inferior().pid:
                gdb.execute("detach", to_string=True)


class Watched(Passed):
    """At a probe: prints a line, and goes on."""
    all = []

    def __init__(self, name, address):
        super().__init__(address)
        self._name = name
        Watched.all.append(self)

    def stop(self):
        c, *rest = (gdb.parse_and_eval(f"$_probe_arg{index}") for index in range(int(gdb.parse_and_eval("$_probe_argc"))))
        gdb.write(f"{int(c):#x} {self._told(*rest)}\n")
        gdb.flush()
        return False

    def _told(self, what, *counts):
        if self._name == "limit":
            return f"limit reached: {text_at(what)}"
        if self._name == "close":
            return f"ended: {status_name(int(what))}, {int(counts[0])} bytes received, {int(counts[1])} sent"
        return f"handshake: {status_name(int(what))}" + (f" after {int(counts[0])} ms" if int(counts[0]) >= 0 else "")


class Watch(gdb.Command):
    """Print a line at each end of a handshake, limit, and end of a connection, and let the process go on: tlsmem-watch [off]

`continue` after it. What it has set is gone after `tlsmem-watch off`, or when gdb detaches."""

    def invoke(self, argument, from_tty):
        if argument not in ("", "off"):
            raise gdb.GdbError("usage: tlsmem-watch [off]")
        for breakpoint in filter(gdb.Breakpoint.is_valid, Watched.all):
            breakpoint.delete()
        Watched.all.clear()
        if not argument:
            require_process()
            for name, addresses in probe_addresses("handshake__end", "limit", "close").items():
                for address in addresses:
                    Watched(name, address)


Explain("tlsmem-explain", gdb.COMMAND_STATUS, gdb.COMPLETE_EXPRESSION)
Watch("tlsmem-watch", gdb.COMMAND_STATUS)

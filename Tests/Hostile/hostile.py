#!/usr/bin/env python3
"""Attacks libtlsmem, one row for each attack, role, version and face; and OpenSSL's own programs beside it.

    hostile.py TARGET [--short] [--only WORD] [--learn]

Each row says who was attacked, what came of it, and what it cost. --short leaves out faces, in turn, and OpenSSL.
"""

import argparse
import contextlib
import sys
import traceback

from tlslite.errors import BaseTLSException

import attacks
import crowds
import sweeps
from attack import DECODE_ERROR, FACES, SAME, pick
from attacker import Attacker, Refused
from targets import HonestServer, OpenSSL, Target

GONE = ("EHANDSHAKEEOF", "ETRUNCATED")  # what it ends with when the peer just goes


class Cleanup(contextlib.ExitStack):
    """What support.Process takes for a test."""

    def addCleanup(self, function, *arguments):
        self.callback(function, *arguments)


class Run:
    def __init__(self, path, stack):
        self.path, self.stack, self.targets = path, stack, {}
        self.honest_server = HonestServer()
        self.passed = self.failed = 0

    def target(self, role, face, options):
        """Returns the target of that kind, which is started when it is first needed."""
        key = role, face, options
        if key not in self.targets:
            self.targets[key] = Target(self.stack, self.path, role, face, options, self.honest_server)
        return self.targets[key]

    def attack(self, attack, role, version, face):
        """Attacks our target, and returns its row: what it said, and what is wrong with that."""
        target = self.target(role, face, attack.options)
        start = target.said()
        plain, name = target.connection(attack.window)
        with contextlib.closing(plain):
            a = assault(attack, plain, role, version)
            troubles = [target.honest()]
            let_go(a, pick(attack.code, role, version) in GONE)
            if not a.silent:
                plain.close()  # the target, which has said its last word, waits for that
            end = target.ended(name, start)
        troubles.append(target.honest())
        troubles += judge(attack, a, end, role, version)
        return end, a, [trouble for trouble in troubles if trouble]

    def count(self, troubles, shown):
        """Counts a row, and prints it."""
        self.passed, self.failed = self.passed + (not troubles), self.failed + bool(troubles)
        print(shown, flush=True)
        for trouble in troubles[:10]:
            print(f"FAIL: {shown.rpartition('  ')[2]}, {' '.join(shown.split()[:3])}: {trouble}", flush=True)

    def show(self, attack, role, version, face, theirs):
        try:
            end, a, troubles = self.attack(attack, role, version, face)
        except (AssertionError, OSError) as error:  # it said nothing in time: it may be gone
            self.targets.pop((role, face, attack.options), None)
            end, a, troubles = None, None, [f"{type(error).__name__}: {error}"]
        self.count(troubles, row(attack, role, version, face, end, theirs))
        if troubles and end:
            print(f"      it said: {end['reason']}; we: {a.note or 'nothing'}", flush=True)


def assault(attack, plain, role, version, echoes=True):
    """Does what the attack is; returns the attacker. That the target ends it in the middle is nothing special."""
    a = Attacker(plain, role, version)
    a.echoes, a.note = echoes, ""
    try:
        attack.script(a)
    except (BaseTLSException, Refused, OSError) as error:
        a.note = f"{type(error).__name__} {error}".strip()
        alert = getattr(error, "description", None)
        if alert is not None:
            a.alerts.append((error.level, alert))
    except Exception:  # tlslite is not made for all that it meets here
        a.note = traceback.format_exc().splitlines()[-1]
    return a


def let_go(a, goes):
    """Hears how it ends. Where the target would not end it, we go."""
    if goes:
        with contextlib.suppress(OSError):
            a.fin()
    if not a.silent:
        a.hear()


def judge(attack, a, end, role, version):
    """Returns what is wrong with an end."""
    alert, code = pick(attack.alert, role, version), pick(attack.code, role, version)
    sent = end["alert_sent"] if end["alert_sent"] >= 0 else None
    fatal = [description for level, description in a.alerts if level == 2]
    if end["status"] != "TLSMEM_" + code:
        yield f"it ended with {end['status']}, not {code}"
    if sent != alert:
        yield f"it sent alert {sent}, not {alert}"
    if fatal and fatal[0] != sent:
        yield f"alert {fatal[0]} arrived"
    if not fatal and alert is not None and not a.opaque and not a.silent and a.ending != "reset":
        yield "no alert arrived"
    if a.ending == "silence":
        yield "it did not end"
    if end["heap"] > attack.heap:
        yield f"the process grew by {end['heap']} bytes, more than {attack.heap}"
    if max(end["outgoing"], end["deferred"]) > attack.queued:
        yield f"{end['outgoing']} and {end['deferred']} bytes waited to be sent, more than {attack.queued}"
    if end["cpu"] > attack.cpu * 1e6:
        yield f"it took {end['cpu'] / 1e6} processor seconds, more than {attack.cpu}"


def against_openssl(attack, role, version):
    """Returns the alert that OpenSSL's own program gives, and what is wrong with that."""
    expected = pick(attack.alert if attack.openssl is SAME else attack.openssl, role, version)
    with Cleanup() as stack:
        try:
            program = OpenSSL(stack, role)
            with contextlib.closing(program.connection()) as plain:
                let_go(assault(attack, plain, role, version, echoes=False), expected is None)
            alert = program.alert()
        except (AssertionError, OSError) as error:
            return None, f"{type(error).__name__}: {error}"
    # To who has gone without a word OpenSSL sends decode_error; the library sends nothing there any more.
    good = alert == expected or (expected is None and alert == DECODE_ERROR)
    return alert, None if good else f"OpenSSL sends alert {alert}, not {expected}"


def shown(alert):
    return "-" if alert is None or alert < 0 else str(alert)


def row(attack, role, version, face, end, theirs):
    if end is None:
        return f"{role:6} {version} {face:8} -  {attack.group}: {attack.name}"
    return (f"{role:6} {version} {face:8} {end['status'][7:]:13} {shown(end['alert_sent']):>4} {theirs:>7} "
            f"{end['heap'] / 1000:6.0f} KB {max(end['outgoing'], end['deferred']) / 1000:6.0f} KB {end['cpu'] / 1000:7.1f} ms  "
            f"{attack.group}: {attack.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target")
    parser.add_argument("--short", action="store_true", help="one face for each row, in turn, and no OpenSSL")
    parser.add_argument("--only", default="", help="attacks with this in their group and name")
    choice = parser.parse_args()
    rows = [attack for attack in attacks.EVERYTHING if choice.only in f"{attack.group}: {attack.name}"]
    cases = [(attack, role, version) for attack in rows for role in attack.targets for version in attack.versions]
    print("target     face     ends with     alert OpenSSL    grew    queued  processor  attack")
    with Cleanup() as stack:
        run = Run(choice.target, stack)
        for number, (attack, role, version) in enumerate(cases):
            theirs, faces = "", FACES
            if choice.short:
                faces = FACES[number % 3:number % 3 + 1]
            else:
                alert, trouble = against_openssl(attack, role, version)
                theirs = shown(alert)
                run.passed, run.failed = run.passed + (not trouble), run.failed + bool(trouble)
                if trouble:
                    print(f"FAIL: {attack.name}, {role} {version}: {trouble}")
            for face in faces:
                run.show(attack, role, version, face, theirs)
        for theme in sweeps, crowds:
            theme.rows(run, choice.short, choice.only)
    print(f"hostile: {run.passed} passed, {run.failed} failed")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())

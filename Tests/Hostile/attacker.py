"""A TLS peer that does what it should until it is told otherwise: tlslite-ng, whose messages can be changed on their way."""

import os
import pathlib
import socket
import time

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.constants import ContentType
from tlslite.errors import BaseTLSException, TLSAbruptCloseError
from tlslite.messages import Message

from support import LIMIT, certificate

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
SERVER, CLIENT = "server", "client"
PATIENCE = float(os.environ.get("HOSTILE_SECONDS", LIMIT))  # how long the target may be silent


class Refused(Exception):
    """tlslite does not want to go on by itself: what it would say of that is not sent."""


def header(kind, length, version=0x0303):
    """Returns the header of a record, whether or not it tells the truth."""
    return bytes([kind]) + version.to_bytes(2, "big") + length.to_bytes(2, "big")


def record(kind, body, version=0x0303):
    return header(kind, len(body), version) + bytes(body)


class Attacker(TLSConnection):
    """One connection to the target. `target` is the target's role, so the attacker's is the other one."""

    def __init__(self, plain, target, version):
        super().__init__(plain)
        plain.settimeout(PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.plain, self.target, self.tls = plain, target, version
        self.closeSocket = False
        self.changes = {}     # message name: function that is given the attacker and the message, and returns records
        self.sent = {}        # message name: the last one of them
        self.alerts = []      # what the target has said, as (level, description)
        self.heard = b""      # its plaintext
        self.updates = 0      # KeyUpdates that it has sent
        self.opaque = 0       # records of it that cannot be read
        self.ending = None    # "end of file", "reset" or "silence"
        self.handshaken = False
        self.echoes = True    # the target sends back what it is sent
        self.silent = False   # it is not to read, to the very end

    # ---- tlslite's own ways, changed

    def _sendMsg(self, msg, randomizeFirstBlock=True, update_hashes=True):
        name, data = type(msg).__name__, bytes(msg.write())
        self.sent[name] = data
        change = self.changes.pop(name, None)
        records = change(self, data) if change else [(msg.contentType, data)]
        if update_hashes:  # a HelloRequest counts for nothing (RFC 5246, 7.4.1.1)
            self._handshake_hash.update(b"".join(body for kind, body in records if kind == HANDSHAKE and body != bytes(4)))
        for kind, body in records:
            self.send_record(kind, body)
        yield from ()

    def _queue_message(self, msg):
        for _ in self._sendMsg(msg):
            pass

    def _queue_flush(self):
        yield from ()

    def _sendError(self, alertDescription, errorStr=None):
        raise Refused(f"{alertDescription} {errorStr}")

    def _shutdown(self, resumable):
        self.closed = True  # its keys stay, to read what comes

    # ---- what an attack is made of

    def handshake(self):
        """The whole handshake, in either role."""
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 3) if self.tls == "1.2" else (3, 4)
        settings.keyShares = ["x25519"]
        if self.target == SERVER:
            self.handshakeClientCert(settings=settings, serverName="localhost", alpn=[b"http/1.1"])
        else:
            chain, key = identity()
            self.handshakeServer(certChain=chain, privateKey=key, settings=settings, alpn=[b"http/1.1"])
        self.handshaken = True

    def send_record(self, kind, body):
        """Sends one record, encrypted once there are keys."""
        for _ in self._recordLayer.sendRecord(Message(kind, bytearray(body))):
            pass

    def send_plain(self, data):
        """Sends bytes as they are."""
        self.sock.flush()
        self.plain.sendall(data)

    def read_record(self):
        """Returns type and content of the target's next record."""
        for result in self._recordLayer.recvRecord():
            if result not in (0, 1):
                head, parser = result
                return head.type, bytes(parser.bytes)
        raise TLSAbruptCloseError()

    def key_update(self, answer=0):
        """Changes the key that we send with, and has the target change its own for answer 1."""
        self.send_record(HANDSHAKE, bytes([24, 0, 0, 1, answer]))
        self.session.cl_app_secret, self.session.sr_app_secret = self._recordLayer.calcTLS1_3KeyUpdate_reciever(
            self.session.cipherSuite, self.session.cl_app_secret, self.session.sr_app_secret)

    def hear(self, until=None):
        """Listens to the end, or until this was said."""
        while self.ending is None and not (until and until in self.heard):
            try:
                kind, body = self.read_record()
            except TLSAbruptCloseError:
                self.ending = "end of file"
            except (ConnectionError, BrokenPipeError):
                self.ending = "reset"
            except (TimeoutError, socket.timeout):
                self.ending = "silence"
            except BaseTLSException:
                self.opaque += 1
            else:
                self.take(kind, body)

    def take(self, kind, body):
        if kind == ALERT and len(body) == 2:
            self.alerts.append(tuple(body))
        elif kind == DATA and self._recordLayer._readState.encContext is None:
            self.opaque += 1  # encrypted for somebody who has keys
        elif kind == DATA:
            self.heard += body
        elif kind == HANDSHAKE and self.handshaken and body[0] == 24:
            self.updates += 1
            self.session.cl_app_secret, self.session.sr_app_secret = self._recordLayer.calcTLS1_3KeyUpdate_sender(
                self.session.cipherSuite, self.session.cl_app_secret, self.session.sr_app_secret)

    def leave(self):
        """Shows that the target is well: it echoes, and closes as it should."""
        word = os.urandom(8).hex().encode()
        self.send_record(DATA, word)
        if self.echoes:
            self.hear(word)
        self.close_notify()

    def close_notify(self):
        self.send_record(ALERT, b"\x01\x00")

    def fin(self):
        """Ends our direction of TCP."""
        self.plain.shutdown(socket.SHUT_WR)

    def wait(self, seconds):
        time.sleep(seconds)


def identity():
    """Returns the certificate that a client of ours trusts, and its key."""
    chain, text = X509CertChain(), pathlib.Path(certificate("server.pem")).read_text(encoding="ascii")
    chain.parsePemList(text)
    return chain, parsePEMKey(pathlib.Path(certificate("server.key")).read_text(encoding="ascii"), private=True)


assert (ContentType.change_cipher_spec, ContentType.application_data) == (CCS, DATA)

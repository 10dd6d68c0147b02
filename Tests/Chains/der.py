"""DER, as far as certificates need it (X.690): written by hand, because libraries refuse to write what is wrong."""


def tlv(tag, *parts):
    """Returns a tag, the length of all parts together, and the parts."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *sorted(parts))


def integer(number):
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted):
    first, second, *others = (int(word) for word in dotted.split("."))
    body = bytearray()
    for number in (40 * first + second, *others):
        sevens = [number & 0x7F]
        while number := number >> 7:
            sevens.append(0x80 | number & 0x7F)
        body += bytes(reversed(sevens))
    return tlv(0x06, bytes(body))


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\x00")


def null():
    return tlv(0x05)


def octets(body):
    return tlv(0x04, body)


def bits(body, unused=0):
    return tlv(0x03, bytes([unused]), body)


def named_bits(*numbers):
    """Returns a BIT STRING in which these bits are set, without zeros at its end."""
    if not numbers:
        return bits(b"")
    value = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        value[number // 8] |= 0x80 >> number % 8
    return bits(bytes(value), 7 - max(numbers) % 8)


def utf8(text):
    return tlv(0x0C, text.encode())


def time(moment):
    """Returns a UTCTime; GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5)."""
    if moment.year < 2050:
        return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def explicit(number, *parts):
    return tlv(0xA0 | number, *parts)


def implicit(number, body):
    """Returns a primitive value under a tag of its context."""
    return tlv(0x80 | number, body)

/* What a peer that knows the keys can say once the handshake is done. */
#include "after_handshake.h"

#define ACTS 200
#define RECORDS 2000

typedef struct {
    meeting m;
    input in;
    int records; /* that were made by hand */
} play;

/** From now on the other end is the input. */
static void forge(play *p)
{
    if (!p->m.is_forged)
        carry(&p->m), p->m.keys.sequence = p->m.honest, p->m.is_forged = 1;
}

/** Seals a record, which may then be changed at one place, and feeds it. */
static void say(play *p, int type, const uint8_t *bytes, size_t n, size_t zeros, size_t flip)
{
    static uint8_t record[SEAL_ROOM + 300];
    forge(p);
    if (p->records++ >= RECORDS)
        return;
    size_t length = seal(&p->m.keys, record, sizeof record, type, 0x0303, bytes, n, zeros);
    if (length == 0)
        return;
    if (flip > 0)
        record[flip % length] ^= 1;
    uint8_t *copy = malloc(length); /* for the sanitizer to see its bounds */
    MUST(copy != NULL);
    memcpy(copy, record, length);
    give(&p->m, copy, length);
    free(copy);
}

static int content_type(input *in)
{
    static const int common[] = { 20, 21, 22, 22, 23, 24 };
    unsigned b = take(in);
    return b < 192 ? common[b % 6] : (int)b;
}

/** Builds a handshake message (RFC 8446, 4), whose header may lie about its length. Returns the whole length. */
static size_t message(uint8_t *at, unsigned type, const uint8_t *body, size_t n, unsigned lie)
{
    size_t said = n + lie;
    at[0] = (uint8_t)type, at[1] = (uint8_t)(said >> 16), at[2] = (uint8_t)(said >> 8), at[3] = (uint8_t)said;
    if (n > 0)
        memmove(at + 4, body, n);
    return 4 + n;
}

static void key_update(play *p, unsigned request)
{
    uint8_t bytes[5], body = (uint8_t)request;
    say(p, 22, bytes, message(bytes, 24, &body, 1, 0), 0, 0);
    if (!(p->m.kind & KIND_OLD))
        seal_update(&p->m.keys);
}

/** A ticket (RFC 8446, 4.6.1; RFC 5077, 3.3) whose fields are the input's. */
static void ticket(play *p)
{
    uint8_t bytes[600], *at = bytes + 4;
    size_t n, room = 250;
    for (int i = p->m.kind & KIND_OLD ? 4 : 8; i > 0; i--)
        *at++ = (uint8_t)take(&p->in);
    if (!(p->m.kind & KIND_OLD)) {
        const uint8_t *nonce = take_bytes(&p->in, below(&p->in, 9), &n);
        *at++ = (uint8_t)n;
        memcpy(at, nonce, n), at += n;
    }
    const uint8_t *body = take_bytes(&p->in, below(&p->in, (unsigned)room), &n);
    *at++ = 0, *at++ = (uint8_t)n;
    memcpy(at, body, n), at += n;
    if (!(p->m.kind & KIND_OLD)) {
        const uint8_t *extensions = take_bytes(&p->in, below(&p->in, 40), &n);
        *at++ = 0, *at++ = (uint8_t)n;
        memcpy(at, extensions, n), at += n;
    }
    say(p, 22, bytes, message(bytes, 4, bytes + 4, (size_t)(at - bytes) - 4, 0), 0, 0);
}

/** A request for a certificate (RFC 8446, 4.3.2), with a context and algorithms of the input. */
static void certificate_request(play *p)
{
    uint8_t bytes[100], *at = bytes + 4;
    size_t n;
    const uint8_t *context = take_bytes(&p->in, below(&p->in, 20), &n);
    *at++ = (uint8_t)n;
    memcpy(at, context, n), at += n;
    unsigned algorithm = take(&p->in) & 1 ? take_two(&p->in) : 0x0403;
    const uint8_t extension[] = { 0, 8, 0, 13, 0, 4, 0, 2, (uint8_t)(algorithm >> 8), (uint8_t)algorithm };
    memcpy(at, extension, sizeof extension), at += sizeof extension;
    say(p, 22, bytes, message(bytes, 13, bytes + 4, (size_t)(at - bytes) - 4, 0), 0, 0);
}

/** What the honest end does by itself, as long as it is there. */
static void be_honest(play *p)
{
    meeting *m = &p->m;
    unsigned what = below(&p->in, 4), n = take_two(&p->in) % 3000;
    static const uint8_t zeros[3000];
    if (m->is_forged)
        return;
    carry(m);
    if (what == 0 && n > 0)
        IGNORE(SSL_write(m->other, zeros, (int)n));
    else if (what == 1 && m->kind & KIND_OLD)
        IGNORE(SSL_renegotiate(m->other));
    else if (what == 2 && !(m->kind & KIND_OLD) && SSL_key_update(m->other, SSL_KEY_UPDATE_NOT_REQUESTED) == 1) {
        carry(m); /* it goes out alone */
        seal_update(&m->keys), m->honest = 0;
    } else if (what == 3 && m->kind & KIND_SERVER)
        IGNORE(tlsmem_request_certificate(m->c, NULL, NULL));
    if (n & 1)
        carry(m);
    if (m->kind & KIND_OLD && SSL_is_init_finished(m->other))
        seal_from_ssl(&m->keys, m->other);
}

/** What the program does meanwhile. */
static void call(play *p)
{
    static const uint8_t zeros[40000];
    uint8_t some[1000];
    meeting *m = &p->m;
    unsigned what = below(&p->in, 18), n = take_two(&p->in);
    ptrdiff_t got = 0;
    switch (what) {
    case 0: case 1:
        got = tlsmem_write(m->c, zeros, n % sizeof zeros);
        m->accepted += got > 0 ? (uint64_t)got : 0;
        break;
    case 2: IGNORE(tlsmem_key_update(m->c, (int)(n & 1) & m->is_forged)); break;
    case 3: IGNORE(tlsmem_request_certificate(m->c, NULL, NULL)); break;
    case 4: MUST(tlsmem_close(m->c) == TLSMEM_OK); break;
    case 5: IGNORE(tlsmem_close_write(m->c)); break;
    case 6: case 7:
        got = tlsmem_read(m->c, some, n % sizeof some);
        MUST(got <= (ptrdiff_t)sizeof some);
        m->got += got > 0 ? (uint64_t)got : 0;
        break;
    case 8: MUST(tlsmem_pause(m->c) == TLSMEM_OK); break;
    case 9: MUST(tlsmem_resume(m->c) == TLSMEM_OK); break;
    case 10: IGNORE(tlsmem_renegotiate(m->c)); break;
    case 11: IGNORE(tlsmem_unwrap(m->c)); break;
    case 12: IGNORE(tlsmem_unwrapped(m->c, some, n % sizeof some)); break;
    case 13: IGNORE(tlsmem_cork(m->c)); break;
    case 14: IGNORE(tlsmem_uncork(m->c)); break;
    case 15: IGNORE(tlsmem_trim(m->c)); break;
    case 16: MUST(tlsmem_abort(m->c) == TLSMEM_OK); break;
    default: IGNORE(tlsmem_tick(m->c, tlsmem_now() + n));
    }
}

/** One thing, of whichever of the three who may do something. */
static void act(play *p)
{
    static uint8_t long_one[16385], bytes[1024];
    input *in = &p->in;
    size_t n, first;
    unsigned what = below(in, 16), one = take(in);
    const uint8_t *body;
    switch (what) {
    case 0: { /* any content */
        int type = content_type(in);
        body = take_bytes(in, one, &n);
        say(p, type, body, n, take(in), 0);
        break;
    }
    case 1: { /* a message; in one record, or in two */
        unsigned type = take(in), lie = take(in);
        first = take(in);
        body = take_bytes(in, one, &n);
        n = message(bytes, type, body, n, lie < 200 ? 0 : lie - 200);
        if (first >= n)
            first = 0;
        if (first > 0)
            say(p, 22, bytes, first, 0, 0);
        say(p, 22, bytes + first, n - first, 0, 0);
        break;
    }
    case 2: /* nothing is sealed here */
        body = take_bytes(in, one, &n);
        forge(p);
        give(&p->m, body, n);
        break;
    case 3: key_update(p, one & 1 ? 1 : one / 2); break;
    case 4: n = take_two(in) % sizeof long_one; say(p, 23, long_one, n, one & 1 ? 100 : 0, 0); break;
    case 5: say(p, 23, long_one, one, 0, 1 + take(in)); break;
    case 6: bytes[0] = (uint8_t)(1 + (one & 1)), bytes[1] = (uint8_t)take(in); say(p, 21, bytes, 2, 0, 0); break;
    case 7: case 8: call(p); break;
    case 9: p->m.cut = one; break;
    case 10: ticket(p); break;
    case 11: certificate_request(p); break;
    case 12: case 13: be_honest(p); break;
    case 14: /* the same again and again */
        what = take(in), body = take_bytes(in, what & 7, &n);
        for (unsigned i = 0; i < 4 * one && p->m.closes == 0; i++) {
            if ((what & 24) == 8)
                key_update(p, what & 1);
            else
                say(p, content_type(&(input){ (const uint8_t[]){ (uint8_t)(what >> 3) }, 1 }), body, n, 0, 0);
        }
        break;
    default:
        if (one < 8)
            IGNORE(tlsmem_feed_eof(p->m.c));
        else if (one < 16)
            IGNORE(tlsmem_feed_error(p->m.c, one & 1 ? 104 : 5));
        else
            carry(&p->m);
    }
    if (one & 1)
        ask_everything(p->m.c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    play p = { .in = { bytes, n } };
    meet(&p.m, below(&p.in, 64));
    for (int acts = 0; acts < ACTS && p.in.left > 0; acts++)
        act(&p);
    part(&p.m);
    return 0;
}

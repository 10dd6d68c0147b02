/*
 * One flipped bit in any record, of the handshake or after it, is found: the side that sees it says TLSMEM_EPROTOCOL,
 * the other is told by an alert, and no wrong byte is delivered.
 */
#include "pair.h"

/** Follows the records of a direction, and flips one bit in the last byte of one of them. */
typedef struct flip {
    int record;          /* which, from 0; -1 for none */
    int seen;            /* records that have passed */
    uint64_t next;       /* where, in the stream, the next record begins */
    unsigned char bit;
    int done, handshake_type; /* what was hit: the record's type, and for a plain handshake record its message */
} flip;

static int hold_records(direction *d)
{
    flip *f = d->test;
    /* Only whole records are passed on, so that the last byte of each is at hand. */
    while (f->next < d->given + d->length) {
        size_t at = d->first + (size_t)(f->next - d->given);
        if (d->first + d->length < at + 5)
            return 1;
        size_t body = (size_t)d->bytes[at + 3] << 8 | d->bytes[at + 4];
        if (d->first + d->length < at + 5 + body)
            return 1;
        if (f->seen == f->record) {
            d->bytes[at + 4 + body] ^= f->bit;
            f->done = 1;
            f->handshake_type = d->bytes[at] == 22 ? d->bytes[at + 5] : -d->bytes[at];
        }
        f->seen++;
        f->next += 5 + body;
    }
    return 0;
}

/** Runs a connection with a flip in one direction. Returns how many records that direction had. */
static int run(int version, int up, int record, unsigned char bit)
{
    scene s = { "flipped bit", version, FACE_BUFFERS, FACE_BUFFERS, NULL };
    flip f = { record, 0, 0, bit, 0, 0 };
    direction *d = up ? &pair_wire.up : &pair_wire.down;
    end *sees = up ? &server : &client, *told = up ? &client : &server;
    pair_open(&s);
    situation("TLS 1.%d, record %d to the %s, bit 0x%02x", version - 0x0301, record, up ? "server" : "client", bit);
    d->test = &f;
    d->meddle = hold_records;
    client.to_send = server.to_send = client.to_receive = server.to_receive = 40000;
    client.close_when_done = server.close_when_done = 1;
    wire_run(&pair_wire, both_ended);
    if (record < 0) {
        CHECK_ENDED(client, TLSMEM_OK);
        CHECK_ENDED(server, TLSMEM_OK);
    } else {
        CHECK(f.done, "there was no such record");
        CHECK(client.closes == 1 && server.closes == 1, "on_close %d and %d times", client.closes, server.closes);
        int seen = failure_of(sees->c), heard = failure_of(told->c);
        /* A hello may be changed and still make sense: then the first record that depends on it does not decrypt, on
         * the other side perhaps; or it makes an offer that is not taken. */
        int hello = f.handshake_type == 1 || f.handshake_type == 2;
        int spoilt = f.handshake_type == 11 && seen == TLSMEM_EVERIFY; /* the signature in the certificate */
        int too_long = f.handshake_type == 14 && seen == TLSMEM_ELIMIT; /* its length says so */
        CHECK(seen == TLSMEM_EPROTOCOL || spoilt || too_long || (hello && (heard == TLSMEM_EPROTOCOL || heard == TLSMEM_ECIPHER)),
              "message %d: the one side says %s, the other %s", f.handshake_type, tlsmem_status_name(seen),
              tlsmem_status_name(heard));
        CHECK(heard != TLSMEM_OK || told->report.close_notify_sent, "the other side was told nothing");
        CHECK(sees->wrong == 0 && told->wrong == 0, "wrong bytes were delivered");
    }
    pair_close();
    return f.seen;
}

int main(void)
{
    begin("flipped");
    for (int version = TLSMEM_TLS1_2; version <= TLSMEM_TLS1_3; version++)
        for (int up = 0; up < 2; up++) {
            int records = run(version, up, -1, 0);
            CHECK(records > 4, "only %d records", records);
            /* The last is the close_notify, after which nobody needs to listen. */
            for (int record = 0; record < records - 1; record++)
                for (int bit = 0; bit < (short_run() ? 1 : 8); bit += 7)
                    run(version, up, record, (unsigned char)(1 << bit));
        }
    return finish();
}

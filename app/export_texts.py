"""What stands in the README of a bundle, for an auditor or for the person whom it is about."""

from __future__ import annotations

from typing import Final

README_WHOLE: Final = """\
# An export of a Hilo ledger

    manifest.json       what is here
    events/*.ndjson     the events, a line each; `state` is what is stored, in base64
    tile/...            the Merkle tree over them (C2SP tlog-tiles)
    checkpoints.ndjson  every signed checkpoint; `checkpoint` is the last one
    key                 the verifier key (the last line is the present signer's)
    keys.ndjson         only where keys were asked for: what opens the sealed sections

Check it with Hilo (`hilo verify --bundle .`), or without: docs/auditing.md of Hilo has a script of
some thirty lines for Python alone, and what Go's `sumdb/tlog` needs. Compare `key` with the one
that you were given at another time, by another way: a bundle cannot vouch for its own key.

What this proves: these events, in this order, with these times and bytes, are the ones that were
signed. What it does not: that an event was true, or that nothing was left unrecorded.

An event's leaf is SHA-256(0x00, entry); the entry, all numbers big-endian, lp = u32 length prefix:
0x01, lp(origin), u64 position, originator (16 bytes), u32 version, lp(topic), i64 recorded_us,
lp(header), u8 number of sections, and of each section its key id (16) and the SHA-256 of its body.
`state` is 0x01, u16 header length, header (msgpack), u8 number of sections, each: key id (16), u32
length, body. A body is AES-256-GCM: nonce (12), ciphertext, tag. What it is bound to: ledger id
(16 bytes), originator, u32 version, lp(topic), header, u8 section number.
"""

README_CONTACT: Final = """\
# Everything that a Hilo ledger holds about one contact

    interactions/*.ndjson  the interactions, oldest first, as people see them
    events/*.ndjson        every recorded event about the contact; `content` is readable
    attachments/*          the files that came along; `attachments.ndjson` says which is which
    receipts/*.tlog-proof  for each event, the proof that the log holds it (C2SP tlog-proof)
    checkpoint, key        what was signed, and whose signature it is

What belongs to other people is not here: where several took part, the others are masked, and what
is sealed under their keys stays closed.

Check it with Hilo: `hilo verify --bundle .`
"""

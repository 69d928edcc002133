"""A witness signs what only grew, remembers it, and tells a rollback and a fork."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.witness_door import door
from app.compose import entropy
from audit.merkle import Frontier, consistency_proof, leaf_hash
from audit.notes import LOG_KEY, Checkpoint, SigningKey, Verifier, read_note, sign
from audit.places import SIZE_TYPE, WitnessPlace, read_witnesses
from audit.receipts import hash_lines
from audit.witness import Witness
from domain.errors import InvalidInput, WrongState
from tests.app.ledgers import TurnedClock, opened
from tests.audit.asking import InProcess
from tests.audit.attacks import fill, signed
from tests.audit.trees import nodes_over
from tests.backends import Backend

LOG = SigningKey("log.example/1", LOG_KEY, bytes(range(32)))
LEAVES = [leaf_hash(bytes((number,))) for number in range(20)]


def note(size: int, leaves: list[bytes] = LEAVES, origin: str = "log.example/1") -> str:
    """A checkpoint over some leaves, signed by the log."""
    tree = Frontier()
    for leaf in leaves[:size]:
        tree.add(leaf)
    return sign(Checkpoint(origin, size, tree.root()), LOG)


def asked(old: int, size: int, raw: str, proof: list[str] | None = None) -> str:
    """The body of a request, with the right proof unless another is given."""
    lines = hash_lines(consistency_proof(nodes_over(LEAVES), min(old, size), size))
    return "\n".join([f"old {old}", *(lines if proof is None else proof)]) + "\n\n" + raw


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    """A witness that knows one log."""
    made = Witness(
        tmp_path / "witness",
        "witness.example/w",
        [LOG.verifier],
        clock=TurnedClock(),
        entropy=entropy,
    )
    yield made
    made.close()


def test_a_witness_answers_as_the_table_says(witness: Witness) -> None:
    """Growth is cosigned; every other request has its status, and is not remembered."""
    forked = [*LEAVES[:4], leaf_hash(b"other"), *LEAVES[5:]]
    for raw, status, body in (
        (asked(0, 5, note(5)), 200, None),
        (asked(5, 5, note(5)), 200, None),
        (asked(5, 12, note(12)), 200, None),
        (asked(5, 12, note(12)), 409, "12\n"),
        (asked(0, 15, note(15)), 409, "12\n"),
        (asked(12, 12, note(12, forked)), 409, None),
        (asked(12, 15, note(15), proof=[]), 422, None),
        (asked(12, 15, note(15, forked)), 422, None),
        (asked(12, 5, note(5)), 400, None),
        (asked(12, 15, note(15, origin="other")), 404, None),
        (asked(12, 15, note(15).replace("\n15\n", "\n16\n")), 403, None),
        ("old 012\n\n" + note(15), 400, None),
        ("new 12\n\n" + note(15), 400, None),
        ("", 400, None),
        (asked(12, 15, note(15)), 200, None),
    ):
        verdict = witness.add_checkpoint(raw)
        assert verdict.status == status, (verdict, raw)
        assert body is None or (verdict.body == body and verdict.is_size)
    [line] = [witness.add_checkpoint(asked(15, 15, note(15))).body]
    cosigned = read_note(note(15) + line)
    assert cosigned.signed_by(witness.verifier)
    assert cosigned.signed_by(LOG.verifier)


def test_its_memory_outlives_it(witness: Witness, tmp_path: Path) -> None:
    """Begun again on the same folder it has the same key and the last size; two at once may not."""

    def again() -> Witness:
        folder = tmp_path / "witness"
        known = [LOG.verifier]
        return Witness(folder, "other", known, clock=TurnedClock(), entropy=entropy)

    assert witness.add_checkpoint(asked(0, 7, note(7))).status == 200
    with pytest.raises(WrongState):
        again()
    witness.close()
    second = again()
    assert second.verifier == witness.verifier
    assert second.add_checkpoint(asked(0, 8, note(8))).body == "7\n"
    second.close()


def test_checkpoints_of_a_ledger_are_cosigned(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log proves its growth over HTTP, keeps the signature, and hears of a rollback."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        fill(composition, clock, 3)
        signed(composition)
        one = Witness(
            tmp_path / "w", "w.example", [composition.proofs.key()], clock=clock, entropy=entropy
        )
        client = InProcess(door(one))
        monkeypatch.setattr("httpx.post", _through(client))
        assert client.get("/key").text.strip() == str(one.verifier)
        place = WitnessPlace("http://w.example", one.verifier, composition.proofs.tiles)
        composition.proving.places = [place]
        fill(composition, clock, 4, start=4)
        signed(composition)
        last = composition.proofs.last()
        assert read_note(last.note).signed_by(one.verifier)
        fill(composition, clock, 300, start=8)
        assert signed(composition) == 307
        assert read_note(composition.proofs.last().note).signed_by(one.verifier)
        with pytest.raises(Exception, match="old state"):
            place.publish(last.note, 0)
        # Somebody else's signature is not taken for it.
        stranger = Verifier("w.example", one.verifier.kind, bytes(32))
        with pytest.raises(Exception, match="no signature"):
            WitnessPlace("http://w.example", stranger, composition.proofs.tiles).publish(
                composition.proofs.last().note, 307
            )
        monkeypatch.setattr("httpx.post", _silence)
        with pytest.raises(Exception, match="does not answer"):
            place.publish(composition.proofs.last().note, 307)
        one.close()


def _through(client: InProcess) -> Any:  # noqa: ANN401 - stands for httpx.post
    def post(url: str, *, content: bytes, timeout: float) -> httpx.Response:
        assert timeout
        answer = client.post(url.removeprefix("http://w.example"), content=content)
        assert answer.status_code != 409 or SIZE_TYPE in answer.headers["content-type"]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return post


def _silence(*_: object, **__: object) -> httpx.Response:
    raise httpx.ConnectError("nobody is there")


@pytest.mark.parametrize(
    "text", ["https://w.example", "ftp://w x+00000000+AAAA", f"https://w.example {LOG.verifier}"]
)
def test_a_setting_that_names_no_witness_is_refused(text: str, backend: Backend) -> None:
    """URL, space and a witness's own key; anything else says what to write."""
    with opened(backend) as composition, pytest.raises(InvalidInput):
        read_witnesses(text, composition.proofs.tiles)

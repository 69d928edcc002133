"""What is decided about departments, campaigns and the names of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain import word as words
from domain.deciding import command_id_of
from domain.errors import ChangedMeanwhile, NotFound, WrongState
from domain.ports import Pending, Unit
from domain.word import SOURCE, Word, WordChange, word_stream

if TYPE_CHECKING:
    from domain.commands import By, FactReceipt
    from domain.deciding import Decider, Surroundings


class WordBook:
    """What departments, campaigns and sources are called, and which of them are offered."""

    def __init__(self, decider: Decider, around: Surroundings) -> None:
        self._decider = decider
        self._derive = around.derive

    def word(self, kind: str, key: str) -> Word | None:
        """A word as the log has it now; None where nobody has set it."""
        return self._decider.log.load(word_stream(self._derive, kind, key), words.project)

    async def create(self, kind: str, key: str, name: str, by: By) -> FactReceipt:
        """Make a department or campaign by hand. Raises WrongState: its key is taken; KeyReused."""
        stream = word_stream(self._derive, kind, key)

        def take() -> Unit | None:
            if self._decider.log.load(stream, words.project) is not None:
                raise WrongState(f"There is a {kind} with the key {key} already.")
            wanted = WordChange(fields=frozenset({"name"}), name=name)
            return self._unit(Word(kind, key), wanted, by)

        receipt = await self._decider.attempt(take, by)
        if receipt is None:  # a new word is always something new
            raise AssertionError
        return receipt

    async def change(
        self, word: tuple[str, str], wanted: WordChange, by: By, *, expected: int | None
    ) -> FactReceipt | None:
        """Change a word, given by kind and key; None where nothing changes.

        Raises NotFound (but a source may be named before anything came from it),
        ChangedMeanwhile, KeyReused.
        """
        kind, key = word
        stream = word_stream(self._derive, kind, key)

        def take() -> Unit | None:
            now = self._decider.log.load(stream, words.project)
            if now is None and kind != SOURCE:
                raise NotFound(f"There is no {kind} with the key {key}.")
            now = now or Word(kind, key)
            if expected not in {None, now.version}:
                raise ChangedMeanwhile(None)
            return self._unit(now, wanted, by)

        return await self._decider.attempt(take, by)

    def _unit(self, now: Word, wanted: WordChange, by: By) -> Unit | None:
        stream = word_stream(self._derive, now.kind, now.key)
        pending = tuple(Pending(one) for one in words.set_word(stream, now, wanted, by))
        if not pending:
            return None
        return Unit(key=stream, build=lambda _: pending, command_id=command_id_of(by))

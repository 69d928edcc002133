"""Counting by code: interactions, and distinct contacts beside them."""

from __future__ import annotations

from projections.columns import Column, arrow, compute, number, whole


class Tally:
    """Counts facts and distinct contacts by code. Neighbours that are alike count as one run."""

    def __init__(self, owner_bits: int) -> None:
        pa = arrow()
        pc = compute()
        self._pa, self._pc = pa, pc
        self._bits = number(owner_bits)
        self._ones = pa.scalar((1 << owner_bits) - 1, pa.int64())
        self._pairs: list[Column] = []
        self._sizes: list[Column] = []
        self._untold: dict[int, int] = {}
        self.interactions = 0

    def add(self, codes: Column, owners: Column, *, told: bool = True) -> None:
        """Count some facts; those that are not told count without their contact."""
        pa, pc = self._pa, self._pc
        size = len(owners)
        self.interactions += size
        if codes is None:
            codes = pa.repeat(number(0), size)
        if not told:
            for found in pc.value_counts(codes).to_pylist():
                self._untold[found["values"]] = (
                    self._untold.get(found["values"], 0) + found["counts"]
                )
            return
        pairs = pc.bit_wise_or(pc.shift_left(codes, self._bits), pc.cast(owners, pa.int64()))
        turns = pc.indices_nonzero(pc.not_equal(pairs.slice(1), pairs.slice(0, size - 1)))
        starts = pa.concat_arrays(
            [pa.array([0], pa.uint64()), pc.add(turns, pa.scalar(1, pa.uint64()))]
        )
        ends = pa.concat_arrays([starts.slice(1), pa.array([size], pa.uint64())])
        self._pairs.append(pairs.take(starts))
        self._sizes.append(pc.cast(pc.subtract(ends, starts), pa.int64()))

    def counted(self) -> dict[int, tuple[int, int]]:
        """For each code how many facts, and of how many contacts."""
        pa, pc = self._pa, self._pc
        found = {code: (count, 0) for code, count in self._untold.items()}
        if not self._pairs:
            return found
        self._merge()
        codes = pc.shift_right(self._pairs[0], self._bits)
        table = pa.table({"code": codes, "size": self._sizes[0]})
        grouped = table.group_by("code", use_threads=False).aggregate(
            [("size", "sum"), ("size", "count")]
        )
        for code, size, pairs in zip(*(column.to_pylist() for column in grouped), strict=True):
            found[code] = (size + found.get(code, (0, 0))[0], pairs)
        return found

    def contacts(self) -> int:
        """Of how many contacts all facts are."""
        if not self._pairs:
            return 0
        owners = [self._pc.bit_wise_and(pairs, self._ones) for pairs in self._pairs]
        return int(self._pc.count_distinct(self._pa.chunked_array(owners)).as_py())

    def _merge(self) -> None:
        """Put together the runs of one code and contact."""
        pa = self._pa
        table = pa.table(
            {"pair": pa.chunked_array(self._pairs), "size": pa.chunked_array(self._sizes)}
        )
        merged = table.group_by("pair").aggregate([("size", "sum")])
        self._pairs = [whole(merged.column("pair"))]
        self._sizes = [whole(merged.column("size_sum"))]

"""`python -m benchmarks [NAME …]`: measure, print, and write the rows down; without names, all."""

from __future__ import annotations

import sys

from benchmarks import append, channels, find, follow, pages, read, reports, results, search, verify

ALL = {
    "append": append.rows,
    "channels": channels.rows,
    "find": find.rows,
    "follow": follow.rows,
    "pages": pages.rows,
    "read": read.rows,
    "reports": reports.rows,
    "search": search.rows,
    "verify": verify.rows,
}


def main() -> int:
    """Run the benchmarks that are named, or all."""
    names = sys.argv[1:] or list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"there is no benchmark {unknown[0]}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    for name in names:
        results.write(name, ALL[name]())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

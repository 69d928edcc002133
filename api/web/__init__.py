"""The pages that people open: rendered here, readable without scripts, quicker with them.

How a page is added:

1. A module of its own beside this one, with a `router` (`Pages` of addresses.py), listed in
   api/reading_side.py; an entry of the navigation in `TABS` of api/web/pages.py where it has one.
2. Its endpoint calls `open_page(request, prepare)` of ground.py. `prepare(request, caller)`
   reads the query (`api.parameters.Query`, closed, so that the address bar is the state) and
   gives the work: a function of one `Look` that answers `Shown(template, values, tab)`. A part
   that a script fetches again is `Shown(…, piece=True)`: the same template file that the page
   includes, so that both are one.
3. What is sent by a form comes in by `carry_out(request, act)` of acting.py, which reads the
   form, checks its `csrf` field and goes on to its `next`; for htmx `act` answers a piece.
4. Its template extends base.html and fills the blocks `title` and `page` (a padded page) or
   `main` (the whole width). Rows of interactions come from `{% import "rows.html" as rows with
   context %}`: `rows.line(row)` for lists, `rows.message(row)` for a thread, `rows.facts(row)`
   for the card. Times and numbers come from `when`, icons from `parts.icon`.
5. Text is `_("…")`, `ngettext`, or `word("channel", row.channel)` (words.py); `python -m
   tests.web.catalogs <room>` adds what is missing to locale/*/<room>.po, and a test is red for
   any message that a language lacks. No `style` attribute and no inline script: the policy of
   contents forbids them.
6. Scripts are small files in static/, loaded with `asset("name.js")` in the block `scripts`.
   live.js tells what happens: `document.addEventListener("hilo:event", …)` with `detail` as in
   the contract (2.9), "hilo:reset" when all must be loaded anew. ground.js copies (`data-copy`),
   keys.js presses whatever has `data-key`.
7. Tests stand in tests/web/: `browse` opens a signed-in browser on a served ledger, and
   `no_barriers(page)` has axe-core look at it.
"""

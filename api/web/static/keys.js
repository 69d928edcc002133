// Single keys: j and k walk through rows, Enter opens (a link does that by itself), c copies,
// and whatever has data-key is pressed, or gets the focus if one writes in it. They can be
// switched off, and are never taken from somebody who writes.
"use strict";

(() => {
  const isWriting = (element) =>
    element.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

  const isVisible = (element) => element.getClientRects().length > 0;

  /** The rows to walk through: those of the pane that has the focus, else all of the page. */
  function rows() {
    const pane = document.activeElement?.closest("[data-rows]");
    const found = [...(pane ?? document).querySelectorAll("[data-row]")].filter(isVisible);
    const first = found[0]?.closest("[data-rows]");
    return pane || !first ? found : found.filter((row) => row.closest("[data-rows]") === first);
  }

  const ofRow = (row) => (row.matches("a, summary, [tabindex]") ? row : row.querySelector("a, button, summary"));

  function walk(step) {
    const found = rows();
    if (!found.length) return;
    const now = found.findIndex((row) => row.contains(document.activeElement));
    const place = now < 0 ? (step > 0 ? 0 : found.length - 1) : now + step;
    const row = found[Math.max(0, Math.min(found.length - 1, place))];
    ofRow(row)?.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function copy() {
    const row = document.activeElement?.closest("[data-row]") ?? document.querySelector("[data-row].hit");
    hilo.copyText(row);
  }

  function press(key) {
    const found = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isVisible);
    if (!found) return false;
    if (found.matches("input, textarea, select")) found.focus();
    else found.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.keys !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && isWriting(event.target)) event.target.blur();
    if (isWriting(event.target) || document.querySelector("dialog[open]")) return;
    const known = { j: () => walk(1), k: () => walk(-1), c: copy, "?": () => document.getElementById("keys")?.showModal() };
    if (known[event.key]) {
      known[event.key]();
      event.preventDefault();
    } else if (event.key.length === 1 && press(event.key)) {
      event.preventDefault();
    }
  });

  // From the search box the arrows lead through what it found; they are no single keys.
  document.querySelector("form.find")?.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const box = document.getElementById("find-q");
    const places = [box, ...document.querySelectorAll("#find-found [data-row]")];
    const next = places[places.indexOf(document.activeElement) + step];
    if (next) next.focus();
    event.preventDefault();
  });

  // Switching them takes effect at once, and needs no new page.
  document.querySelector("#keys footer form")?.addEventListener("submit", (event) => {
    if (!window.htmx) return;
    event.preventDefault();
    const form = event.target;
    const on = form.elements.on.value;
    fetch(form.action, {
      method: "POST",
      headers: { "HX-Request": "true" },
      body: new URLSearchParams({ csrf: form.elements.csrf.value, on }),
    }).then((answer) => (answer.ok ? location.reload() : hilo.say(document.body.dataset.failed)));
  });
})();

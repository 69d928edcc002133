// Activity keeps itself fresh. A row that changed is shown as it is now, where it stands. New rows
// come in by themselves at the top of the list, but never under a hand: while somebody points at
// the list, has scrolled it, or has a card open, a pill says how many are waiting.
"use strict";

(() => {
  const scroller = document.querySelector("main");
  const pill = document.getElementById("news");
  const filters = document.getElementById("filters");
  const AT_ONCE = 40; // rows that are asked for by their ids
  const WAITING_MAX = 200; // more than that is read anew, not put in one by one
  const NEAR_TOP_PX = 8;

  const place = () => document.getElementById("activity");
  const table = () => document.getElementById("rows");
  const entries = () => [...(table()?.querySelectorAll(":scope > .ent") ?? [])];
  const wayTo = (side) => table()?.querySelector(`[data-way=${side}]`) ?? null;
  const query = (address, more) => `${address}${address.includes("?") ? "&" : "?"}${more}`;

  // ------------------------------------------------------------------------ an order

  const keyOf = (entry) => (place().dataset.sort === "recorded"
    ? ["", Number(entry.dataset.id)]
    : [entry.dataset.at, Number(entry.dataset.id)]);

  /** Whether one entry stands before another in this list. */
  function before(one, other) {
    const [time, id] = keyOf(one);
    const [otherTime, otherId] = keyOf(other);
    const older = time < otherTime || (time === otherTime && id < otherId);
    return older === (place().dataset.order === "asc");
  }

  const dayOf = (entry) => {
    let one = entry.previousElementSibling;
    while (one && !one.matches(".sep")) one = one.previousElementSibling;
    return one;
  };

  /** Put an entry in its place, under its day. False where its place is not on the page. */
  function put(entry, day) {
    const next = entries().find((one) => before(entry, one));
    if (!next && wayTo("after")) return false;
    if (next === entries()[0] && wayTo("before")) return false;
    let where = next ?? null;
    if (next && next.dataset.day !== entry.dataset.day) where = dayOf(next) ?? next;
    table().insertBefore(entry, where);
    if (dayOf(entry)?.dataset.day !== entry.dataset.day && day) entry.before(day);
    return true;
  }

  function remove(entry) {
    const day = entry.previousElementSibling;
    entry.remove();
    if (day?.matches(".sep") && !day.nextElementSibling?.matches(".ent")) day.remove();
  }

  /** One line a day, and each row once, whatever came in between. */
  function tidy() {
    const ids = new Set();
    for (const entry of entries()) {
      if (ids.has(entry.dataset.id)) entry.remove();
      ids.add(entry.dataset.id);
    }
    let day = "";
    for (const line of table().querySelectorAll(":scope > .sep")) {
      if (line.dataset.day === day || !line.nextElementSibling?.matches(".ent")) line.remove();
      else day = line.dataset.day;
    }
  }

  // --------------------------------------------------------------------- what is new

  const asked = new Set(); // ids that something happened to
  const waiting = new Map(); // id -> {entry, day}, or null for one that has left
  const counted = new Set(); // ids that the pill counts
  let loading = false;
  let anew = false;

  const isHeld = () => {
    const list = table();
    return Boolean(list) && (list.matches(":hover") || pill.matches(":hover") || list.contains(document.activeElement) ||
      scroller.scrollTop > NEAR_TOP_PX || list.querySelector(".cardplace:not([hidden])") !== null);
  };

  async function fetched(address) {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return null;
    // In a table, or the parser drops the rows; every text in it was escaped by our own server.
    return new DOMParser().parseFromString(`<table>${await answer.text()}</table>`, "text/html");
  }

  const soon = hilo.calmly(ask, 60);

  async function ask() {
    if (loading || !asked.size) return;
    if (asked.size > WAITING_MAX) return readAnew();
    loading = true;
    const ids = [...asked].slice(0, AT_ONCE);
    for (const id of ids) asked.delete(id);
    const found = await fetched(query(place().dataset.rowsOf, `ids=${ids.join()}`));
    loading = false;
    if (found) glide(() => { for (const id of ids) take(String(id), found.getElementById(`i${id}`)); });
    show();
    if (asked.size) soon();
  }

  function take(id, entry) {
    const ours = document.getElementById(`i${id}`);
    if (!entry) {
      counted.delete(id);
      if (ours) waiting.set(id, null);
      else waiting.delete(id);
      ours?.classList.add("left");
      return;
    }
    if (!table()) {
      anew = true;
      return;
    }
    const day = entry.previousElementSibling?.matches(".sep") ? entry.previousElementSibling : null;
    const made = { entry: document.adoptNode(entry), day: day && document.adoptNode(day) };
    if (ours && keyOf(ours).join() === keyOf(made.entry).join()) return renew(ours, made.entry);
    if (!ours) counted.add(id);
    waiting.set(id, made);
  }

  /** The same row as it is now; an open card stays open, and the focus where it is. */
  function renew(ours, theirs) {
    ours.classList.remove("left");
    waiting.delete(ours.dataset.id);
    const held = ours.contains(document.activeElement) ? document.activeElement : null;
    const cells = [...ours.rows[0].cells];
    [...theirs.rows[0].cells].forEach((cell, at) => {
      if (cells[at].contains(held) || cells[at].matches(".c-do")) return;
      if (cells[at].innerHTML !== cell.innerHTML) cells[at].replaceWith(cell);
    });
  }

  function show() {
    if (anew && !isHeld()) return readAnew();
    if (waiting.size && !isHeld()) apply();
    const news = counted.size;
    pill.querySelector("span").textContent = news === 1 ? pill.dataset.one : pill.dataset.many.replace("{n}", news || "");
    pill.hidden = !news && !anew;
  }

  const GLIDE_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : 180;

  /** Change the list; rows that are pushed away by it glide to their places, none jumps. */
  function glide(work) {
    const { top, bottom } = scroller.getBoundingClientRect();
    const places = new Map();
    for (const body of [...(table()?.tBodies ?? []), place().nextElementSibling]) {
      const at = body.getBoundingClientRect();
      if (at.bottom > top && at.top < bottom) places.set(body, at.top);
    }
    work();
    for (const [body, was] of places) {
      const by = body.isConnected ? was - body.getBoundingClientRect().top : 0;
      // Added to a glide that is under way, which goes on from where it is seen.
      if (by) body.animate({ transform: [`translateY(${by}px)`, "none"] }, { duration: GLIDE_MS, easing: "ease-out", composite: "add" });
    }
    for (const body of table()?.querySelectorAll(".fresh") ?? []) {
      if (!places.has(body)) body.animate({ opacity: [0, 1] }, { duration: GLIDE_MS });
    }
  }

  const apply = () => glide(letIn);

  function letIn() {
    for (const [id, made] of waiting) {
      const ours = document.getElementById(`i${id}`);
      if (ours) remove(ours);
      if (!made || !put(made.entry, made.day)) continue;
      if (!ours) {
        made.entry.classList.add("fresh");
        setTimeout(() => made.entry.classList.remove("fresh"), 2000);
      }
      counted.delete(id);
    }
    waiting.clear();
    if (!wayTo("before")) counted.clear();
  }

  function readAnew() {
    asked.clear();
    return load(place().dataset.address, false);
  }

  pill.addEventListener("click", async () => {
    if (anew || !table() || wayTo("before")) await load(place().dataset.address, true);
    else apply();
    scroller.scrollTop = 0;
    pill.blur();
    show();
  });
  // Who leaves the rows may be on the way to the pill: it stays until the hand is elsewhere.
  const left = hilo.calmly(show, 500);
  document.addEventListener("mouseout", ({ target }) => {
    if (waiting.size && (table()?.contains(target) || pill.contains(target))) left();
  });
  scroller.addEventListener("scroll", () => { if ((waiting.size || anew) && !isHeld()) show(); }, { passive: true });

  document.addEventListener("hilo:event", (event) => {
    const { type, data } = event.detail;
    if (data.row?.kind === "interaction") asked.add(data.row.id);
    else if (/^(contact|contacts|merge|address|access|department|campaign|source|user)\./.test(type)) {
      for (const entry of entries()) asked.add(Number(entry.dataset.id)); // somebody is called otherwise
    }
    if (asked.size) soon();
  });
  document.addEventListener("hilo:gone", () => {
    for (const entry of entries()) asked.add(Number(entry.dataset.id));
    soon();
  });
  document.addEventListener("hilo:reset", () => { anew = true; show(); });

  // ------------------------------------------------------------------- endless, both ways

  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) further(one.target);
  }, { root: scroller, rootMargin: "600px 0px" });

  async function further(link) {
    watcher.unobserve(link);
    const found = await fetched(link.dataset.rowsOf);
    const ours = link.closest("tbody");
    if (!found || !ours.isConnected) return watcher.observe(link);
    const anchor = entries()[0];
    const top = anchor?.getBoundingClientRect().top;
    ours.replaceWith(...[...found.querySelectorAll("tbody")].map((one) => document.adoptNode(one)));
    tidy();
    if (link.dataset.way === "before" && anchor) scroller.scrollTop += anchor.getBoundingClientRect().top - top;
    watch();
  }

  function watch() {
    for (const side of ["before", "after"]) {
      const link = wayTo(side);
      if (link) watcher.observe(link);
    }
  }

  // ------------------------------------------------------------ the place, kept for a reload

  const PLACE = "place:activity";

  function remember() {
    const top = scroller.getBoundingClientRect().top;
    const first = entries().find((one) => one.getBoundingClientRect().bottom > top);
    const kept = first && scroller.scrollTop > NEAR_TOP_PX
      ? { address: place().dataset.address, id: first.dataset.id, off: first.getBoundingClientRect().top - top }
      : null;
    sessionStorage.setItem(PLACE, JSON.stringify(kept));
  }

  function goTo(id, off) {
    const there = document.getElementById(`i${id}`);
    if (there) scroller.scrollTop += there.getBoundingClientRect().top - scroller.getBoundingClientRect().top - off;
    return Boolean(there);
  }

  async function begin() {
    const [kind] = performance.getEntriesByType("navigation").map((one) => one.type);
    const kept = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
    const hit = table()?.querySelector(".ent.hit");
    if (kept && kind !== "navigate" && kept.address === place().dataset.address) {
      if (!document.getElementById(`i${kept.id}`)) await load(query(kept.address, `around=${kept.id}`), false);
      goTo(kept.id, kept.off);
    } else if (hit) {
      hit.scrollIntoView({ block: "center" });
    } else if (wayTo("before") && new URLSearchParams(location.search).has("at")) {
      // Half of the page lies before the day that was asked for: it begins there.
      const middle = entries()[Math.floor(entries().length / 2)];
      middle?.scrollIntoView({ block: "center" });
    }
    scroller.addEventListener("scroll", hilo.calmly(remember, 150), { passive: true });
    addEventListener("pagehide", remember);
    watch();
  }

  // ---------------------------------------------------------------------------- filters

  let turn = 0;

  /** Show the list at another address; the filters' menus stay as they are. */
  async function load(address, push) {
    const mine = (turn += 1);
    loading = true;
    const answer = await fetch(address);
    const next = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    loading = false;
    if (mine !== turn) return;
    if (!next?.getElementById("activity")) return location.assign(address);
    waiting.clear();
    counted.clear();
    anew = false;
    place().replaceWith(document.adoptNode(next.getElementById("activity")));
    for (const chip of filters.querySelectorAll("summary")) {
      const theirs = next.getElementById(chip.id);
      if (!theirs) continue;
      chip.className = theirs.className;
      chip.innerHTML = theirs.innerHTML; // our own server's page, where every text is escaped
    }
    if (push) history.pushState(null, "", place().dataset.address);
    show();
    watch();
    if (asked.size) soon();
  }

  function chosen() {
    const pairs = [...new FormData(filters)].filter(([, value]) => value);
    const search = new URLSearchParams(pairs).toString();
    return search ? `/activity?${search}` : "/activity";
  }

  const choose = hilo.calmly(async () => {
    await load(chosen(), true);
    scroller.scrollTop = 0;
  }, 150);

  filters.classList.add("quick");
  filters.addEventListener("change", (event) => {
    if (event.target.name === "at") return event.target.value && location.assign(chosen());
    if (event.target.type === "date" && event.target.value && event.target.value < "1900") return; // half typed
    choose();
  });
  filters.addEventListener("submit", (event) => { event.preventDefault(); choose(); });
  addEventListener("popstate", () => location.reload());

  begin();
})();

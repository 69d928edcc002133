// A contact's timeline: it goes on in both directions as one scrolls, and no row moves under the
// hand. Stretches that are far away are let go, so that years do not fill the page; what is new
// waits under a pill while one reads. The address says which row one had come to, so that a
// reload, the way back and a link that is sent on all lead there.
"use strict";

(() => {
  const pane = document.getElementById("content");
  const list = document.getElementById("timeline");
  const bar = document.getElementById("filters");
  const pill = document.getElementById("new-rows");
  const steps = { before: document.getElementById("step-before"), after: document.getElementById("step-after") };
  const { kept, order } = list.dataset;
  let { contact } = list.dataset;
  let path = `/contacts/${contact}`;
  const AHEAD_PX = 900; // what comes next is asked for before one gets there
  const FAR_SCREENS = 3; // stretches that are further away than this are let go
  const STRETCHES_MIN = 3;

  const byId = (id) => document.getElementById(`i${id}`);
  const stretches = () => [...list.querySelectorAll(":scope > .stretch")];
  const entries = () => [...list.querySelectorAll("[data-at]")];
  const keyOf = (entry) => [entry.dataset.at, Number(entry.dataset.id)];
  const isEarlier = ([at, id], [otherAt, otherId]) => at < otherAt || (at === otherAt && id < otherId);
  const comesFirst = (one, other) => (order === "asc" ? isEarlier(one, other) : isEarlier(other, one));
  const edge = () => Math.max(pane.getBoundingClientRect().top, bar.getBoundingClientRect().bottom);
  const topRow = () => entries().find((one) => one.getBoundingClientRect().bottom > edge() + 1);
  const atStart = () => pane.scrollTop < 8 && steps.before.hidden;
  const query = (more) => `?${[kept, more].filter(Boolean).join("&")}`;

  async function ask(where, more = "") {
    const answer = await fetch(`${path}/${where}${query(more)}`, { headers: { "HX-Request": "true" } });
    if (answer.status === 401) location.reload();
    if (!answer.ok) return null;
    const made = document.createElement("template");
    made.innerHTML = await answer.text(); // our own server's piece, where every text is escaped
    return made.content.firstElementChild;
  }

  // ------------------------------------------------------------- nothing moves under the hand

  /** Change the list; the row that is being read stays where it is on the screen. */
  function hold(work) {
    const row = topRow();
    const top = row?.getBoundingClientRect().top;
    work();
    days();
    showSteps();
    if (row?.isConnected) pane.scrollTop += row.getBoundingClientRect().top - top;
  }

  /** A line a day, whatever came in between or was let go. */
  function days() {
    let last = "";
    for (const line of list.querySelectorAll(".day")) {
      line.hidden = line.dataset.day === last;
      last = line.dataset.day;
    }
  }

  // ------------------------------------------------------------------------- it goes on

  const busy = { before: false, after: false };
  const atEdge = (side) => (side === "before" ? stretches()[0] : stretches().at(-1));
  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) goOn(one.target === steps.before ? "before" : "after");
  }, { root: pane, rootMargin: `${AHEAD_PX}px 0px` });

  /** Both ways on say what lies behind them now. */
  function showSteps() {
    for (const [side, step] of Object.entries(steps)) {
      const cursor = atEdge(side)?.dataset[side] ?? "";
      step.hidden = !cursor;
      if (cursor) step.href = `${path}${query(`cursor=${encodeURIComponent(cursor)}`)}`;
    }
  }

  /** Look again whether they are in sight. */
  function settleSteps() {
    showSteps();
    for (const step of Object.values(steps)) {
      watcher.unobserve(step);
      if (!step.hidden) watcher.observe(step);
    }
  }

  async function goOn(side) {
    const cursor = atEdge(side)?.dataset[side];
    if (busy[side] || !cursor) return;
    busy[side] = true;
    try {
      const stretch = await ask("rows", `cursor=${encodeURIComponent(cursor)}`);
      if (!stretch || atEdge(side)?.dataset[side] !== cursor) return;
      withoutDoubles(stretch);
      hold(() => {
        if (side === "before") atEdge(side).before(stretch);
        else atEdge(side).after(stretch);
        letGo(side === "before" ? "after" : "before");
      });
    } catch { /* no connection: the indicator says so, and scrolling on asks again */ } finally {
      busy[side] = false;
      settleSteps();
      month();
    }
  }

  /** What stands in the list already, since it came by itself, does not come again. */
  function withoutDoubles(stretch) {
    for (const row of stretch.querySelectorAll("article[data-id]")) if (byId(row.dataset.id)) row.remove();
    for (const fold of stretch.querySelectorAll(".fold")) {
      for (const id of fold.dataset.ids.split(" ")) byId(id)?.remove();
    }
  }

  function letGo(side) {
    const far = FAR_SCREENS * pane.clientHeight;
    const { top, bottom } = pane.getBoundingClientRect();
    while (stretches().length > STRETCHES_MIN) {
      const last = atEdge(side);
      const place = last.getBoundingClientRect();
      const gone = side === "before" ? place.bottom < top - far : place.top > bottom + far;
      if (!gone || last.contains(document.activeElement)) break;
      last.remove();
    }
  }

  // ----------------------------------------------------------------- folded runs, and links

  async function unfold(fold) {
    const open = fold.nextElementSibling?.matches(".run") ? fold.nextElementSibling : null;
    if (open) {
      open.hidden = !open.hidden;
      fold.setAttribute("aria-expanded", String(!open.hidden));
      return;
    }
    const run = await ask(`rows/${fold.dataset.id}/${fold.dataset.last}`);
    if (!run) return;
    run.className = "run";
    run.querySelectorAll(".day").forEach((line) => line.remove());
    withoutDoubles(run);
    fold.after(run);
    fold.setAttribute("aria-expanded", "true");
  }

  list.addEventListener("click", async (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    const fold = event.target.closest(".fold");
    if (fold) {
      event.preventDefault();
      return unfold(fold);
    }
    const link = event.target.closest('a[href^="#i"]');
    if (!link || document.querySelector(link.hash)) return;
    event.preventDefault(); // an earlier message that is far away: it is opened where it stands
    location.assign(`/interactions/${link.hash.slice(2)}`);
  });

  list.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("article")) event.target.querySelector("[data-card]")?.click();
  });

  // ------------------------------------------------------------------- where one had come to

  // Only what somebody did counts: a browser scrolls by itself too, to the place of a link.
  let byHand = false;
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    pane.addEventListener(name, () => { byHand = true; }, { passive: true });
  }

  function remember() {
    const row = topRow();
    if (!byHand || !row) return;
    const url = new URL(location.href);
    for (const name of ["at", "cursor", "place"]) url.searchParams.delete(name);
    url.hash = "";
    if (!atStart() || url.searchParams.has("around")) url.searchParams.set("place", row.dataset.id);
    history.replaceState({ id: row.dataset.id, off: row.getBoundingClientRect().top - pane.getBoundingClientRect().top }, "", url);
  }

  function begin() {
    history.scrollRestoration = "manual";
    const kept = history.state?.id ? history.state : null;
    const row = kept && entries().find((one) => one.dataset.id === kept.id || one.dataset.ids?.split(" ").includes(kept.id));
    const hit = list.querySelector("[data-hit]")?.closest("article");
    const landing = document.getElementById("landing");
    if (row && new URLSearchParams(location.search).has("place")) {
      pane.scrollTop += row.getBoundingClientRect().top - pane.getBoundingClientRect().top - kept.off;
    } else if (hit && !new URLSearchParams(location.search).has("place")) {
      hit.scrollIntoView({ block: "center" });
      hit.focus({ preventScroll: true });
    } else if (landing) {
      if (location.hash === "#landing") history.replaceState(history.state, "", location.pathname + location.search);
      pane.scrollTop += landing.getBoundingClientRect().top - pane.getBoundingClientRect().top - bar.offsetHeight;
    }
    days();
    settleSteps();
    month();
    pane.addEventListener("scroll", hilo.calmly(remember, 200), { passive: true });
    pane.addEventListener("scroll", hilo.calmly(month, 60), { passive: true });
    addEventListener("pagehide", remember);
  }

  // --------------------------------------------------------------------------- the months

  function month() {
    const now = topRow()?.dataset.day?.slice(0, 7);
    for (const link of document.querySelectorAll("#months [data-month]")) {
      const here = link.dataset.month === now;
      if (here === link.hasAttribute("aria-current")) continue;
      if (!here) { link.removeAttribute("aria-current"); continue; }
      link.setAttribute("aria-current", "true");
      const rail = link.closest("#months");
      const off = link.getBoundingClientRect().top - rail.getBoundingClientRect().top;
      if (off < 0 || off > rail.clientHeight - 32) rail.scrollTop += off - rail.clientHeight / 2;
    }
  }

  async function countMonths() {
    const rail = document.getElementById("months");
    const fresh = await ask("months");
    if (!fresh || rail.contains(document.activeElement)) return;
    const scrolled = rail.scrollTop;
    rail.replaceWith(fresh);
    fresh.scrollTop = scrolled;
    for (const way of bar.querySelectorAll("[data-way]")) way.textContent = fresh.dataset[way.dataset.way];
    month();
  }

  // A date that is picked leads there at once; one that is typed does with Enter.
  const jump = document.getElementById("jump");
  let typed = false;
  jump.elements.at.addEventListener("keydown", () => { typed = true; });
  jump.elements.at.addEventListener("pointerdown", () => { typed = false; });
  jump.elements.at.addEventListener("change", () => { if (!typed) jump.requestSubmit(); });

  // --------------------------------------------------------------------------- what is new

  const waiting = new Map(); // rows that may not come in yet, by their number
  const news = new Set(); // rows that came in out of sight, or wait

  const isHeld = () => pane.scrollTop > 8 || list.matches(":hover") || list.contains(document.activeElement);

  /** Rows come in one after the other, in the order in which they happened to us. */
  let line = Promise.resolve();
  const bring = (id, own) => { line = line.then(() => take(id, own)).catch(() => {}); };

  async function take(id, own) {
    const stretch = await ask(`rows/${id}`);
    const row = stretch?.querySelector("article");
    const known = byId(id);
    if (!row) {
      waiting.delete(id);
      if (stretch && known) hold(() => known.remove());
      return;
    }
    if (known && known.dataset.at === row.dataset.at) return exchange(known, row);
    if (list.querySelector(`.fold[data-ids~="${id}"]`)) return;
    if (known) hold(() => known.remove()); // corrected in time: it takes its new place
    offer(row, stretch.querySelector(".day"), own);
  }

  function exchange(known, row) {
    hold(() => {
      const card = known.querySelector(".cardplace:not([hidden])");
      const focused = known.contains(document.activeElement);
      if (known.querySelector(".ix.hit")) row.querySelector(".ix").classList.add("hit");
      if (card) row.querySelector(".cardplace")?.replaceWith(card);
      known.replaceWith(row);
      if (focused) row.focus({ preventScroll: true });
    });
  }

  /** Put a row where its time is, unless that would push what somebody else than its author reads. */
  function offer(row, day, own) {
    const all = entries();
    const next = all.find((one) => comesFirst(keyOf(row), keyOf(one)));
    const outside = (next === all[0] && next && !steps.before.hidden) || (!next && !steps.after.hidden);
    const newest = order === "asc" ? !next : next === all[0];
    const top = next ? next.getBoundingClientRect().top : list.getBoundingClientRect().bottom;
    const inSight = top > edge() && top < pane.getBoundingClientRect().bottom;
    const pushes = next && inSight && isHeld() && !own;
    if (newest && (outside || pushes || !inSight)) news.add(Number(row.dataset.id));
    if (pushes && !outside) {
      news.add(Number(row.dataset.id));
      waiting.set(Number(row.dataset.id), [row, day]);
    } else if (!outside) {
      put(row, day, next);
    }
    announce();
  }

  function put(row, day, next) {
    const move = inSightOf(next) && !isHeld() ? (work) => { work(); days(); } : hold;
    move(() => {
      document.getElementById("timeline-empty")?.remove();
      const where = next ?? null;
      if (!where) stretches().at(-1).append(...[day, row].filter(Boolean));
      else {
        const line = where.previousElementSibling?.matches(".day") ? where.previousElementSibling : null;
        // Under the line of its own day; above that of the next one.
        if (line && where.dataset.day !== row.dataset.day) line.before(...[day, row].filter(Boolean));
        else where.before(...(line ? [row] : [day, row].filter(Boolean)));
      }
    });
    month();
  }

  const inSightOf = (next) => !next || next.getBoundingClientRect().top > edge();

  function announce() {
    const count = news.size;
    pill.textContent = count === 1 ? pill.dataset.one : pill.dataset.many.replace("{n}", count);
    pill.hidden = !count;
  }

  function letIn() {
    for (const [row, day] of waiting.values()) {
      put(row, day, entries().find((one) => comesFirst(keyOf(row), keyOf(one))));
    }
    waiting.clear();
  }

  function seen() {
    const end = order === "asc"
      ? steps.after.hidden && pane.scrollHeight - pane.scrollTop - pane.clientHeight < 80
      : atStart();
    if (!end || waiting.size) return;
    news.clear();
    announce();
  }

  pill.addEventListener("click", () => {
    const newest = order === "asc" ? steps.after : steps.before;
    if (!newest.hidden && order !== "asc") return location.assign(`${path}${query("")}`);
    if (!newest.hidden) return location.assign(`${path}${query("at=2199-12-31")}#landing`);
    letIn();
    pane.scrollTop = order === "asc" ? pane.scrollHeight : 0;
    seen();
  });
  list.addEventListener("mouseleave", () => { if (waiting.size && !isHeld()) { letIn(); seen(); } });
  pane.addEventListener("scroll", () => {
    if (waiting.size && !isHeld()) letIn();
    seen();
  }, { passive: true });

  // A menu that is open is not pulled away under the hand: what is new waits until it is shut.
  const refreshHead = hilo.calmly(async () => {
    const header = document.getElementById("profile-head");
    if (header.querySelector("details[open]") || header.contains(document.activeElement)) return refreshHead();
    const fresh = await ask("head");
    if (fresh) hold(() => header.replaceWith(fresh));
  }, 400);
  const refreshMonths = hilo.calmly(countMonths, 1500);

  /** Everything may be otherwise: the list is asked for anew, around the row that is being read. */
  async function again() {
    const row = topRow();
    const fresh = await ask("rows", row && !atStart() ? `place=${row.dataset.id}` : "");
    if (!fresh) return;
    const top = row?.getBoundingClientRect().top;
    for (const one of stretches().slice(1)) one.remove();
    atEdge("before").replaceWith(fresh);
    const same = row && byId(row.dataset.id);
    if (same) pane.scrollTop += same.getBoundingClientRect().top - top;
    waiting.clear();
    news.clear();
    announce();
    days();
    settleSteps();
    month();
  }

  document.addEventListener("hilo:event", (event) => {
    const { type, data } = event.detail;
    if (data.contact !== contact && !data.row?.contacts?.includes(contact)) return;
    if (data.row) bring(data.row.id, data.by?.kind === "user" && data.by.id === list.dataset.me);
    else if (/^(contacts|merge|address|note|access)/.test(type)) again();
    if (/^(delivery|watermark|reaction|conversation)/.test(type)) return;
    refreshHead();
    refreshMonths();
  });
  document.addEventListener("hilo:reset", () => { again(); refreshHead(); refreshMonths(); });
  document.addEventListener("hilo:gone", (event) => { if (event.detail.contact === contact) location.assign("/"); });

  // Merged into another contact, the page goes on as that one's, at the row that is being read.
  hilo.whenJoined(contact, async (id, show) => {
    contact = id;
    path = `/contacts/${id}`;
    list.dataset.contact = id;
    history.replaceState(history.state, "", path + location.search + location.hash);
    await again();
    hold(show);
    refreshHead();
    refreshMonths();
  });

  begin();
  if ("later" in document.getElementById("months").dataset) countMonths();
})();

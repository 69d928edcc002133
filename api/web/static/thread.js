// An open conversation: it opens where one left off, new messages take their place by their time,
// what was really seen is noted, and a draft and the place outlive a reload.
"use strict";

// What was logged by hand has arrived: its form need not keep the description any longer.
if (location.hash && document.referrer.endsWith("/log")) {
  sessionStorage.removeItem(`hilo-log ${new URL(document.referrer).pathname}`);
}

(() => {
  const pane = document.getElementById("conversation");
  const thread = document.getElementById("messages");
  const pill = document.getElementById("new-messages");
  let { contact } = pane.dataset;
  let path = `/conversations/${contact}`;
  const SEEN_MS = 600;
  const NEAR_PX = 80;

  const head = () => document.getElementById("head");
  const articles = () => [...thread.querySelectorAll(":scope > article")];
  const atEnd = () => thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR_PX;
  const toEnd = () => { thread.scrollTop = thread.scrollHeight; };
  const keyOf = (article) => [article.dataset.at, Number(article.dataset.id)];
  const before = ([at, id], [otherAt, otherId]) => at < otherAt || (at === otherAt && id < otherId);

  // ------------------------------------------------------------------ where it opens

  const PLACE = () => `place:${contact}`;

  /** The row that is being read, and where it stands; null at the end. */
  function placeNow() {
    const top = thread.getBoundingClientRect().top;
    const first = articles().find((one) => one.getBoundingClientRect().bottom > top);
    return first && !atEnd() ? { id: first.dataset.id, off: first.getBoundingClientRect().top - top } : null;
  }

  function goTo(place) {
    const there = document.getElementById(`i${place.id}`);
    if (there) thread.scrollTop += there.getBoundingClientRect().top - thread.getBoundingClientRect().top - place.off;
  }

  const remember = () => sessionStorage.setItem(PLACE(), JSON.stringify(placeNow()));

  /** Everything may be otherwise: it is asked for anew, around the row that is being read. */
  async function anew() {
    const place = placeNow();
    await load(place ? `around=${place.id}` : "");
    thread.querySelector(".hit")?.classList.remove("hit");
    if (place) goTo(place);
    else toEnd();
    articles().forEach(watch);
  }

  async function begin() {
    const [kind] = performance.getEntriesByType("navigation").map((one) => one.type);
    const kept = kind === "reload" ? JSON.parse(sessionStorage.getItem(PLACE()) ?? "null") : null;
    const hit = thread.querySelector(".hit");
    const line = document.getElementById("new-line");
    if (kept) {
      if (!document.getElementById(`i${kept.id}`)) await load(`around=${kept.id}`);
      goTo(kept);
    } else if (hit) {
      hit.scrollIntoView({ block: "center" });
      hit.focus({ preventScroll: true });
    } else if (line) {
      thread.scrollTop += line.getBoundingClientRect().top - thread.getBoundingClientRect().top - thread.clientHeight / 3;
    } else {
      toEnd();
    }
    htmx.process(thread); // only now may "earlier messages" come into sight
    thread.addEventListener("scroll", hilo.calmly(remember, 150), { passive: true });
    addEventListener("pagehide", remember);
    articles().forEach(watch);
  }

  async function load(query) {
    const answer = await fetch(`${path}/messages?${query}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    thread.innerHTML = await answer.text(); // our own server's page, where every text is escaped
    htmx.process(thread);
  }

  // A stretch that comes in above must not push what is being read.
  let held = null;
  thread.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.closest(".cardplace")) return; // a card is led into sight
    const first = articles()[0];
    held = first ? { first, top: first.getBoundingClientRect().top } : null;
  });
  thread.addEventListener("htmx:afterSettle", () => {
    if (held?.first.isConnected) thread.scrollTop += held.first.getBoundingClientRect().top - held.top;
    held = null;
    days();
    articles().forEach(watch);
  });

  /** One line a day, whatever came in between. */
  function days() {
    const seen = new Set();
    for (const line of thread.querySelectorAll(":scope > .day")) {
      if (seen.has(line.dataset.day)) line.remove();
      seen.add(line.dataset.day);
    }
  }

  // --------------------------------------------------------------------- what is new

  let news = 0;

  async function bring(id) {
    const there = document.getElementById(`i${id}`);
    const answer = await fetch(`${path}/messages/${id}`, { headers: { "HX-Request": "true" } });
    if (answer.status === 404) there?.remove();
    if (!answer.ok) return;
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    const article = made.content.querySelector("article");
    const ours = document.getElementById(`i${id}`);
    if (!article) return ours?.remove();
    if (ours) return replace(ours, article);
    if (thread.querySelector(":scope > .later")) return announce(article); // its place is further on
    const wasAtEnd = atEnd();
    put(article, made.content.querySelector(".day"));
    htmx.process(article);
    watch(article);
    if (wasAtEnd && !document.hidden) toEnd();
    else announce(article);
  }

  function replace(ours, article) {
    if (ours.dataset.at !== article.dataset.at) { // corrected in time: it takes its new place
      ours.remove();
      return put(article, null);
    }
    const card = ours.querySelector(".cardplace:not([hidden])");
    const focused = ours === document.activeElement;
    ours.replaceWith(article);
    if (card) article.querySelector(".cardplace")?.replaceWith(card);
    if (focused) article.focus({ preventScroll: true });
    htmx.process(article);
    watch(article);
  }

  /** Put a message where its time is, under its day. */
  function put(article, day) {
    const after = articles().find((one) => before(keyOf(article), keyOf(one)));
    const line = thread.querySelector(`:scope > .day[data-day="${article.dataset.day}"]`);
    let where = after ?? thread.querySelector(":scope > .later");
    if (after && after.dataset.day !== article.dataset.day) {
      where = thread.querySelector(`:scope > .day[data-day="${after.dataset.day}"]`) ?? after;
    }
    thread.insertBefore(article, where ?? null);
    if (!line && day) article.before(day);
  }

  function announce(article) {
    if (!("in" in article.dataset) && !article.classList.contains("note")) return;
    news += 1;
    pill.querySelector("span").textContent = news === 1 ? pill.dataset.one : pill.dataset.many.replace("{n}", news);
    pill.hidden = false;
  }

  pill.addEventListener("click", async () => {
    if (thread.querySelector(":scope > .later")) location.assign(`${path}${location.search.replace(/([?&])(around|cursor)=[^&]*/g, "$1")}`);
    toEnd();
  });
  thread.addEventListener("scroll", () => {
    if (!atEnd()) return;
    news = 0;
    pill.hidden = true;
  }, { passive: true });

  const state = hilo.calmly(() => {
    htmx.ajax("GET", `${path}/head${location.search}`, { target: "#head", swap: "outerHTML" });
  }, 100);

  // A menu that is open is not pulled away under the hand: what is new waits until it is shut.
  const refreshHead = () => state();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (target.id !== "head" || requestConfig.verb !== "get") return;
    if (!head().querySelector("details[open]")) return;
    event.detail.shouldSwap = false;
    setTimeout(refreshHead, 500);
  });

  document.addEventListener("hilo:event", (event) => {
    const { type, data } = event.detail;
    const concerns = data.contact === contact || data.row?.contacts?.includes(contact);
    if (!concerns) return;
    if (data.row) bring(data.row.id);
    if (/^(contacts|merge|address)/.test(type)) anew();
    if (!/^(delivery|watermark|reaction)/.test(type)) refreshHead();
  });
  document.addEventListener("hilo:reset", () => { anew(); refreshHead(); });
  document.addEventListener("hilo:gone", (event) => { if (event.detail.contact === contact) location.assign("/"); });

  // Merged into another contact, the page goes on as that one's, at the row that is being read.
  hilo.whenJoined(contact, async (id, show) => {
    const draft = localStorage.getItem(`draft:${contact}`);
    if (draft && !localStorage.getItem(`draft:${id}`)) localStorage.setItem(`draft:${id}`, draft);
    localStorage.removeItem(`draft:${contact}`);
    contact = id;
    path = `/conversations/${id}`;
    pane.dataset.contact = id;
    history.replaceState(history.state, "", path + location.search);
    show();
    const answer = await fetch(`/v1/conversations/${id}`);
    if (answer.ok) through = (await answer.json()).seen_through ?? 0;
    viewed.clear();
    await anew();
    refreshHead();
    document.dispatchEvent(new CustomEvent("hilo:seen")); // the list marks the row that is open now
  });

  // ------------------------------------------------------------------ what was seen

  let through = Number(head().dataset.seen);
  const viewed = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) viewed.add(Number(entry.target.dataset.id));
    noteSeen();
  }, { root: thread, threshold: 0.5 });

  function watch(article) {
    if ("in" in article.dataset && Number(article.dataset.id) > through) watcher.observe(article);
  }

  const noteSeen = hilo.calmly(async () => {
    if (document.hidden || !document.hasFocus()) return;
    const waiting = articles().filter((one) => "in" in one.dataset).map((one) => Number(one.dataset.id)).filter((id) => id > through);
    const missed = Math.min(...waiting.filter((id) => !viewed.has(id)));
    const seen = Math.max(...waiting.filter((id) => viewed.has(id) && id < missed), 0);
    if (seen <= through) return;
    through = seen;
    const answer = await hilo.post(`/v1/conversations/${contact}/seen`, { through: seen });
    if (answer.ok) document.dispatchEvent(new CustomEvent("hilo:seen"));
  }, SEEN_MS);
  document.addEventListener("visibilitychange", noteSeen);
  addEventListener("focus", noteSeen);

  // Marked unread again by hand: it stays so until the page is opened anew.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.parameters.get?.("do") === "unread" || event.detail.parameters.do === "unread") through = Infinity;
  });

  // ------------------------------------------------------------------- a draft stays

  const form = document.getElementById("note-form");
  const draft = form?.elements.text;
  if (draft) {
    const KEY = () => `draft:${contact}`;
    const fit = () => {
      draft.rows = Math.min(8, draft.value.split("\n").length);
    };
    draft.value = localStorage.getItem(KEY()) ?? "";
    fit();
    draft.addEventListener("input", () => {
      if (draft.value) localStorage.setItem(KEY(), draft.value);
      else localStorage.removeItem(KEY());
      fit();
    });
    draft.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("htmx:afterRequest", (event) => {
      if (!event.detail.successful) return;
      localStorage.removeItem(KEY());
      draft.value = "";
      fit();
      toEnd();
    });
  }

  if (window.htmx) begin();
})();

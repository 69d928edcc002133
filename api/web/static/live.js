// What happens, as it happens: one stream of events for the page, resumed where it broke off.
//
//   hilo:event   detail: { type, data }, for each event of the ledger that the reader may see
//   hilo:gone    detail: { contact }, which is out of the reader's sight from now on
//   hilo:reset   too much happened meanwhile: whatever the page shows must be loaded anew
//   hilo:live    detail: "live", "behind" or "stale", when that changes
//
// The browser resumes by itself with the id of the last message; where the server ended the
// stream for good (a restart, a refusal) we begin a new one behind that id. So nothing is missed.
"use strict";

(() => {
  const SILENT_MS = 40000; // the server says something at least every 15 s
  const RETRY_MS = 1000;
  const RETRY_MAX_MS = 15000;

  const indicator = document.getElementById("live");
  if (!indicator) return;
  let last = Number(document.body.dataset.position);
  let head = last;
  let source = null;
  let heard = Date.now();
  let retry = RETRY_MS;
  let state = "";
  let since = "";

  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

  function show(now) {
    if (now === state) return;
    if (now === "stale") since = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit", hourCycle: "h23" });
    state = now;
    for (const one of document.querySelectorAll(".live")) {
      one.classList.toggle("on", now === "live");
      one.classList.toggle("behind", now === "behind");
      one.classList.toggle("stale", now === "stale");
      one.textContent = indicator.dataset[now] + (now === "stale" ? ` ${since}` : "");
    }
    tell("hilo:live", now);
  }

  function note(event) {
    heard = Date.now();
    retry = RETRY_MS;
    if (event.lastEventId) last = Math.max(last, Number(event.lastEventId));
    show(last < head ? "behind" : "live");
  }

  function places(event) {
    head = JSON.parse(event.data).head;
    note(event);
  }

  function open() {
    source?.close();
    source = new EventSource(`/v1/stream?after=${last}`);
    source.addEventListener("hello", places);
    source.addEventListener("tick", places);
    source.addEventListener("gone", (event) => { note(event); tell("hilo:gone", JSON.parse(event.data)); });
    source.addEventListener("reset", (event) => { note(event); tell("hilo:reset", null); });
    for (const type of TYPES) {
      source.addEventListener(type, (event) => {
        note(event);
        tell("hilo:event", { type, data: JSON.parse(event.data) });
      });
    }
    source.onerror = lost;
  }

  function lost() {
    show("stale");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    setTimeout(again, retry);
    retry = Math.min(retry * 2, RETRY_MAX_MS);
  }

  /** Begin anew; whoever was signed out meanwhile is led to the door. */
  async function again() {
    try {
      const answer = await fetch("/v1/me");
      if (answer.status === 401) return location.reload();
    } catch { /* the server is not there yet: the stream will say so again */ }
    open();
  }

  setInterval(() => {
    if (Date.now() - heard < SILENT_MS) return;
    heard = Date.now();
    show("stale");
    again();
  }, SILENT_MS / 4);

  // The browser knows at once that the line is cut, and when it is back.
  addEventListener("offline", () => show("stale"));
  addEventListener("online", () => again());

  // The number in the title and at the tabs: the unread conversations.
  const count = hilo.calmly(async () => {
    const answer = await fetch("/v1/conversations/counts");
    if (answer.ok) hilo.unread((await answer.json()).unread);
  }, 300);

  hilo.unread = (unread) => {
    const plain = document.title.replace(/^\(\d+\+?\) /, "");
    document.title = unread ? `(${unread}) ${plain}` : plain;
    for (const one of document.querySelectorAll("[data-unread-count]")) {
      one.textContent = unread || "";
      one.hidden = !unread && one.classList.contains("count");
    }
  };

  const TYPES = indicator.dataset.topics.split(" ");
  const CONCERNS = /^(interaction|conversation|contact|twin|user)/;
  document.addEventListener("hilo:event", (event) => { if (CONCERNS.test(event.detail.type)) count(); });
  document.addEventListener("hilo:gone", count);
  document.addEventListener("hilo:reset", count);
  document.addEventListener("hilo:seen", count);
  count();
  if (window.EventSource) open();
})();

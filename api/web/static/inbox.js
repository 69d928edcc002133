// The list of conversations keeps itself fresh. What changed in a row is shown at once, where it
// stands; the order changes only while nobody points at the list, writes in it or has scrolled
// it: until then a pill says how many are new.
"use strict";

(() => {
  const list = document.getElementById("list");
  const pill = document.getElementById("new-conversations");
  const scroll = document.getElementById("list-scroll");
  let fresh = null; // the list as the server has it now, where ours may not move yet

  const rows = () => document.getElementById("rows");
  const idsOf = (ul) => [...ul.querySelectorAll(":scope > li[data-id]")].map((li) => li.dataset.id);
  const open = () => document.getElementById("conversation")?.dataset.contact ?? "";

  const isHeld = () =>
    list.matches(":hover") || scroll.scrollTop > 8 ||
    scroll.contains(document.activeElement) && document.activeElement !== scroll ||
    list.querySelector("input[name=ids]:checked") !== null;

  const fetched = async () => {
    const path = `${rows().dataset.list}&open=${open()}`.replace("?&", "?");
    const answer = await fetch(path, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  async function refresh() {
    const next = await fetched();
    if (!next) return;
    for (const part of ["tabs"]) document.getElementById(part).replaceWith(next.getElementById(part));
    const there = next.getElementById("rows");
    for (const li of there.querySelectorAll(":scope > li[data-id]")) {
      const ours = rows().querySelector(`:scope > li[data-id="${li.dataset.id}"] > a`);
      if (ours) update(ours, li.querySelector(":scope > a"));
    }
    const now = idsOf(rows());
    const wanted = idsOf(there);
    const same = there.querySelector(":scope > .more") ? now.slice(0, wanted.length) : now;
    if (same.join() === wanted.join()) return settle();
    fresh = next;
    if (isHeld()) announce(now, wanted);
    else apply();
  }

  /** The same row with what is new in it; the element stays, and so does the focus. */
  function update(ours, theirs) {
    if (ours.innerHTML !== theirs.innerHTML) ours.innerHTML = theirs.innerHTML;
    ours.className = theirs.className;
    if (theirs.hasAttribute("aria-current")) ours.setAttribute("aria-current", theirs.getAttribute("aria-current"));
    else ours.removeAttribute("aria-current");
  }

  function announce(now, wanted) {
    const places = new Map(now.map((id, place) => [id, place]));
    const news = wanted.filter((id, place) => !places.has(id) || places.get(id) > place + 1).length || 1;
    pill.textContent = news === 1 ? pill.dataset.one : pill.dataset.many.replace("{n}", news);
    // Who only left goes when nobody points at the list any more: nothing is new.
    pill.hidden = now.filter((id) => wanted.includes(id)).join() === wanted.join();
  }

  function settle() {
    fresh = null;
    pill.hidden = true;
  }

  function apply() {
    if (!fresh) return;
    const there = fresh.getElementById("rows");
    const empty = fresh.getElementById("list-empty");
    const kept = new Map([...rows().children].filter((li) => li.dataset.id).map((li) => [li.dataset.id, li]));
    rows().replaceChildren(...[...there.children].map((li) => kept.get(li.dataset.id) ?? document.adoptNode(li)));
    document.getElementById("list-empty")?.remove();
    if (empty) scroll.append(document.adoptNode(empty));
    htmx.process(rows());
    settle();
  }

  const soon = hilo.calmly(refresh, 150); // the message itself goes first, in the thread

  pill.addEventListener("click", () => {
    apply();
    scroll.scrollTop = 0;
  });
  list.addEventListener("mouseleave", () => { if (fresh && !isHeld()) apply(); });
  scroll.addEventListener("scroll", () => { if (fresh && !isHeld()) apply(); }, { passive: true });

  document.addEventListener("hilo:event", (event) => {
    if (/^(interaction|conversation|contact|address|access|merge|twin|delivery|note)/.test(event.detail.type)) soon();
  });
  for (const name of ["hilo:gone", "hilo:reset", "hilo:seen"]) document.addEventListener(name, soon);

  // How many are ticked.
  const picked = list.querySelector("[data-picked]");
  list.addEventListener("change", () => {
    const ticked = list.querySelectorAll("input[name=ids]:checked").length;
    picked.textContent = ticked === 1 ? picked.dataset.one : picked.dataset.many.replace("{n}", ticked);
  });
  document.getElementById("bulk").addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    for (const box of list.querySelectorAll("input[name=ids]:checked")) box.checked = false;
    soon();
  });
})();

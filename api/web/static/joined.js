// A contact that was merged is a part of another one from then on. A page about it says so at
// once, and goes on as the page of the contact that is left, where it stands.
"use strict";

/** Hear when a contact became part of another one: `goOn(id, show)` makes the page that one's. */
hilo.whenJoined = (first, goOn) => {
  const note = document.getElementById("joined");
  let contact = first;
  let by = "";

  /** What pages call a contact. */
  async function nameOf(now) {
    const answer = await fetch(`/contacts/${now.id}/head`, { headers: { "HX-Request": "true" } });
    const head = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    return head?.querySelector("h1")?.textContent.trim() || now.label;
  }

  const look = hilo.calmly(async () => {
    const answer = await fetch(`/v1/contacts/${contact}`).catch(() => null);
    if (!answer?.ok) return;
    const now = await answer.json();
    if (now.id === contact) return;
    const called = document.querySelector("#profile-head h1, #head h1").textContent.trim();
    const name = await nameOf(now);
    contact = now.id;
    goOn(contact, () => {
      const said = by ? note.dataset.by : note.dataset.said;
      note.querySelector("span").textContent = said.replace("{by}", by).replaceAll("{name}", name);
      note.querySelector("a").href = `/contacts/${contact}/merge`;
      note.hidden = false;
      if (called) document.title = document.title.replace(called, name);
    });
  }, 100);

  note.querySelector("button").addEventListener("click", () => { note.hidden = true; });
  document.addEventListener("hilo:event", (event) => {
    if (!/^(contacts\.merged|address\.linked)$/.test(event.detail.type)) return;
    by = event.detail.data.by?.name ?? "";
    look();
  });
  document.addEventListener("hilo:reset", () => { by = ""; look(); });
};

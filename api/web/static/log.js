// The form Log activity. Wherever a link leads to it, it opens over the page one is on; without
// this file it is a page of its own. What a channel recorded already shows as one types, Ctrl+Enter
// saves, Escape closes, and a description that was not saved is there again when the form is.
"use strict";

(() => {
  const IS_FORM = /^(\/contacts\/[0-9a-f-]{36})?\/log$/;
  const ARRIVES_MS = 1500; // the stream brings what was saved; after that we go and look for it

  const draftOf = (form) => `hilo-log ${form.dataset.draft}`;
  const buttons = (form) => [...form.querySelectorAll("footer button")];
  const header = () => ({ "HX-Request": "true", "X-CSRF-Token": document.body.dataset.csrf });

  // ------------------------------------------------------------------- any form of it

  /** Give a form what it needs, in a dialog or on its own page. */
  function ready(form) {
    const text = form.elements.text;
    if (!text.value) text.value = sessionStorage.getItem(draftOf(form)) ?? "";
    text.addEventListener("input", () => sessionStorage.setItem(draftOf(form), text.value));
    const soon = hilo.calmly(() => likely(form), 150);
    form.addEventListener("change", (event) => {
      if (["channel", "direction", "occurred_at", "who", "contact"].includes(event.target.name)) soon();
    });
    if (!form.querySelector("#log-twins .notice")) likely(form);
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit(form.querySelector("footer .p"));
    });
  }

  function body(form, what) {
    const sent = new URLSearchParams(new FormData(form));
    sent.set("do", what);
    return sent;
  }

  /** Show what may be the same event, as soon as type, direction and time are known. */
  async function likely(form) {
    const mine = (form.turn = (form.turn ?? 0) + 1);
    const answer = await fetch(form.action, { method: "POST", headers: header(), body: body(form, "twins") }).catch(() => null);
    if (!answer?.ok || form.turn !== mine || form.saving) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (form.turn !== mine || form.saving) return;
    for (const id of ["log-twins", "log-buttons"]) {
      const ours = form.querySelector(`#${id}`);
      const theirs = found.getElementById(id);
      if (ours.innerHTML.trim() !== theirs.innerHTML.trim()) ours.replaceChildren(...theirs.childNodes);
    }
  }

  // --------------------------------------------------------------------- in a dialog

  async function open(link) {
    const address = `${link.pathname}?piece=true`;
    const answer = await fetch(address, { headers: header() }).catch(() => null);
    if (!answer?.ok) return location.assign(link.href);
    const menu = link.closest("details.menu"); // it is shut, or it would stand open afterwards
    const from = menu ? menu.querySelector("summary") : link;
    if (menu) menu.open = false;
    const dialog = document.createElement("dialog");
    dialog.className = "dlg logdlg";
    dialog.setAttribute("aria-labelledby", "log-title");
    dialog.innerHTML = await answer.text(); // our own server's piece, where every text is escaped
    // On a phone one begins at the top: a keyboard that comes up would hide the rest.
    if (!matchMedia("(min-width: 768px)").matches) dialog.querySelector("[autofocus]")?.removeAttribute("autofocus");
    document.body.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); if (from.isConnected) from.focus(); });
    dialog.addEventListener("click", (event) => {
      if (event.target !== dialog && !event.target.closest("[data-cancel]")) return;
      event.preventDefault();
      dialog.close();
    });
    dialog.addEventListener("submit", (event) => { event.preventDefault(); save(dialog, event); });
    dialog.showModal();
    ready(dialog.querySelector("form"));
    focusIn(dialog);
  }

  function focusIn(dialog) {
    (dialog.querySelector("[aria-invalid]") ?? dialog.querySelector("[autofocus]"))?.focus();
  }

  async function save(dialog, event) {
    const form = dialog.querySelector("form");
    if (form.saving) return; // one press is one record; the key of the form sees to it as well
    form.saving = true;
    for (const button of buttons(form)) button.setAttribute("aria-busy", "true");
    const answer = await fetch(form.action, {
      method: "POST", headers: header(), body: body(form, event.submitter?.value || "save"),
    }).catch(() => null);
    if (answer?.status === 201) {
      sessionStorage.removeItem(draftOf(form));
      dialog.close();
      hilo.say(form.dataset.saved);
      return arrive(await answer.json(), form.dataset.contact);
    }
    const said = answer?.headers.get("content-type")?.startsWith("text/html") ? await answer.text() : "";
    if (said.includes("log-form")) {
      dialog.innerHTML = said;
      ready(dialog.querySelector("form"));
      return focusIn(dialog);
    }
    form.saving = false;
    for (const button of buttons(form)) button.removeAttribute("aria-busy");
    hilo.say(said && !said.includes("<") ? said.trim() : document.body.dataset.failed);
  }

  /** Lead the eye to what was saved, once the stream has brought it; else go where it stands. */
  function arrive(done, contact) {
    if (!contact || !location.pathname.includes(contact)) return location.assign(done.where);
    if (done.linked) return;
    const until = performance.now() + ARRIVES_MS;
    const look = () => {
      const there = document.getElementById(`i${done.id}`);
      if (there) {
        for (const one of document.querySelectorAll(".hit")) one.classList.remove("hit");
        (there.querySelector(".ix") ?? there).classList.add("hit");
        there.scrollIntoView({ block: "nearest" });
      } else if (performance.now() < until) {
        setTimeout(look, 50);
      } else {
        location.assign(done.where);
      }
    };
    look();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.origin !== location.origin || !IS_FORM.test(link.pathname) || link.closest("dialog")) return;
    event.preventDefault();
    open(link);
  });

  // ------------------------------------------------------------------ on its own page

  const page = document.getElementById("log-form");
  if (page) {
    ready(page);
    if (!matchMedia("(min-width: 768px)").matches && !page.querySelector("[aria-invalid]")) {
      document.activeElement?.blur(); // one begins at the top, as in the dialog
      page.scrollIntoView();
    }
    page.addEventListener("submit", () => setTimeout(() => {
      for (const button of buttons(page)) button.disabled = true;
    }));
    window.addEventListener("pageshow", () => {
      for (const button of buttons(page)) button.disabled = false;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) page.querySelector("[data-cancel]").click();
    });
  }
})();

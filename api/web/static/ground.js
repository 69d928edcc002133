// What every page has: a word at the foot (toast), copying, dialogs, the token of forms.
// Whatever a page does without this file, it also does with it.
"use strict";

window.hilo = {
  /** Say something for a moment, to eyes and to readers of screens. */
  say(text) {
    const toast = document.getElementById("toast");
    if (!toast || !text) return;
    toast.textContent = text;
    toast.hidden = false;
    clearTimeout(this.silence);
    this.silence = setTimeout(() => { toast.hidden = true; }, 4000);
  },

  /** Copy a text, also where the page came over plain HTTP and browsers keep the clipboard shut. */
  async copy(text, what = "copied") {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "vh";
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    this.say(document.body.dataset[what]);
  },

  /** Send something to the API as the person who is signed in. */
  post(path, body) {
    return fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf },
      body: JSON.stringify(body),
    });
  },

  /** Wait until there has been quiet for so many milliseconds; then do it once. */
  calmly(work, quiet) {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(work, quiet);
    };
  },
};

/** The text of a row: a template keeps it, so that it is copied as it was written. */
hilo.textOf = (row) => row?.querySelector("[data-text]")?.textContent.trim() ?? "";

/** Copy the text of a row. A row that shows a part of it says where the whole is. */
hilo.copyText = async (row) => {
  const whole = row?.querySelector("[data-text]")?.dataset.whole;
  const answer = whole ? await fetch(whole).catch(() => null) : null;
  const found = answer?.ok ? await answer.json() : null;
  const text = found ? [found.subject, found.text].filter(Boolean).join("\n") : hilo.textOf(row);
  if (text) hilo.copy(text, "copiedText");
};

document.addEventListener("click", (event) => {
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    event.preventDefault();
    const row = copier.closest("[data-row]");
    if (copier.dataset.copy === "text") hilo.copyText(row);
    else hilo.copy(copier.dataset.copy, copier.href ? "copiedLink" : "copied");
  }
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  shutMenus(event.target);
});

// One menu at a time, and none after a click elsewhere, or when the focus has gone on.
const shutMenus = (but) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(but)) menu.open = false;
  }
};
document.addEventListener("focusin", (event) => shutMenus(event.target));

// Escape shuts a menu, and gives the focus back to what opened it.
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" ? document.querySelector("details.menu[open]") : null;
  if (!menu || document.querySelector("dialog[open]")) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.preventDefault();
});

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = document.body.dataset.csrf;
});

// A refusal is a sentence in the reader's language.
document.addEventListener("htmx:responseError", (event) => {
  const said = event.detail.xhr.responseText;
  hilo.say(said && !said.includes("<") ? said.trim() : document.body.dataset.failed);
});
document.addEventListener("htmx:sendError", () => hilo.say(document.body.dataset.failed));

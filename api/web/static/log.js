// The form Log activity: Ctrl+Enter saves, Escape leaves, and a description that was not saved
// (signed out meanwhile, closed by mistake) is there again when the form is opened again.
"use strict";

(() => {
  const form = document.getElementById("log-form");
  const text = form.elements.text;
  const name = `hilo-log ${form.dataset.draft}`;

  if (!text.value) text.value = sessionStorage.getItem(name) ?? "";
  text.addEventListener("input", () => sessionStorage.setItem(name, text.value));

  // One press is one record; the key of the form sees to it as well.
  form.addEventListener("submit", () => setTimeout(() => {
    for (const button of form.querySelectorAll("footer button")) button.disabled = true;
  }));
  window.addEventListener("pageshow", () => {
    for (const button of form.querySelectorAll("footer button")) button.disabled = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("footer .p"));
    } else if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      form.querySelector("[data-cancel]").click();
    }
  });
})();

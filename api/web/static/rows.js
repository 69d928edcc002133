// The small arrow of a row opens its card below it, and closes it again; without this file, or
// with a middle click, the card is a page.
"use strict";

document.addEventListener("click", async (event) => {
  const arrow = event.target.closest("[data-card]");
  if (!arrow || event.metaKey || event.ctrlKey || event.shiftKey || !window.htmx) return;
  event.preventDefault();
  const place = document.getElementById(arrow.dataset.card);
  if (place.hidden && !place.firstElementChild) {
    await htmx.ajax("GET", `${arrow.getAttribute("href")}?piece=true`, { target: place, swap: "innerHTML" });
  }
  place.hidden = !place.hidden;
  arrow.setAttribute("aria-expanded", String(!place.hidden));
  if (!place.hidden) place.scrollIntoView({ block: "nearest" });
});

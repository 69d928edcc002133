// The welcome of an empty ledger gives way to Conversations with the first interaction.
"use strict";

document.addEventListener("hilo:event", (event) => {
  if (event.detail.type === "interaction.recorded") location.reload();
});
document.addEventListener("hilo:reset", () => location.reload());

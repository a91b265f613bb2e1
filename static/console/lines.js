// Comfort only: an action that was found goes into the list of actions, on a line of its own.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-line]");
  const list = document.querySelector("[data-lines]");
  if (!button || !list) return;
  const lines = list.value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!lines.includes(button.dataset.addLine)) list.value = [...lines, button.dataset.addLine].join("\n");
  list.dispatchEvent(new Event("input", { bubbles: true }));
});

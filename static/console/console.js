// Comfort only: every page works without it.
"use strict";

// A word on a button, for a moment; pressing it again meanwhile does not make the word its label.
function say(button, word) {
  if (button.dataset.label) return;
  const children = [...button.childNodes];
  button.dataset.label = "kept";
  button.replaceChildren(word);
  setTimeout(() => { button.replaceChildren(...children); delete button.dataset.label; }, 1500);
}

document.addEventListener("click", (event) => {
  const toggle = event.target.closest("[data-theme-toggle]");
  if (toggle) {
    const root = document.documentElement;
    const theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", theme);
    try { localStorage.setItem("theme", theme); } catch (error) { /* storage may be off */ }
  }

  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const source = document.querySelector(copy.dataset.copy);
    // Only https and this machine itself have a clipboard: elsewhere the text is marked, to be copied by hand.
    const copied = navigator.clipboard ? navigator.clipboard.writeText(source.value || source.textContent.trim()) : Promise.reject();
    copied.then(() => say(copy, "Copied"), () => {
      if (source.select) source.select(); else window.getSelection().selectAllChildren(source);
      say(copy, "Marked");
    });
  }

  // Secrets stay hidden until asked for.
  const reveal = event.target.closest("[data-reveal]");
  if (reveal) {
    const field = document.querySelector(reveal.dataset.reveal);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    reveal.textContent = shown ? "Show" : "Hide";
    reveal.setAttribute("aria-pressed", String(!shown));
  }

  // A secret shown once, saved as a file without another request.
  const save = event.target.closest("[data-download]");
  if (save) {
    const link = document.createElement("a");
    const text = document.querySelector(save.dataset.content).value;
    link.href = URL.createObjectURL(new Blob([text], { type: save.dataset.download.endsWith(".json") ? "application/json" : "text/csv" }));
    link.download = save.dataset.download;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const all = event.target.closest("[data-check-all]");
  if (all) {
    document.querySelectorAll(`input[type=checkbox][name="${all.dataset.checkAll}"]`).forEach((box) => {
      box.checked = all.checked;
    });
  }
});

// Typing the name frees the button of a destructive form; the server checks it again.
document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-confirm-text]");
  if (field) {
    field.form.querySelector("[type=submit]").disabled = field.value !== field.dataset.confirmText;
  }
});

document.querySelectorAll("[data-confirm-text]").forEach((field) => {
  field.form.querySelector("[type=submit]").disabled = field.value !== field.dataset.confirmText;
});

// A form that was sent shows it, and can't be sent twice.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && !event.target.hasAttribute("hx-get") && !event.target.hasAttribute("hx-post")) {
    setTimeout(() => { button.disabled = true; button.classList.add("btn-loading"); }, 0);
  }
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    document.querySelectorAll(".btn-loading").forEach((button) => {
      button.disabled = false;
      button.classList.remove("btn-loading");
    });
  }
});

// How long a role or an outside sign-in still lasts, and a word before it ends. The server ends it, not this clock.
const left = document.querySelector("[data-ends]");
if (left) {
  const ends = Date.parse(left.dataset.ends);
  const tick = () => {
    const minutes = Math.max(0, Math.ceil((ends - Date.now()) / 60000));
    left.textContent = minutes > 90 ? `${Math.floor(minutes / 60)} h left` : `${minutes} min left`;
    if (minutes <= 5) { document.querySelector("[data-ending]").hidden = false; }
  };
  tick();
  setInterval(tick, 15000);
}

// What was refused is where one types next.
document.querySelector("[aria-invalid='true']")?.focus();

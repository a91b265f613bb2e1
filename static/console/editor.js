// Makes a document's plain text field an editor. The text field stays the form's own: without this, all still works.
"use strict";

(() => {
  const field = document.querySelector("[data-editor]");
  if (!field || !window.ace) return;
  const findings = document.getElementById("findings");
  const tools = document.querySelector("[data-editor-tools]");
  const plain = document.querySelector("[data-editor-plain]");
  let changed = false;
  let editor = null;

  // Style elements and blob workers are not allowed here: our own files bring the styles, the server the findings.
  ace.config.set("useStrictCSP", true);
  ace.config.set("loadWorkerFromBlob", false);

  const isPlain = () => { try { return localStorage.getItem("plain-editor") === "1"; } catch (error) { return false; } };
  const theme = () => document.documentElement.dataset.bsTheme === "dark" ? "github_dark" : "github_light_default";

  function annotate() {
    if (!editor) return;
    editor.session.setAnnotations([...findings.querySelectorAll("[data-severity]")].map((item) => ({
      row: Number(item.dataset.line) - 1,
      column: 0,
      text: item.dataset.message,
      type: item.dataset.severity === "error" ? "error" : item.dataset.severity === "suggestion" ? "info" : "warning",
    })));
  }

  function open() {
    const place = document.createElement("div");
    field.before(place);
    editor = ace.edit(place, {
      mode: "ace/mode/json", theme: `ace/theme/${theme()}`, value: field.value, useWorker: false, tabSize: 2,
      useSoftTabs: true, showPrintMargin: false, enableKeyboardAccessibility: true, fontSize: 14,
      placeholder: "A policy document in JSON",
    });
    editor.session.on("change", () => {
      field.value = editor.getValue();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const typing = editor.textInput.getElement();
    typing.setAttribute("aria-label", "Document");
    if (field.getAttribute("aria-describedby")) typing.setAttribute("aria-describedby", field.getAttribute("aria-describedby"));
    field.hidden = true;
    annotate();
  }

  function close() {
    const place = editor.container;
    editor.destroy();
    place.remove();
    editor = null;
    field.hidden = false;
  }

  function goTo(line, column) {
    if (editor) {
      editor.gotoLine(line, column - 1, false);
      editor.focus();
      return;
    }
    const before = field.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    field.focus();
    field.setSelectionRange(before + column - 1, before + column - 1);
  }

  // A text that is not JSON stays as it is, and so does one that would lose something, such as a name given twice.
  function formatted(text) {
    try {
      const content = JSON.parse(text);
      const dense = text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
      return JSON.stringify(content) === dense ? JSON.stringify(content, null, 2) : text;
    } catch (error) {
      return text;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-go-line]");
    if (link) {
      event.preventDefault();
      goTo(Number(link.dataset.goLine), Number(link.dataset.goColumn));
    }
    if (event.target.closest("[data-editor-format]")) {
      const tidy = formatted(field.value);
      if (editor) editor.session.setValue(tidy);
      field.value = tidy;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (event.target.closest("[data-editor-plain]")) {
      if (editor) close(); else open();
      plain.setAttribute("aria-pressed", String(!editor));
      try { localStorage.setItem("plain-editor", editor ? "0" : "1"); } catch (error) { /* storage may be off */ }
    }
  });

  document.getElementById("document-label").addEventListener("click", () => { if (editor) editor.focus(); });
  document.body.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === findings) annotate(); });
  new MutationObserver(() => { if (editor) editor.setTheme(`ace/theme/${theme()}`); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });

  // Leaving the page asks, once something was typed.
  field.form.addEventListener("input", () => { changed = true; });
  field.form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

  tools.hidden = false;
  plain.setAttribute("aria-pressed", String(isPlain()));
  if (!isPlain()) open();
})();

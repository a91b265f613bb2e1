// Makes a document's plain text field an editor. The text field stays the form's own: without this, all still works.
"use strict";

(() => {
  if (!window.ace) return;
  let field = null;
  let editor = null;
  let changed = false;

  // Style elements and blob workers are not allowed here: our own files bring the styles, the server the findings.
  ace.config.set("useStrictCSP", true);
  ace.config.set("loadWorkerFromBlob", false);

  const isPlain = () => { try { return localStorage.getItem("plain-editor") === "1"; } catch (error) { return false; } };
  const theme = () => document.documentElement.dataset.bsTheme === "dark" ? "github_dark" : "github_light_default";
  const said = () => field.dispatchEvent(new Event("input", { bubbles: true }));

  function annotate() {
    if (!editor) return;
    editor.session.setAnnotations([...document.querySelectorAll("#findings [data-severity]")].map((item) => ({
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
      said();
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

  // At the cursor, with the comma that a list of strings wants before or after it.
  function insert(action) {
    const at = editor ? editor.session.doc.positionToIndex(editor.getCursorPosition()) : field.selectionStart;
    const before = field.value.slice(0, at).trimEnd();
    const after = field.value.slice(at).trimStart();
    const text = `${before.endsWith('"') ? ", " : ""}"${action}"${after.startsWith('"') ? ", " : ""}`;
    if (editor) {
      editor.insert(text);
      editor.focus();
      return;
    }
    field.setRangeText(text, at, field.selectionEnd, "end");
    said();
    field.focus();
  }

  // In the visual view: into the list of actions that was looked at last.
  let list = null;
  function addLine(action) {
    const into = list && list.isConnected ? list : document.querySelector("[data-lines]");
    if (!into) return;
    const lines = into.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!lines.includes(action)) into.value = [...lines, action].join("\n");
    into.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("focusin", (event) => { list = event.target.closest("[data-lines]") || list; });

  document.addEventListener("click", (event) => {
    const found = event.target.closest("[data-add-line]");
    if (found && field) insert(found.dataset.addLine);
    else if (found) addLine(found.dataset.addLine);
    if (!field) return;
    const link = event.target.closest("[data-go-line]");
    if (link) {
      event.preventDefault();
      goTo(Number(link.dataset.goLine), Number(link.dataset.goColumn));
    }
    if (event.target.closest("[data-editor-format]")) {
      const tidy = formatted(field.value);
      if (editor) editor.session.setValue(tidy);
      field.value = tidy;
      said();
    }
    if (event.target.closest("[data-editor-plain]")) {
      if (editor) close(); else open();
      document.querySelector("[data-editor-plain]").setAttribute("aria-pressed", String(!editor));
      try { localStorage.setItem("plain-editor", editor ? "0" : "1"); } catch (error) { /* storage may be off */ }
    }
    if (event.target.id === "document-label" && editor) editor.focus();
  });

  // The text field comes and goes with the visual view.
  function start() {
    const found = document.querySelector("[data-editor]");
    if (found === field) return;
    if (editor) editor.destroy();
    [field, editor] = [found, null];
    if (!field) return;
    document.querySelector("[data-editor-tools]").hidden = false;
    document.querySelector("[data-editor-plain]").setAttribute("aria-pressed", String(isPlain()));
    if (!isPlain()) open();
  }

  document.body.addEventListener("htmx:afterSwap", () => { start(); annotate(); });
  new MutationObserver(() => { if (editor) editor.setTheme(`ace/theme/${theme()}`); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });

  // Leaving the page asks, once something was typed.
  const place = document.getElementById("document-editor");
  if (place) {
    const form = place.closest("form");
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { changed = false; });
    window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  }
  start();
})();

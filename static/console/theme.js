// Before the first paint: the theme that was chosen here, or the system's, also when that changes later.
(function () {
  var system = matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    var chosen = null;
    try { chosen = localStorage.getItem("theme"); } catch (error) { /* storage may be off */ }
    var dark = chosen ? chosen === "dark" : system.matches;
    document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
  }
  apply();
  system.addEventListener("change", apply);
})();

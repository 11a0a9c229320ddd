// Dead letters: a run's progress in place, and keys. Every page works without it, as plain forms and links.
"use strict";
(() => {
  async function again() {
    const shown = document.getElementById("progress");
    if (!shown || !shown.dataset.again) return;
    try {
      const answer = await fetch(shown.dataset.again, { credentials: "same-origin" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("progress");
        if (fresh && !shown.contains(document.activeElement)) shown.replaceWith(fresh);
        else if (fresh) { // what you are on is yours: only the words and the bar change
          shown.querySelector("h1").textContent = fresh.querySelector("h1").textContent;
          shown.querySelector("[role=status]").textContent = fresh.querySelector("[role=status]").textContent;
          shown.querySelector(".bars").replaceWith(fresh.querySelector(".bars"));
          if (!fresh.dataset.again) delete shown.dataset.again;
        }
      }
    } finally {
      setTimeout(again, 1000);
    }
  }
  setTimeout(again, 1000);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea, select, input:not([type=checkbox])")) return;
    const key = event.key.toUpperCase();
    if (key === "X" && event.target.matches("tr *")) event.target.closest("tr").querySelector("[type=checkbox]")?.click();
    else document.querySelector(`button[aria-keyshortcuts="${CSS.escape(key)}"]`)?.click();
  });
})();

// Fills the counters, the phone and the contact's way in place, once a second; what has the focus is left alone.
"use strict";

const LIVE = ["counters", "phone", "flow", "alerts"];

async function refresh() {
  const answer = await fetch("/", { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of LIVE) {
    const old = document.getElementById(id);
    const now = fresh.getElementById(id);
    if (old && now && !old.contains(document.activeElement) && old.innerHTML !== now.innerHTML) old.replaceWith(now);
  }
}

function notLive() {
  const live = document.querySelector(".live");
  if (live) { live.textContent = "Not live"; live.classList.add("live--off"); }
}

setInterval(() => { if (!document.hidden) refresh().catch(notLive); }, 1000);

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = document.querySelector(`[aria-keyshortcuts="${event.key.toUpperCase()}"]`);
  if (button) { event.preventDefault(); button.click(); }
});

// Keeps an answer that could not be sent, in this browser only, and tries again. Without this script the forms post as they are.
"use strict";

const WAITS = [10, 30, 120]; // seconds; the last one from then on
let timer = 0;

function keep(form) {
  const action = form.getAttribute("action") || location.pathname + location.search;
  const body = new URLSearchParams(new FormData(form)).toString();
  return { action, body };
}

function store(answer) {
  try {
    if (answer) localStorage.setItem("aftercall-answer", JSON.stringify(answer));
    else localStorage.removeItem("aftercall-answer");
  } catch {
    // A browser that refuses storage still keeps the answer on this page.
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem("aftercall-answer"));
  } catch {
    return null;
  }
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  document.body.replaceWith(page.body);
  document.querySelector(".error-summary")?.focus();
  listen();
}

async function send(answer, tried) {
  clearTimeout(timer);
  let response;
  try {
    response = await fetch(answer.action, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" },
      body: answer.body,
    });
  } catch {
    response = null;
  }
  if (!response || response.status === 503) {
    store(answer);
    wait(answer, tried);
    return;
  }
  store(null);
  if (response.redirected) location.assign(response.url);
  else show(await response.text());
}

function wait(answer, tried) {
  const seconds = WAITS[Math.min(tried, WAITS.length - 1)];
  timer = setTimeout(() => send(answer, tried + 1), seconds * 1000);
  const kept = document.getElementById("kept")?.content.cloneNode(true);
  if (!kept) return; // a page without a form tries again without a word
  const words = kept.querySelector("[data-trying]");
  const score = new URLSearchParams(answer.body).get("score");
  const sentence = score ? words.dataset.tryingScore.replace("{score}", score) : words.dataset.trying;
  words.textContent = sentence.replace("{seconds}", seconds);
  kept.querySelector("button").addEventListener("click", () => send(answer, tried + 1));
  document.querySelector("main").replaceChildren(kept);
}

function listen() {
  for (const form of document.querySelectorAll("form[data-keep]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      send(keep(form), 0);
    });
  }
}

const before = stored();
const page = location.pathname.split("/").slice(0, 3).join("/");
listen();
if (before && (before.action === page || before.action.startsWith(page + "/") || before.action.startsWith(page + "?"))) send(before, 0);

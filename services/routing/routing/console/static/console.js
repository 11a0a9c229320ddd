// The console's one script: clock, live updates, keys. Every page works without it, as plain forms and links.
"use strict";
(() => {
  const page = document.getElementById("console");
  const spoken = document.getElementById("spoken");
  let ahead = Date.parse(page.dataset.now) - Date.now(); // the server's clock, whatever this laptop's says

  // ---- the clock: rewords what the server worded, by the same rules ----
  const span = (minutes) => {
    const hours = Math.floor(minutes / 60), rest = minutes % 60;
    if (minutes < 60) return `${minutes} min`;
    if (hours >= 48) return `${Math.floor(hours / 24)} days`;
    return hours < 10 && rest ? `${hours} h ${String(rest).padStart(2, "0")}` : `${hours} h`;
  };
  function reword() {
    const now = Date.now() + ahead;
    for (const words of page.querySelectorAll("[data-due]")) {
      const minutes = Math.trunc((Date.parse(words.dataset.due) - now) / 60000);
      if (minutes >= 24 * 60) continue; // the server's weekday stays right for hours
      const text = minutes === 0 ? "due now" : minutes < 0 ? `${span(-minutes)} late` : `${span(minutes)} left`;
      if (words.textContent !== text) words.textContent = text;
      const holder = words.closest(".case-row, .clock"), kind = holder.classList.contains("clock") ? "clock" : "case-row";
      const left = Date.parse(words.dataset.due) - now;
      holder.classList.toggle(`${kind}--late`, left <= 0);
      holder.classList.toggle(`${kind}--soon`, left > 0 && left < 3600000);
    }
  }
  setInterval(reword, 30000);

  // ---- live: nothing moves by itself, what you are on is yours, new things wait in a pill ----
  const dot = document.createElement("p");
  dot.className = "live live--off";
  dot.setAttribute("role", "status");
  dot.textContent = "Connecting";
  const me = document.querySelector(".bar .me");
  if (me) me.before(dot); else document.querySelector(".bar")?.append(dot);
  const offline = document.getElementById("offline");
  let heard = Date.now(), lostAt = null, asking = false, again = false, spokenAt = 0;
  const later = new Map(); // what waits until somebody leaves it

  const held = (element) => element.matches(":hover") || element.contains(document.activeElement);
  const clockAt = (when) => new Date(when + ahead).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

  function say(words) {
    if (!spoken || Date.now() - spokenAt < 10000) return;
    spoken.textContent = words;
    spokenAt = Date.now();
  }
  function alive(is) {
    if (is) { heard = Date.now(); lostAt = null; offline.hidden = true; }
    else if (lostAt === null) lostAt = Date.now();
    dot.classList.toggle("live--off", !is);
    const words = is ? "Live" : `Not live since ${clockAt(lostAt)}`;
    if (dot.textContent !== words) dot.textContent = words;
  }
  function mark(row, on) {
    if (on) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
    const button = row.querySelector("[data-act]");
    if (button) button.classList.toggle("button--primary", on);
  }
  function put(id, fresh) {
    const old = document.getElementById(id);
    if (!old || old.isEqualNode(fresh)) return;
    if (held(old)) {
      for (const part of [".due", ".owner"]) {
        const mine = old.querySelector(part), theirs = fresh.querySelector(part);
        if (mine && theirs && !mine.isEqualNode(theirs)) mine.replaceWith(theirs.cloneNode(true));
      }
      later.set(id, fresh);
      return;
    }
    later.delete(id);
    if (old.classList.contains("case-row")) mark(fresh, old.getAttribute("aria-current") === "true");
    old.replaceWith(fresh);
  }
  function leave() {
    for (const [id, fresh] of [...later]) { const old = document.getElementById(id); if (!old || !held(old)) put(id, fresh); }
  }
  document.addEventListener("focusout", () => setTimeout(leave));
  document.addEventListener("mouseout", () => setTimeout(leave));

  function merge(fragment) {
    const had = new Set([...document.querySelectorAll("#alarms > section")].map((each) => each.id));
    for (const id of ["head-words", "views", "tiles", "pill", "alarms", "clock", "steps", "story"]) {
      const fresh = fragment.getElementById(id);
      if (!fresh) continue;
      if (id === "alarms") for (const each of fresh.querySelectorAll(":scope > section")) if (!had.has(each.id)) each.setAttribute("role", "alert");
      put(id, fresh);
    }
    for (const row of document.querySelectorAll(".case-row")) {
      const fresh = fragment.getElementById(row.id);
      if (fresh) put(row.id, fresh);
    }
    const pill = document.querySelector("#pill a");
    if (pill) say(pill.firstChild.textContent.trim());
    const revision = fragment.getElementById("revision");
    if (revision && revision.dataset.revision !== page.dataset.revision) document.getElementById("changed").hidden = false;
    reword();
  }
  async function ask() {
    if (asking) { again = true; return; }
    asking = true;
    const seen = [...document.querySelectorAll(".case-row")].map((row) => row.id.slice(5)).join(",");
    const address = page.dataset.case ? page.dataset.fragment : `${page.dataset.fragment}&seen=${seen}`;
    try {
      const reply = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
      if (reply.ok) {
        const date = reply.headers.get("Date");
        if (date) ahead = Date.parse(date) - Date.now();
        merge(new DOMParser().parseFromString(await reply.text(), "text/html"));
      }
    } catch { /* the next beat says whether we are connected */ }
    setTimeout(() => { asking = false; if (again) { again = false; ask(); } }, 2000); // a storm asks every two seconds
  }

  if (window.EventSource) {
    const events = new EventSource(page.dataset.live);
    events.addEventListener("open", () => alive(true));
    events.addEventListener("beat", () => alive(true));
    events.addEventListener("reload", () => { alive(true); ask(); });
    events.addEventListener("case", (event) => {
      alive(true);
      if (!page.dataset.case || JSON.parse(event.data).case === page.dataset.case) ask();
    });
    events.addEventListener("error", () => alive(false));
    window.addEventListener("pagehide", () => events.close());
  }
  setInterval(() => {
    if (Date.now() - heard > 25000) alive(false);
    if (lostAt !== null && Date.now() - lostAt > 30000) {
      offline.hidden = false;
      offline.querySelector("h2").textContent = `Not connected since ${clockAt(lostAt)}`;
    }
  }, 5000);
  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > 60000) ask();
  });

  // ---- forms: what the button will do, and no second press ----
  const save = document.getElementById("save"), log = document.getElementById("log-form");
  function does() {
    const chosen = log.querySelector("input[name=outcome]:checked"), at = log.querySelector("#next-at").value;
    const words = chosen ? chosen.dataset.does : "Save";
    save.firstElementChild.textContent = chosen && chosen.value === "reschedule" && at ? `Save, try again ${at.slice(-5)}` : words;
  }
  if (log) { log.addEventListener("input", does); does(); }
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.method === "dialog" || form.method === "get") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    if (button) { button.setAttribute("aria-disabled", "true"); if (button.id === "save") button.firstElementChild.textContent = "Saving"; }
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  document.getElementById("conflict")?.focus();
  document.getElementById("errors")?.focus();

  // ---- keys: single letters, only while no field has focus; they can be turned off ----
  const OFF = "aftercall-keys-off";
  const off = () => { try { return localStorage.getItem(OFF) === "yes"; } catch { return false; } };
  const foot = document.getElementById("keys-foot"), list = document.getElementById("keys"), toggle = document.getElementById("keys-switch");
  foot.hidden = false;
  const label = () => { toggle.textContent = off() ? "Turn single keys on" : "Turn single keys off"; };
  toggle.addEventListener("click", () => { try { localStorage.setItem(OFF, off() ? "no" : "yes"); } catch { return; } label(); });
  label();

  const typing = (element) => element && element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  const shown = (element) => element.offsetParent !== null;
  const selected = () => document.querySelector(".case-row[aria-current]");
  function step(by) {
    const rows = [...document.querySelectorAll(".case-row")], at = rows.indexOf(selected());
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!next) return;
    rows.forEach((row) => mark(row, row === next));
    const link = next.querySelector(".who a");
    link.focus();
    next.scrollIntoView({ block: "nearest" });
  }
  function press(key) {
    for (const target of document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) {
      if (!shown(target)) continue;
      if (target.matches("input[type=radio]")) { target.checked = true; target.dispatchEvent(new Event("input", { bubbles: true })); }
      else if (target.matches("select")) target.focus();
      else target.click();
      return true;
    }
    return false;
  }
  let before = "";
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase(), active = document.activeElement;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && save) { event.preventDefault(); save.click(); return; }
    if (event.key === "Escape" && !list.open) {
      if (typing(active)) { active.blur(); return; }
      if (press("escape")) event.preventDefault();
      return;
    }
    if (off() || event.ctrlKey || event.metaKey || event.altKey || typing(active) || list.open) return;
    let done = true;
    if (before === "g" && key === "q") location.assign("/console");
    else if (key === "?") list.showModal();
    else if (key === "/" && document.getElementById("find")) document.getElementById("find").focus();
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "c" && selected()) selected().querySelector("[data-act]")?.click();
    else if (event.key === "Enter" && !(active && active.matches("a, button, summary"))) {
      if (save) save.click(); else if (selected()) selected().querySelector(".who a").click(); else done = false;
    } else done = key.length === 1 && press(key);
    before = key;
    if (done) event.preventDefault();
  });
})();

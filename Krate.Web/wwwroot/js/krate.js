// What a page does in the browser itself: connection state, copying, relative times, keys, panels, drafts.
// Everything is delegated to the document, so that it works for whatever Blazor renders, and without the circuit.
(() => {
  const root = document.documentElement;
  const say = text => {
    const region = document.getElementById("k-announce");
    if (region) { region.textContent = ""; setTimeout(() => { region.textContent = text; }, 50); }
  };

  // ---- connection ----
  const connection = state => { root.dataset.connection = state; };
  connection("connecting");
  const moved = e => {
    switch (e.detail?.state) {
      case "show": case "retrying": connection("reconnecting"); break;
      case "hide": connection("live"); break;
      case "failed": case "paused": connection("offline"); break;
      // The server is there but does not know the page any more; drafts come back.
      case "rejected": case "resume-failed": location.reload(); break;
    }
  };
  const watchBanner = () => {
    const banner = document.getElementById("components-reconnect-modal");
    if (!banner || banner.dataset.watched) return;
    banner.dataset.watched = "true";
    banner.addEventListener("components-reconnect-state-changed", moved);
  };

  // ---- relative times, as Durations.cs ----
  const unit = (n, word) => `${Math.floor(n)} ${word}`;
  const ago = (seconds, short) => {
    const s = Math.max(0, seconds);
    if (s < 5) return short ? "now" : "just now";
    const words = s < 60 ? unit(s, "s") : s < 3600 ? unit(s / 60, "min") : s < 86400 ? unit(s / 3600, "h")
      : s < 5184000 ? unit(s / 86400, "d") : s < 31536000 ? unit(s / 2592000, "mo") : unit(s / 31536000, "y");
    return short ? words : words + " ago";
  };
  const tick = () => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-k-time]")) {
      const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000, time.dataset.kTime === "short");
      const node = time.firstChild;
      // Blazor owns the text node: its content may change, the node may not.
      if (node?.nodeType === Node.TEXT_NODE && node.data !== text) node.data = text;
    }
  };
  setInterval(tick, 5000);
  document.addEventListener("visibilitychange", tick);

  // ---- copy ----
  const copy = async button => {
    try {
      await navigator.clipboard.writeText(button.dataset.kCopy);
      button.classList.add("k-copied");
      setTimeout(() => button.classList.remove("k-copied"), 1500);
      say("Copied");
    } catch {
      say("Copying is not allowed by the browser");
    }
  };

  const copyFrom = async button => {
    try {
      const answer = await fetch(button.dataset.kCopyFrom);
      if (!answer.ok) throw new Error();
      button.dataset.kCopy = await answer.text();
      await copy(button);
    } catch {
      say("The file could not be read");
    } finally {
      delete button.dataset.kCopy;
    }
  };

  // ---- lines of code: #L3 and #L3-L9 ----
  const linesOf = hash => {
    const found = /^#L(\d+)(?:-L?(\d+))?$/.exec(hash);
    if (!found) return null;
    const [from, to] = [Number(found[1]), Number(found[2] ?? found[1])];
    return from <= to ? [from, to] : [to, from];
  };
  let shownLines = "";
  const markLines = () => {
    const code = document.querySelector("[data-k-lines]");
    if (!code) { shownLines = ""; return; }
    const range = linesOf(location.hash);
    for (const line of code.querySelectorAll(".k-l--on")) line.classList.remove("k-l--on");
    if (!range) return;
    const lines = code.querySelectorAll(".k-l");
    for (let n = range[0]; n <= Math.min(range[1], lines.length); n++) lines[n - 1].classList.add("k-l--on");
    // A page that is drawn again stays where the person has scrolled to.
    if (shownLines !== location.href) lines[range[0] - 1]?.scrollIntoView({ block: "center" });
    shownLines = location.href;
  };
  const pickLine = (e, line) => {
    if (e.clientX - line.getBoundingClientRect().left > parseFloat(getComputedStyle(line).paddingLeft)) return;
    const n = Number(line.id.slice(1));
    const known = e.shiftKey && linesOf(location.hash);
    const hash = known ? `#L${Math.min(known[0], n)}-L${Math.max(known[0], n)}` : `#L${n}`;
    getSelection()?.removeAllRanges();
    history.replaceState(history.state, "", location.pathname + location.search + hash);
    shownLines = location.href;
    markLines();
  };
  addEventListener("hashchange", markLines);
  markLines();

  // ---- rail as a drawer on narrow screens ----
  const rail = open => {
    const app = document.querySelector(".k-app");
    app?.toggleAttribute("data-rail-open", open);
    document.querySelector("[data-k-rail]")?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector(".k-rail a")?.focus();
  };

  const closeMenus = except => {
    for (const menu of document.querySelectorAll("details.k-menu-root[open]")) if (menu !== except) menu.open = false;
  };

  document.addEventListener("click", e => {
    const at = selector => e.target.closest?.(selector);
    closeMenus(at("details.k-menu-root"));
    if (at(".k-menu a, .k-menu button")) closeMenus();
    if (at("[data-k-copy]")) copy(at("[data-k-copy]"));
    if (at("[data-k-copy-from]")) copyFrom(at("[data-k-copy-from]"));
    if (at("[data-k-lines] .k-l")) pickLine(e, at("[data-k-lines] .k-l"));
    if (at("[data-k-theme]")) window.krateTheme.set(at("[data-k-theme]").dataset.kTheme);
    if (at("[data-k-rail]")) rail(!document.querySelector(".k-app")?.hasAttribute("data-rail-open"));
    else if (at("[data-k-rail-close]") || at(".k-rail a")) rail(false);
    if (at("[data-k-keys]")) keyMap();
    if (at("[data-k-reconnect]")) Blazor.reconnect();
    if (at("[data-k-reload]")) location.reload();
  });

  // ---- cards of a board: Firefox drags nothing without data, and a browser opens what is dropped ----
  document.addEventListener("dragstart", e => { if (e.target.closest?.("[data-k-card]")) e.dataTransfer.setData("text/plain", e.target.closest("[data-k-card]").dataset.kCard); });
  for (const name of ["dragover", "drop"]) document.addEventListener(name, e => { if (e.target.closest?.("[data-k-drop]")) e.preventDefault(); });

  // ---- keys ----
  const singleKeys = () => { try { return localStorage.getItem("krate.keys") !== "off"; } catch { return true; } };
  const keyMap = () => {
    const dialog = document.getElementById("k-keys");
    if (!dialog || dialog.open) return;
    dialog.querySelector("[data-k-single]").checked = singleKeys();
    dialog.showModal();
  };
  document.addEventListener("change", e => {
    if (!e.target.matches?.("[data-k-single]")) return;
    try { localStorage.setItem("krate.keys", e.target.checked ? "on" : "off"); } catch { /* nothing to keep it in */ }
  });

  // What is typed between Ctrl K and the palette's field being there belongs into the field.
  let ahead = null;
  const openPalette = () => {
    ahead = "";
    setTimeout(() => { ahead = null; }, 3000);
    document.querySelector("[data-k-palette]")?.click();
  };
  const typeAhead = e => {
    if (ahead === null || document.querySelector("dialog[open]")) return false;
    if (e.key === "Escape") { ahead = null; return false; }
    if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey) return false;
    ahead += e.key;
    e.preventDefault();
    return true;
  };

  // The button of the form that the cursor is in; else of the panel on top, which is the last one; else of the page.
  const submitButton = () => {
    for (let at = document.activeElement; at && at !== document.body; at = at.parentElement) {
      const button = at.querySelector("[data-k-submit]");
      if (button || at.matches("dialog")) return button;
    }
    return ([...document.querySelectorAll("dialog[open]")].at(-1) ?? document).querySelector("[data-k-submit]");
  };
  const submit = () => {
    const button = submitButton();
    if (!button) return;
    // Leaving the field hands its text over, which may be what enables the button; it is pressed when that is there.
    document.activeElement?.blur();
    if (!button.disabled) { button.click(); return; }
    const enabled = new MutationObserver(() => { if (!button.disabled) { stop(); button.click(); } });
    const stop = () => { enabled.disconnect(); document.removeEventListener("input", stop, true); };
    enabled.observe(button, { attributes: true, attributeFilter: ["disabled"] });
    document.addEventListener("input", stop, true);
    setTimeout(stop, 10000);
  };

  let first = "", firstAt = 0;
  document.addEventListener("keydown", e => {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
      e.preventDefault();
      openPalette();
      return;
    }
    if (typeAhead(e)) return;
    if ((e.ctrlKey || e.metaKey) && e.key === "Enter") {
      submit();
      return;
    }
    if (e.key === "Escape") { rail(false); closeMenus(); }
    if (e.target.getAttribute?.("role") === "combobox" && (e.key === "ArrowDown" || e.key === "ArrowUp")) e.preventDefault();
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.("input, textarea, select, [contenteditable], dialog[open]") || !singleKeys()) return;
    if (e.key === "?") { keyMap(); return; }
    if (e.key === "/") {
      const filter = document.querySelector("[data-k-filter]");
      if (filter) { e.preventDefault(); filter.focus(); filter.select(); }
      return;
    }
    if (e.key === "t" && document.querySelector("[data-k-find]")) { e.preventDefault(); document.querySelector("[data-k-find]").click(); return; }
    const permalink = e.key === "y" && document.querySelector("[data-k-permalink]");
    if (permalink) { Blazor.navigateTo(permalink.getAttribute("href") + location.search + location.hash); return; }
    if (e.key === "y") { document.querySelector("[data-k-manifest]")?.click(); return; }
    if (first === "g" && Date.now() - firstAt < 1200) {
      first = "";
      document.querySelector(`.k-rail [data-key="${CSS.escape(e.key)}"]`)?.click();
      return;
    }
    first = e.key;
    firstAt = Date.now();
    window.krateReview?.(e);
  });

  // ---- drafts: what is typed into a text area survives a reload in this tab ----
  const draftKey = key => "krate.draft|" + key;
  document.addEventListener("input", e => {
    const key = e.target.dataset?.kDraft;
    if (!key) return;
    try { sessionStorage.setItem(draftKey(key), e.target.value); } catch { /* full or off: the text is still on the screen */ }
  });

  // Going elsewhere leaves the panel behind at once: one that closes later takes the focus back, and what is typed with it.
  const push = history.pushState.bind(history);
  history.pushState = (...to) => {
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    push(...to);
  };

  // A click on the backdrop closes a panel, as Esc does.
  document.addEventListener("pointerdown", e => {
    if (!(e.target instanceof HTMLDialogElement) || !e.target.open) return;
    const box = e.target.getBoundingClientRect();
    if (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom) e.target.close();
  });

  window.krate = {
    // A value that is only written: read when it is sent, gone when it is kept.
    secret(id) { return document.getElementById(id)?.value ?? ""; },
    forgetSecret(id) { const field = document.getElementById(id); if (field) field.value = ""; },
    connected() {
      watchBanner();
      connection("live");
      return window.krateTheme.isDark();
    },
    arrived() {
      const main = document.getElementById("main");
      if (main?.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return;
      (main?.querySelector("[autofocus]") ?? main)?.focus();
    },
    dialog(element, open) {
      if (!element) return;
      if (open && !element.open) {
        element.showModal();
        const field = element.querySelector("[autofocus]");
        field?.focus();
        if (ahead && field?.getAttribute("role") === "combobox") {
          field.value = ahead;
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }
        ahead = null;
      }
      if (!open && element.open) element.close();
    },
    lines: markLines,
    // Hands a text over as a file, without an address that could be kept or logged.
    save(name, text) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
    draft(key) { try { return sessionStorage.getItem(draftKey(key)); } catch { return null; } },
    forgetDraft(key) { try { sessionStorage.removeItem(draftKey(key)); } catch { /* nothing was kept */ } },
  };

  Blazor.start({
    circuit: {
      reconnectionOptions: { maxRetries: 10000, retryIntervalMilliseconds: previous => Math.min(10000, [0, 500, 1000, 2000, 5000][previous] ?? 10000) },
    },
  });
})();

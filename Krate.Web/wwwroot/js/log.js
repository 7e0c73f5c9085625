// The log of a job: the browser scrolls, the server draws the rows around it. This tells the server where that is,
// keeps to the end while one follows, and goes where the server asks.
(() => {
  const attached = new WeakSet();
  const logs = () => document.querySelectorAll("[data-k-log]");
  const number = (log, name) => Number(log.dataset[name]);

  const place = log => {
    const visible = Math.max(1, Math.floor(log.clientHeight / 20));
    const [count, height] = [number(log, "count"), log.scrollHeight];
    const most = Math.max(0, count - visible), far = Math.max(1, height - log.clientHeight);
    return { row: Math.round(log.scrollTop / far * most), visible, isEnd: far - log.scrollTop < 30, most, far };
  };

  const tell = log => {
    const input = log.parentElement.querySelector("[data-k-log-at]");
    const { row, visible, isEnd } = place(log);
    input.value = `${row},${visible},${isEnd ? 1 : 0}`;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const check = log => {
    const { row, visible, isEnd } = place(log);
    const [first, drawn, count] = [number(log, "first"), number(log, "drawn"), number(log, "count")];
    const isShort = row - 10 < first && first > 0 || row + visible + 10 > first + drawn && first + drawn < count;
    const follows = log.dataset.follow === "true";
    if (isShort && !follows || follows !== (isEnd && log.dataset.live === "true") || visible !== number(log, "visible")) tell(log);
  };

  const attach = log => {
    attached.add(log);
    let waiting = false, moved = 0;
    const soon = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; check(log); });
    };
    // Only a person leaves the end: what is drawn moves it, too.
    for (const by of ["wheel", "touchmove", "keydown", "pointerdown"]) log.addEventListener(by, () => { moved = Date.now(); }, { passive: true });
    log.addEventListener("scroll", () => {
      if (log.dataset.follow === "true" && Date.now() - moved > 1000) { log.scrollTop = log.scrollHeight; return; }
      soon();
    }, { passive: true });
    new ResizeObserver(soon).observe(log);
    let gone = log.dataset.goto;
    const drawn = () => {
      if (log.dataset.follow === "true") log.scrollTop = log.scrollHeight;
      if (log.dataset.goto.split(":")[0] !== gone.split(":")[0] || gone === "") go();
    };
    const go = () => {
      gone = log.dataset.goto;
      const { most, far } = place(log);
      log.scrollTop = most === 0 ? 0 : Number(gone.split(":")[1]) / most * far;
    };
    new MutationObserver(drawn).observe(log, { attributes: true, childList: true, subtree: true, characterData: true });
    if (log.dataset.follow === "true") log.scrollTop = log.scrollHeight;
    else go();
    soon();
  };

  new MutationObserver(() => { for (const log of logs()) if (!attached.has(log)) attach(log); }).observe(document, { childList: true, subtree: true });
  for (const log of logs()) attach(log);
})();

// A review by keyboard: a cursor over the lines, threads and files of a diff. What is decided happens on the server.
(() => {
  const root = () => document.querySelector("[data-k-review]");
  const files = () => [...root().querySelectorAll("[data-k-file]")];
  const threads = () => [...root().querySelectorAll("[data-k-thread]")];
  const stops = () => [...root().querySelectorAll("[data-k-file] .k-diff tr:has(> td.n), [data-k-thread]")];

  // Names of where the cursor is and where a range began: what is drawn again has the same ids.
  let cursor = null, began = null;
  const idOf = element => element?.id || element?.querySelector("td[id]")?.id || null;
  const elementOf = id => {
    const found = id && document.getElementById(id);
    return found?.tagName === "TD" ? found.parentElement : found || null;
  };
  const lineOf = id => /-([LR]\d+)$/.exec(id ?? "")?.[1] ?? null;
  const fileOf = element => element?.closest("[data-k-file]") ?? null;

  const mark = () => {
    const review = root();
    if (!review) return;
    for (const old of review.querySelectorAll(".k-at, .k-picked")) old.classList.remove("k-at", "k-picked");
    const [at, from] = [elementOf(cursor), elementOf(began)];
    at?.classList.add("k-at");
    if (!at || !from || fileOf(at) !== fileOf(from)) return;
    const rows = [...fileOf(at).querySelectorAll(".k-diff tr:has(> td.n)")];
    const [a, b] = [rows.indexOf(at), rows.indexOf(from)].sort((x, y) => x - y);
    for (const row of rows.slice(a, b + 1)) row.classList.add("k-picked");
  };

  const go = (element, block = "nearest") => {
    if (!element) return;
    cursor = idOf(element);
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block });
    mark();
  };

  /** The next of some elements in the order of the page, seen from the cursor. */
  const step = (list, by) => {
    const at = elementOf(cursor);
    if (!at?.isConnected) return list[by > 0 ? 0 : list.length - 1];
    const before = Node.DOCUMENT_POSITION_PRECEDING, behind = Node.DOCUMENT_POSITION_FOLLOWING;
    const side = by > 0 ? behind : before;
    const others = list.filter(e => e !== at && at.compareDocumentPosition(e) & side && !e.contains(at));
    return others[by > 0 ? 0 : others.length - 1];
  };

  const pick = () => {
    const at = elementOf(cursor);
    if (at?.matches("[data-k-thread]")) { at.querySelector("[data-k-answer]")?.click(); return; }
    const input = fileOf(at)?.querySelector("[data-k-pick]");
    const [to, from] = [lineOf(cursor), fileOf(elementOf(began)) === fileOf(at) ? lineOf(began) : null];
    if (!input || !to) return;
    input.value = from && from[0] === to[0] && from !== to ? `${from}-${to}` : to;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    began = null;
    mark();
  };

  const keys = {
    j: () => { began = null; go(step(stops(), 1)); },
    k: () => { began = null; go(step(stops(), -1)); },
    J: () => { began ??= cursor; go(step(stops(), 1)); },
    K: () => { began ??= cursor; go(step(stops(), -1)); },
    n: () => { began = null; go(step(files(), 1), "start"); },
    p: () => { began = null; go(step(files(), -1), "start"); },
    N: () => go(step(threads(), 1), "center"),
    P: () => go(step(threads(), -1), "center"),
    c: pick,
    v: () => (fileOf(elementOf(cursor)) ?? files()[0])?.querySelector("[data-k-viewed]")?.click(),
  };

  document.addEventListener("click", e => {
    const number = e.target.closest?.("[data-k-review] .k-diff td.n");
    const row = number?.parentElement;
    if (!number || !row.querySelector(":scope > td.c")) return;
    const id = row.id || number.id || idOf(row);
    if (!lineOf(id)) return;
    began = e.shiftKey && fileOf(elementOf(cursor)) === fileOf(row) ? cursor : null;
    cursor = id;
    getSelection()?.removeAllRanges();
    mark();
    pick();
  });

  document.addEventListener("keydown", e => {
    if (e.key !== "Escape" || !e.target.closest?.(".k-thread textarea, .k-thread form")) return;
    // What was written is not thrown away by a slip.
    const form = e.target.closest("form");
    if ([...form.querySelectorAll("textarea")].every(t => t.value.trim() === "")) form.querySelector("[data-k-cancel]")?.click();
    go(elementOf(cursor));
  });

  /** Takes a key of the page; false when it is not one of a review, or there is no review. */
  window.krateReview = e => {
    if (e.key === "r") {
      const form = document.querySelector("[data-k-review-form]");
      if (form) { e.preventDefault(); form.click(); }
      return Boolean(form);
    }
    if (!root() || !keys[e.key]) return false;
    e.preventDefault();
    keys[e.key]();
    return true;
  };
})();

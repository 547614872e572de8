// A table of any length in a frame that scrolls: only the rows in sight are elements.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const AHEAD = 8; // rows drawn beyond either end
  const USUAL_HEIGHT = 28; // pixels, until a row is measured
  const USUAL_FRAME = 800;

  /** `draw(item, index)` makes a row's <tr>. */
  function virtualTable({ label, caption, draw }) {
    const columns = element("colgroup");
    const head = element("tr", { "aria-rowindex": "1" });
    const above = element("tr", { class: "rt-space", "aria-hidden": "true" }, element("td"));
    const below = element("tr", { class: "rt-space", "aria-hidden": "true" }, element("td"));
    const body = element("tbody", {}, above, below);
    const table = element("table", { class: "rh-table rt-table" },
      element("caption", { class: "rt-hidden" }, caption), columns, element("thead", {}, head), body);
    const frame = element("div", { class: "rt-frame", role: "region", "aria-label": label, tabindex: "0" }, table);
    let items = [];
    let rows = new Map();
    let height = USUAL_HEIGHT;

    function show(found) {
      const old = [...rows.values()];
      rows = new Map();
      items = found;
      table.setAttribute("aria-rowcount", `${items.length + 1}`);
      sight();
      for (const row of old) row.remove();
      measure();
    }

    /** The height of a row as it came out, which the reader's font size has a say in. */
    function measure() {
      const [first] = rows.values();
      const found = first?.getBoundingClientRect().height;
      if (!found || Math.abs(found - height) < 0.01) return;
      height = found;
      sight();
    }

    /** Draws what is in sight; spaces stand for the rest, and are there before rows go, or the frame would jump. */
    function sight(isAll = false) {
      const first = Math.max(0, Math.floor(frame.scrollTop / height) - AHEAD);
      const length = Math.ceil((frame.clientHeight || USUAL_FRAME) / height) + 2 * AHEAD;
      const start = isAll ? 0 : Math.min(first, Math.max(0, items.length - length));
      const end = isAll ? items.length : Math.min(items.length, start + length);
      above.firstChild.style.height = `${start * height}px`;
      below.firstChild.style.height = `${(items.length - end) * height}px`;
      place(start, end);
      for (const [index, row] of rows) {
        if (index >= start && index < end) continue;
        if (row.contains(document.activeElement)) frame.focus({ preventScroll: true });
        row.remove();
        rows.delete(index);
      }
    }

    /** Draws the rows that are not there yet, from the last up, each before the one after it. */
    function place(start, end) {
      let next = [...rows].find(([index]) => index >= end)?.[1] ?? below;
      for (let index = end - 1; index >= start; index -= 1) {
        let row = rows.get(index);
        if (!row) {
          row = draw(items[index], index);
          row.setAttribute("aria-rowindex", `${index + 2}`);
          row.dataset.index = index;
          rows.set(index, row);
          body.insertBefore(row, next);
        }
        next = row;
      }
    }

    /** Moves the focus to the like control of another row, which is drawn first if it is out of sight. */
    function move(target, from) {
      const index = Math.max(0, Math.min(items.length - 1, target));
      const room = frame.clientHeight - 2 * height;
      if (index * height < frame.scrollTop) frame.scrollTop = index * height;
      else if ((index + 1) * height > frame.scrollTop + room) frame.scrollTop = (index + 1) * height - room;
      sight();
      const controls = [...(rows.get(index)?.querySelectorAll("input, a, button") ?? [])];
      (controls.find((one) => one.tagName === from.tagName) ?? controls[0] ?? frame).focus({ preventScroll: true });
    }

    function steps(key) {
      const page = Math.max(1, Math.floor(frame.clientHeight / height) - 2);
      return { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[key];
    }

    body.addEventListener("keydown", (event) => {
      const row = event.target.closest("tr[data-index]");
      const by = steps(event.key);
      if (!row || by === undefined) return;
      event.preventDefault();
      move(Number(row.dataset.index) + by, event.target);
    });
    frame.addEventListener("scroll", () => sight(), { passive: true });
    new ResizeObserver(() => sight()).observe(frame);
    window.addEventListener("beforeprint", () => sight(true));
    window.addEventListener("afterprint", () => sight());

    return {
      frame, head, show,
      top: () => { frame.scrollTop = 0; },
      rows: () => rows.values(),
      widths(all) {
        table.style.width = `calc(${all.join(" + ")})`;
        columns.replaceChildren(...all.map((width) => element("col", { style: `width:${width}` })));
        for (const space of [above, below]) space.firstChild.colSpan = all.length;
      },
    };
  }

  runhive.virtualTable = virtualTable;
})();

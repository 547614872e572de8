// A table of any length in a frame that scrolls: only the rows in sight are elements.
(() => {
  "use strict";

  const { element } = runhive.dom;
  const AHEAD = 8; // rows drawn beyond either end
  const USUAL_HEIGHT = 28;

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
      items = found;
      for (const row of rows.values()) row.remove();
      rows = new Map();
      table.setAttribute("aria-rowcount", `${items.length + 1}`);
      sight();
      measure();
    }

    function measure() {
      const [first] = rows.values();
      const found = first?.getBoundingClientRect().height;
      if (found && Math.abs(found - height) > 0.01) {
        height = found;
        sight();
      }
    }

    function sight(everything = false) {
      const start = everything ? 0 : Math.max(0, Math.floor(frame.scrollTop / height) - AHEAD);
      const length = Math.ceil((frame.clientHeight || 800) / height) + 2 * AHEAD;
      const end = everything ? items.length : Math.min(items.length, start + length);
      for (const [index, row] of rows) {
        if (index >= start && index < end) continue;
        if (row.contains(document.activeElement)) frame.focus({ preventScroll: true });
        row.remove();
        rows.delete(index);
      }
      place(start, end);
      above.firstChild.style.height = `${start * height}px`;
      below.firstChild.style.height = `${(items.length - end) * height}px`;
    }

    function place(start, end) {
      let next = below;
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

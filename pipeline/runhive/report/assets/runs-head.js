// The head row of the run table: a button a column, which sorts.
(() => {
  "use strict";

  const { element } = runhive.dom;
  const { bare } = runhive;
  const { falls, visible } = runhive.numerals;

  /** The next order of a column's sorting: the likely one first, then the other, then none. */
  function nextSort(column, sort) {
    const down = column.isMetric ? !falls(bare(column.key)) : column.isNumber || column.key.endsWith("_at");
    const [first, second] = down ? [`-${column.key}`, column.key] : [column.key, `-${column.key}`];
    return sort === first ? second : sort === second ? "" : first;
  }

  function headCell(column, sort, change) {
    const isSorted = sort.replace(/^-/, "") === column.key;
    const order = !isSorted ? null : sort.startsWith("-") ? "descending" : "ascending";
    const sign = order === null ? "" : order === "descending" ? "↓" : "↑";
    const button = element("button", { type: "button", class: "rt-sort", "data-focus": `sort ${column.key}`, click: () => change(nextSort(column, sort)) },
      visible(column.label, 60), element("span", { "aria-hidden": "true", class: "rt-sign" }, sign));
    const help = [column.help, column.section === "Run" ? "" : visible(column.key, 200)].filter(Boolean).join("; ");
    return element("th", { scope: "col", class: column.isNumber ? "rh-number" : null, "aria-sort": order, title: help || null }, button);
  }

  /** Widths for the columns' contents, by what the first rows show. */
  function width(column, texts) {
    const longest = Math.max(visible(column.label, 60).length + 2, ...texts.map((text) => text.length));
    return `${Math.min(26, Math.max(5, longest)) * 0.36 + 0.8}rem`;
  }

  runhive.runsHead = { headCell, width };
})();

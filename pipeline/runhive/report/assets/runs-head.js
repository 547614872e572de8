// The head row of the run table: a button a column, which sorts.
(() => {
  "use strict";

  const { element } = runhive.elements;
  const { bare } = runhive;
  const { falls, visible } = runhive.numerals;
  const { metricText, text } = runhive.runsCells;
  const MOST = 26; // characters; what is longer ends in an ellipsis
  const RANGE = 16; // characters of an interval, or of a deviation and the best

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
    const [name, arrow] = [visible(column.label, 60), element("span", { "aria-hidden": "true", class: "rt-sign" }, sign)];
    const button = element("button", {
      type: "button", class: "rt-sort", "data-focus": `sort ${column.key}`, onclick: () => change(nextSort(column, sort)),
    }, column.isNumber ? [arrow, name] : [name, arrow]); // what is written to the right ends as its numbers do
    const help = [column.help, column.section === "Run" ? "" : visible(column.key, 200)].filter(Boolean).join("; ");
    const kind = column.isNumber ? "rh-number" : null;
    return element("th", { scope: "col", class: kind, "aria-sort": order, title: help || null }, button);
  }

  /** A width for a column's content, by what some rows show. */
  function width(model, column, places, isGrouped) {
    const lengths = places.map((place) => shownLength(model, column, place, isGrouped));
    const longest = Math.max(visible(column.label, 60).length + 2, isGrouped ? 9 : 5, ...lengths);
    return `${(Math.min(MOST, longest) * 0.36 + 0.8).toFixed(2)}rem`;
  }

  function shownLength(model, column, place, isGrouped) {
    const value = model.table.column(column.key)[place];
    if (value === null) return 1;
    if (!column.isMetric) return text(column.key, value).length + (column.key === "state" ? 3 : 0);
    const hasRange = isGrouped || model.table.column(`${column.key}_low`)[place] !== null;
    return metricText(column.key, value).length + (hasRange ? RANGE : 2);
  }

  runhive.runsHead = { headCell, width };
})();

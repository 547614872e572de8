// What the table shows as CSV, unrounded; text that a spreadsheet would take for a formula is marked as text.
(() => {
  "use strict";

  const { asText } = runhive.filter;
  const { bare } = runhive;
  const { isAveraged, summary } = runhive.runsGroups;
  const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/; // OWASP's list, with the full-width forms

  function cell(value) {
    if (value === null) return "";
    if (typeof value === "number") return asText(value);
    const text = Array.isArray(value) ? value.map(asText).join(" ") : asText(value);
    const safe = FORMULA.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) || safe !== text ? `"${safe.replace(/"/g, '""')}"` : safe;
  }

  const lines = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

  function csvOfRuns(model, items, columns) {
    const keys = columns.flatMap(({ key, isMetric }) => [key,
      ...(isMetric ? ["_low", "_high"].map((end) => key + end).filter((one) => model.table.names.includes(one)) : [])]);
    const sets = columns.some(({ isMetric }) => isMetric) ? ["evaluation_set", "evaluation_digest"] : [];
    const all = [...new Set(["run_id", ...sets, ...keys])];
    const places = items.filter((item) => item.kind === "run").map((item) => item.place);
    return lines([all.map(bare), ...places.map((place) => all.map((key) => model.table.column(key)[place]))]);
  }

  function csvOfGroups(model, items, columns) {
    const groups = items.filter((item) => item.kind === "group");
    const head = columns.flatMap((column) => (isAveraged(column)
      ? ["mean", "std", "best", "n"].map((word) => `${bare(column.key)} ${word}`) : [bare(column.key)]));
    const rows = groups.map((group) => [group.label, group.places.length, ...columns.flatMap((column) => {
      const found = summary(model, column, group.places);
      if (!isAveraged(column)) return [found.kind === "value" ? model.table.column(column.key)[found.place] : null];
      return found.kind === "mean" ? [found.mean, found.deviation, found.best, found.count] : [null, null, null, null];
    })]);
    return lines([["group", "runs", ...head], ...rows]);
  }

  function save(name, text) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = runhive.elements.element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    URL.revokeObjectURL(address);
  }

  runhive.runsCsv = { csvOfRuns, csvOfGroups, save };
})();

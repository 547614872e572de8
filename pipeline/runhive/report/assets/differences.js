// Parameters, metrics and surroundings of several runs, a column a run; on demand only what differs.
(() => {
  "use strict";

  const { element, fill, quiet, table } = runhive.elements;
  const { swatch } = runhive.colours;
  const { columns, differs, rankable, SPEEDS, DERIVED } = runhive.chosen;
  const { falls, interval, number, seconds, shown, visible, NOTHING } = runhive.numerals;
  const { plain } = runhive.changes;
  const OWN = ["name", "state", "experiment", "tags", "commit", "branch", "dirty", "host", "cause", "notes"];
  const BOUND = /_(low|high)$/;
  const MOST_NAMED = 5; // runs whose names fit over their columns

  /** The rows of *names*: each a name, its values in the order of the runs, and whether they differ. */
  function rowsOf(runs, names, value = (run, name) => run.value(name)) {
    return names.map((name) => {
      const values = runs.map((run) => value(run, name) ?? null);
      return { name, values, differs: differs(values) };
    });
  }

  /** What the terminal's `runhive runs compare --json` says: the values of each name whose values are not all the same. */
  function differing(runs, prefix) {
    const rows = rowsOf(runs, columns(runs, prefix)).filter((row) => row.differs);
    return Object.fromEntries(rows.map((row) => [row.name.slice(prefix.length), row.values]));
  }

  /** Fills *host* with the tables; *onlyDiffering* leaves out what is the same in all runs. */
  function differences(host, runs, onlyDiffering) {
    const own = columns(runs, "metrics.").filter((name) => !BOUND.test(name));
    const isExport = (name) => name.startsWith("metrics.export.");
    const metrics = [...own.filter((name) => !isExport(name)), ...own.filter(isExport), ...columns(runs, "").filter((name) => SPEEDS.includes(name)), DERIVED];
    const maps = (pick) => [...new Set(runs.flatMap((run) => [...pick(run).keys()]))];
    const tables = [
      ["Parameters", rowsOf(runs, columns(runs, "params.")), text],
      ["Metrics", rowsOf(runs, metrics), metricCells],
      ["Runs", rowsOf(runs, OWN), text],
      ["Data and evaluation", dataRows(runs, maps), text],
      ["Environment", rowsOf(runs, maps((run) => run.environment), (run, name) => run.environment.get(name)), text],
      ["Phases", rowsOf(runs, maps((run) => run.phases), (run, name) => run.phases.get(name)), (row) => row.values.map((one) => (one === null ? quiet(NOTHING) : seconds(one)))],
    ];
    fill(host, tables.map(([title, rows, cells]) => section(title, rows, cells, runs, onlyDiffering)));
  }

  function dataRows(runs, maps) {
    const scored = ["evaluation_set", "evaluation_digest", "evaluation_images", "metrics_version", "selected"];
    const data = maps((run) => run.data);
    return [...rowsOf(runs, scored), ...rowsOf(runs, data, (run, name) => run.data.get(name))];
  }

  function section(title, rows, cells, runs, onlyDiffering) {
    const kept = rows.filter((row) => row.differs || (!onlyDiffering && row.values.some((value) => value !== null)));
    const same = rows.length - kept.length;
    const head = element("h3", { class: "rh-h3" }, title);
    if (!kept.length) return [head, element("p", { class: "rh-quiet" }, rows.length ? "The same in all runs." : "None.")];
    const header = ["", ...runs.map((run) => heading(run, runs.length <= MOST_NAMED))];
    const listed = kept.map((row) => [label(row, runs, title), ...cells(row, runs)]);
    const told = [title === "Metrics" ? ranked(runs) : "", onlyDiffering && same ? `${number(same)} more are the same or empty.` : ""].filter(Boolean);
    const caption = told.length ? element("p", { class: "rh-quiet rh-caption" }, told.join(" ")) : null;
    return [head, table(`${title} of the runs`, header, listed, "rh-table--compare"), caption];
  }

  /** On what the best are the best. */
  function ranked(runs) {
    const sets = [...new Set(runs.map((run) => basisOf(run, "")))];
    return sets.length === 1 ? `★ the best of these, on ${sets[0]}.` : "Measured on different sets: only what is the same for all of them is ranked (★).";
  }

  function heading(run, isNamed) {
    const name = visible(run.label, 60);
    return element("a", { href: `../runs/${run.id}.html`, title: name }, swatch(run.number), isNamed ? ` ${name}` : null);
  }

  function label(row, runs, title) {
    const name = visible(row.name.replace(/^(params|metrics)\./, ""), 80);
    const isUnranked = title === "Metrics" && row.differs && !rankable(runs, row.name);
    const told = element("span", { class: "rh-name", title: name }, name);
    if (!isUnranked) return told;
    return [told, element("span", { class: "rh-selected", title: "measured on other images, data, definitions or machines: the values are not ranked" }, " not ranked")];
  }

  function text(row) {
    const first = JSON.stringify(row.values[0]);
    return row.values.map((value) => {
      if (value === null) return quiet(NOTHING);
      const told = visible(plain(value));
      const cell = element("span", { title: told.length > 24 ? told : null, class: "rh-cell" }, told.length > 24 && /^[0-9a-f]+$/.test(told) ? told.slice(0, 12) : told);
      return row.differs && JSON.stringify(value) !== first ? { of: cell, css: "rh-other" } : cell;
    });
  }

  /** The values with their intervals; the best is marked where they may be ranked. */
  function metricCells(row, runs) {
    const metric = row.name.replace(/^metrics\./, "");
    const found = row.values.filter((value) => typeof value === "number");
    const tell = (value) => (metric === DERIVED ? seconds(value) : shown(metric, value));
    const isRanked = metric !== DERIVED && new Set(found.map(tell)).size > 1 && rankable(runs, row.name);
    const best = isRanked ? tell((falls(metric) ? Math.min : Math.max)(...found)) : null;
    return row.values.map((value, index) => {
      if (typeof value !== "number") return { of: quiet(NOTHING), css: "rh-number" };
      const run = runs[index];
      const told = tell(value);
      const [low, high] = ["_low", "_high"].map((end) => run.value(row.name + end));
      const isBounded = low !== null && high !== null && row.name.startsWith("metrics.");
      const cell = element(
        "span", { title: basisOf(run, row.name) },
        told === best ? element("b", { title: "the best of these" }, "★ ", told) : told,
        run.value("selected") === true && isBounded ? element("abbr", { title: "the epoch was selected on these images" }, "*") : null,
        isBounded ? element("span", { class: "rh-interval" }, ` ${interval(metric, low, high)}`) : null,
      );
      return { of: cell, css: "rh-number" };
    });
  }

  /** On what a value was measured, for its title. */
  function basisOf(run, name) {
    if (SPEEDS.includes(name) || name === DERIVED) return `on ${visible(run.value("host") ?? "an unknown machine", 60)}`;
    if (typeof run.digest === "string") return visible(`evaluation set ${run.value("evaluation_set")}, digest ${run.digest.slice(0, 12)}, metrics version ${run.version}`, 200);
    return `data ${visible(run.value("data_digest") ?? "unknown", 60).slice(0, 12)}`;
  }

  /** A line under a chart, on what the metrics among *names* were measured; null where there is none. */
  function measuredOn(runs, names) {
    const metrics = names.filter((name) => name.startsWith("metrics.") && !name.startsWith("metrics.export."));
    const first = runs.find((run) => metrics.some((name) => run.value(name) !== null));
    return first ? element("p", { class: "rh-quiet rh-measured" }, `Measured on ${basisOf(first, "metrics.")}.`) : null;
  }

  runhive.differences = Object.assign(differences, { rowsOf, differing, basisOf, measuredOn });
})();

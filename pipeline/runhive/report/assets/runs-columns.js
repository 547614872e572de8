// The columns of the run table: their names, what they hold, and which are there to begin with.
(() => {
  "use strict";

  const { isBound, mainMetric } = runhive.numerals;
  const { bare } = runhive;
  const METRICS = "metrics.";
  const PARAMS = "params.";
  const LABELS = new Map(Object.entries({
    state: "State", experiment: "Experiment", name: "Name", tags: "Tags", verdict: "Verdict", change: "Change",
    seconds: "Time", started_at: "Started, UTC", ended_at: "Ended, UTC", cause: "Cause", notes: "Notes",
    commit: "Commit", branch: "Branch", dirty: "Uncommitted changes", host: "Host", baseline: "Baseline",
    evaluation_set: "Evaluation set", evaluation_digest: "Evaluation digest", evaluation_images: "Images scored",
    metrics_version: "Metrics version", selected: "Selected on these images", reproduced: "Reproduced",
    images_per_second: "Images a second", torch_milliseconds: "Latency, torch, ms",
    onnx_milliseconds: "Latency, ONNX, ms", data_digest: "Data digest", attempt: "Attempt", parent: "Parent",
    archived: "Archived", record_md5: "Record MD5",
  }));
  const HELP = new Map(Object.entries({
    change: "percentage points of accuracy against each run's own baseline, on the same images; " +
      "coloured where McNemar's test finds a difference",
    seconds: "from start to end",
  }));
  const FIRST_PARAMS = ["model.arch", "train.mode", "train.epochs", "train.lr"];
  const MOST_PARAMS = 5;
  const MOST_METRICS = 2;

  /** All columns but the first, which is the run itself. */
  function columnsOf(table) {
    const own = [...LABELS.keys()].filter((key) => table.names.includes(key)).map((key) => column(table, key, "Run"));
    const open = (prefix, section) =>
      table.names.filter((key) => key.startsWith(prefix)).sort(runhive.filter.compareText)
        .map((key) => column(table, key, section));
    const metrics = open(METRICS, "Metrics");
    const names = new Set(table.names);
    const shown = metrics.filter(({ key }) => !isBound(key) || !names.has(key.replace(/_(low|high)$/, "")));
    return new Map([...own, ...shown, ...open(PARAMS, "Parameters")].map((one) => [one.key, one]));
  }

  function column(table, key, section) {
    const values = table.column(key);
    return {
      key,
      section,
      label: LABELS.get(key) ?? bare(key),
      help: HELP.get(key) ?? "",
      isMetric: section === "Metrics",
      isNumber: values.every((value) => value === null || typeof value === "number") && values.some((value) => value !== null),
    };
  }

  /** The columns to begin with: the main metrics, the change, the parameters that differ within an experiment, when. */
  function usualColumns(table, columns, places) {
    const hasAny = (key) => columns.has(key) && places.some((place) => `${table.column(key)[place] ?? ""}` !== "");
    const several = new Set(places.map((place) => table.column("experiment")[place])).size > 1;
    return [
      ...mainMetrics(table, places),
      ...["change"].filter(hasAny),
      ...(several ? ["experiment"] : []),
      ...differing(table, columns, places),
      ...["tags", "seconds", "started_at"].filter(hasAny),
    ];
  }

  /** The parameters in which most runs differ from their experiment's usual value; the well-known ones come first. */
  function differing(table, columns, places) {
    return [...columns.keys()].filter((key) => key.startsWith(PARAMS))
      .map((key) => ({ key, odd: oddOnes(table.column("experiment"), table.column(key), places) }))
      .filter(({ odd }) => odd > 0)
      .sort((one, other) => rank(one.key) - rank(other.key) || other.odd - one.odd)
      .slice(0, MOST_PARAMS).map(({ key }) => key);
  }

  function rank(key) {
    const place = FIRST_PARAMS.indexOf(bare(key));
    return place < 0 ? FIRST_PARAMS.length : place;
  }

  /** How many runs have another value than most of their experiment; runs without the parameter do not count. */
  function oddOnes(experiments, values, places) {
    const counts = new Map();
    for (const place of places) {
      if (values[place] === null) continue;
      const own = counts.get(experiments[place]) ?? counts.set(experiments[place], new Map()).get(experiments[place]);
      const written = typeof values[place] === "object" ? JSON.stringify(values[place]) : values[place];
      own.set(written, (own.get(written) ?? 0) + 1);
    }
    const odd = (own) => [...own.values()].reduce((sum, one) => sum + one, 0) - Math.max(...own.values());
    return [...counts.values()].reduce((sum, own) => sum + odd(own), 0);
  }

  /** The main metrics of the runs, the most frequent first. */
  function mainMetrics(table, places) {
    const metrics = table.names.filter((key) => key.startsWith(METRICS)).map((key) => [key.slice(METRICS.length), table.column(key)]);
    const sets = table.column("evaluation_set");
    const mains = new Map(); // most runs have the same metrics
    const counts = new Map();
    for (const place of places) {
      const own = metrics.filter(([, values]) => values[place] !== null).map(([name]) => name);
      const alike = JSON.stringify([sets[place], own]);
      if (!mains.has(alike)) mains.set(alike, own.length ? mainMetric(own, sets[place] ?? "") : null);
      const main = mains.get(alike);
      if (main !== null) counts.set(METRICS + main, (counts.get(METRICS + main) ?? 0) + 1);
    }
    return [...counts].sort((one, other) => other[1] - one[1]).slice(0, MOST_METRICS).map(([key]) => key);
  }

  runhive.runsColumns = { columnsOf, usualColumns, METRICS, PARAMS };
})();

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
  const MOST_PARAMS = 6;
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
    const values = table.column(key).filter((value) => value !== null);
    return {
      key,
      section,
      label: LABELS.get(key) ?? bare(key),
      help: HELP.get(key) ?? "",
      isMetric: section === "Metrics",
      isNumber: values.length > 0 && values.every((value) => typeof value === "number"),
    };
  }

  /** The columns to begin with: the main metrics, the change, the parameters that differ within an experiment, when. */
  function usualColumns(table, columns, places) {
    const values = (key) => places.map((place) => table.column(key)[place]);
    const kinds = (key) => new Set(values(key).map((value) => JSON.stringify(value))).size;
    const hasAny = (key) => columns.has(key) && values(key).some((value) => value !== null && `${value}` !== "");
    const experiments = kinds("experiment");
    const within = (key) => new Set(places.map((place) =>
      JSON.stringify([table.column("experiment")[place], table.column(key)[place]]))).size;
    const differing = [...columns.keys()].filter((key) => key.startsWith(PARAMS) && within(key) > experiments);
    const told = differing.filter((key) => values(key).filter((value) => value !== null).length * 3 > places.length);
    return [
      ...mainMetrics(table, places),
      ...["change"].filter(hasAny),
      ...(experiments > 1 ? ["experiment"] : []),
      ...[...told].sort((one, other) => rank(one) - rank(other)).slice(0, MOST_PARAMS),
      ...["tags", "seconds", "started_at"].filter(hasAny),
    ];
  }

  function rank(key) {
    const place = FIRST_PARAMS.indexOf(bare(key));
    return place < 0 ? FIRST_PARAMS.length : place;
  }

  /** The main metrics of the runs, the most frequent first. */
  function mainMetrics(table, places) {
    const names = table.names.filter((key) => key.startsWith(METRICS)).map((key) => key.slice(METRICS.length));
    const sets = table.column("evaluation_set");
    const counts = new Map();
    for (const place of places) {
      const own = names.filter((name) => table.column(METRICS + name)[place] !== null);
      const main = own.length ? mainMetric(own, sets[place] ?? "") : null;
      if (main !== null) counts.set(METRICS + main, (counts.get(METRICS + main) ?? 0) + 1);
    }
    return [...counts].sort((one, other) => other[1] - one[1]).slice(0, MOST_METRICS).map(([key]) => key);
  }

  runhive.runsColumns = { columnsOf, usualColumns, METRICS, PARAMS };
})();

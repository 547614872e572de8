// The runs that are compared: their rows of the table, and their own shards, loaded when asked for.
(() => {
  "use strict";

  const { load, shards, table } = runhive;
  const { unpack } = runhive.pairs;
  const LEAST = 2;
  const MOST = 20;
  const DERIVED = "seconds"; // from start to end; no column of its own
  const SPEEDS = ["images_per_second", "torch_milliseconds", "onnx_milliseconds"];

  const known = () => {
    const rows = table("runs");
    const ids = rows.column("run_id");
    return { rows, ids, places: new Map(ids.map((id, place) => [id, place])) };
  };
  const paths = () => {
    const index = table("details");
    const listed = index.column("path");
    return new Map(index.column("run_id").map((id, place) => [id, listed[place]]));
  };
  let all = null;
  let files = null;

  /** The whole table with the place of each run in it. */
  function everything() {
    all ??= known();
    return all;
  }

  /** The runs of *ids* that are known, in that order, each with what its shard holds. */
  async function chosen(ids) {
    const { places } = everything();
    files ??= paths();
    const found = ids.filter((id) => places.has(id));
    await Promise.all(found.map((id) => load(`../${files.get(id)}`)));
    return found.map((id, index) => run(id, index + 1));
  }

  function run(id, number) {
    const value = (name) => valueOf(id, name);
    const detail = shards(id)[0];
    return {
      id, number, value,
      digest: value("evaluation_digest"),
      version: value("metrics_version"),
      label: value("name") || id,
      curves: curvesOf(detail),
      answers: detail.answers && { ...detail.answers, right: unpack(detail.answers.right, detail.answers.count) },
      environment: new Map(detail.environment),
      data: new Map(detail.data),
      phases: new Map(detail.phases),
    };
  }

  /** A run's value in a column, or its duration; null where it has none. */
  function valueOf(id, name) {
    const { rows, places } = everything();
    if (name !== DERIVED) return rows.column(name)[places.get(id)];
    const [start, end] = ["started_at", "ended_at"].map((one) => Date.parse(valueOf(id, one)));
    return Number.isFinite(end - start) ? (end - start) / 1000 : null;
  }

  function curvesOf(detail) {
    return detail.curves.map(([name, axis, axes, values]) => {
      const [at, seconds] = detail.axes[axes];
      return { name, axis, at, seconds, values };
    });
  }

  /** The names of the columns that begin with *prefix*, in which the runs have a value. */
  function columns(runs, prefix) {
    const names = everything().rows.names.filter((name) => name.startsWith(prefix));
    return names.filter((name) => runs.some((one) => one.value(name) !== null));
  }

  /** Has any run another value than the first? */
  function differs(values) {
    const told = values.map((value) => JSON.stringify(value ?? null));
    return told.some((one) => one !== told[0]);
  }

  /** The name of the evaluation that each run's metrics may be compared within; null without one. */
  function basis(one) {
    return typeof one.digest === "string" ? `${one.digest} ${one.version}` : null;
  }

  /** May values of *metric* be ranked over these runs? Those of an exported file hold wherever they were made. */
  function rankable(runs, metric) {
    const measured = runs.filter((one) => one.value(metric) !== null);
    if (metric.startsWith("metrics.export.")) return true;
    if (SPEEDS.includes(metric) || metric === DERIVED) return new Set(measured.map((one) => one.value("host"))).size < 2;
    const bases = new Set(measured.map((one) => basis(one) ?? one.value("data_digest")));
    return bases.size < 2 && !bases.has(null);
  }

  /** Is it the same images, data and definition that *metric* was measured by in both? An exported file's hold anywhere. */
  function alike(one, other, metric) {
    if (!metric.startsWith("metrics.") || metric.startsWith("metrics.export.")) return true;
    const [own, its] = [one, other].map((run) => basis(run) ?? run.value("data_digest"));
    return own === its;
  }

  runhive.chosen = { everything, chosen, columns, differs, basis, rankable, alike, LEAST, MOST, SPEEDS, DERIVED };
})();

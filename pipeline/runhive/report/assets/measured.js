// What the page of trends draws: the values of one metric in one experiment, from run to run, cut where they change meaning.
(() => {
  "use strict";

  const { table } = runhive;
  const { falls } = runhive.numerals;
  const DRAWABLE = 1e12; // as in report/chart.py
  const DERIVED = "seconds";
  const isDrawable = (value) => typeof value === "number" && Math.abs(value) < DRAWABLE;

  /** The runs with a value, the oldest first. `metric` has no `metrics.` before it. */
  function measured(experiment, metric) {
    const rows = table("runs");
    const name = rows.names.includes(`metrics.${metric}`) ? `metrics.${metric}` : metric;
    const column = (one) => rows.column(one);
    const values = name === DERIVED ? durations(rows) : column(name);
    const found = [];
    for (let place = 0; place < rows.rows; place += 1) {
      const isShown = column("experiment")[place] === experiment && column("state")[place] === "completed" && !column("archived")[place];
      if (isShown && isDrawable(values[place])) found.push(pointOf(place, values[place], name, column));
    }
    return found;
  }

  function pointOf(place, value, name, column) {
    const [low, high] = ["_low", "_high"].map((end) => column(name + end)[place]);
    const isBounded = isDrawable(low) && isDrawable(high);
    return {
      id: column("run_id")[place], started: Date.parse(column("started_at")[place]) / 1000, commit: column("commit")[place] ?? "",
      name: column("name")[place], value, low: isBounded ? low : null, high: isBounded ? high : null,
      set: column("evaluation_set")[place], digest: column("evaluation_digest")[place], version: column("metrics_version")[place],
      host: column("host")[place], selected: column("selected")[place] === true,
    };
  }

  function durations(rows) {
    const [starts, ends] = ["started_at", "ended_at"].map((name) => rows.column(name));
    return starts.map((start, place) => {
      const seconds = (Date.parse(ends[place]) - Date.parse(start)) / 1000;
      return Number.isFinite(seconds) ? seconds : null;
    });
  }

  /** The points in pieces that begin at the runs of *breaks*. */
  function pieces(points, breaks) {
    const starts = new Set(breaks.map(([id]) => id));
    const cut = [];
    for (const point of points) {
      if (!cut.length || starts.has(point.id)) cut.push([]);
      cut.at(-1).push(point);
    }
    return cut;
  }

  /** The best value so far, at each point of a piece. */
  function bestSoFar(piece, metric) {
    let best = piece[0].value;
    return piece.map(({ value }) => {
      best = falls(metric) ? Math.min(best, value) : Math.max(best, value);
      return best;
    });
  }

  /** The place of each point on an axis: its number, its commit's number in the order of first use, or its time. */
  function placesOf(points, axis) {
    if (axis === "time") return points.map((point) => point.started);
    if (axis === "run") return points.map((_, index) => index + 1);
    const commits = [...new Set(points.map((point) => point.commit))];
    return points.map((point) => commits.indexOf(point.commit) + 1);
  }

  runhive.measured = Object.assign(measured, { pieces, bestSoFar, placesOf });
})();

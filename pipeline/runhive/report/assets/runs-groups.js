// Runs in groups: what they have in common, and mean and standard deviation of what may be averaged.
(() => {
  "use strict";

  const { asText } = runhive.filter;
  const { bare } = runhive;
  const { isBetter, lastPart } = runhive.numerals;
  const ANY_SEED = "*"; // all parameters but the seeds
  const AVERAGED = ["seconds", "images_per_second", "torch_milliseconds", "onnx_milliseconds"];
  const isSeed = (key) => /(^|[._])seed$/.test(key);

  /** Groups of places in the order of their first ones: `{ id, label, places }`. */
  function groupRuns(model, places, by) {
    const describe = by === ANY_SEED ? withoutSeed(model, places) : byField(model, by);
    const found = new Map();
    for (const place of places) {
      const { id, label } = describe(place);
      if (!found.has(id)) found.set(id, { id, label, places: [] });
      found.get(id).places.push(place);
    }
    return [...found.values()];
  }

  function byField(model, by) {
    const value = model.fields.reader(by);
    return (place) => {
      const found = value(place);
      return { id: JSON.stringify(found), label: `${bare(by)} = ${found === null ? "none" : asText(found)}` };
    };
  }

  function withoutSeed(model, places) {
    const names = [...model.columns.keys()].filter((key) => key.startsWith("params.") && !isSeed(key));
    const columns = names.map((key) => model.table.column(key));
    const experiments = model.table.column("experiment");
    const differing = differingWithin(experiments, columns, places);
    const several = new Set(places.map((place) => experiments[place])).size > 1;
    return (place) => {
      const own = names.map((name, at) => [name, columns[at][place]])
        .filter(([, value], at) => differing[at] && value !== null)
        .map(([name, value]) => `${lastPart(name)} ${asText(value)}`);
      const parts = [...(several && experiments[place] ? [experiments[place]] : []), ...own];
      return {
        id: JSON.stringify([experiments[place], ...columns.map((column) => column[place])]),
        label: parts.join(", ") || "same parameters",
      };
    };
  }

  /** For each column, whether two runs of one experiment differ in it. */
  function differingWithin(experiments, columns, places) {
    return columns.map((column) => {
      const first = new Map();
      return places.some((place) => {
        const value = JSON.stringify(column[place]);
        if (!first.has(experiments[place])) first.set(experiments[place], value);
        return first.get(experiments[place]) !== value;
      });
    });
  }

  /** What a group's runs have in a column: nothing, one `value`, or `mean`, `deviation`, `count`; or why not. */
  function summary(model, column, places) {
    const values = model.table.column(column.key);
    const told = places.filter((place) => values[place] !== null && values[place] !== "");
    if (!told.length) return { kind: "none" };
    if (!isAveraged(column)) return common(values, told, places);
    const ids = column.isMetric ? new Set(told.map((place) => model.sets.of(column.key, place).id)) : new Set([""]);
    const isMixed = ids.size > 1 || (ids.has(null) && told.length > 1);
    if (isMixed) return { kind: "mixed", count: ids.size, runs: told.length };
    return average(told.map((place) => values[place]), told, column);
  }

  const isAveraged = ({ key, isMetric, isNumber }) => isNumber && (isMetric || AVERAGED.includes(key));

  function common(values, told, places) {
    const kinds = new Set(places.map((place) => JSON.stringify(values[place])));
    if (kinds.size === 1) return { kind: "value", place: told[0] };
    return { kind: "several", count: kinds.size, values: told.map((place) => values[place]) };
  }

  function average(numbers, told, column) {
    const count = numbers.length;
    const mean = numbers.reduce((sum, one) => sum + one, 0) / count;
    const squares = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    const better = (top, one) => (isBetter(column.key, one, top) ? one : top);
    return {
      kind: "mean", place: told[0], count, mean,
      deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : null,
      best: numbers.reduce(better),
    };
  }

  runhive.runsGroups = { ANY_SEED, groupRuns, isAveraged, summary };
})();

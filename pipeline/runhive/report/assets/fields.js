// What a name stands for in a run, as runhive/tracking/fields.py says: a column, then a metric, then a parameter.
(() => {
  "use strict";

  const { FilterError, compareText, compile, parse, testsOf, asText } = runhive.filter;
  const SHORT = new Map([
    ["run", "run_id"], ["tag", "tags"], ["note", "notes"], ["started", "started_at"], ["ended", "ended_at"],
  ]);
  const METRICS = "metrics.";
  const PARAMS = "params.";

  /** Reads names in a table of runhive.table. */
  function fields(table) {
    const keys = new Set(table.names);
    const keysOf = (name) => {
      const own = SHORT.get(name) ?? name;
      const found = [own, METRICS + own, PARAMS + own].filter((key) => keys.has(key));
      return isOpen(found[0] ?? "") ? found : found.slice(0, 1);
    };

    /** A function from a row's place to the name's value, null where it has none. */
    function reader(name) {
      const columns = keysOf(name).map((key) => table.column(key));
      return (place) => {
        const found = columns.find((column) => column[place] !== null)?.[place];
        return found === undefined || found === "" ? null : found;
      };
    }

    function select(text) {
      const expression = parse(text);
      for (const test of testsOf(expression)) {
        if (table.rows && !keysOf(test.name).length) throw new FilterError(test.position, unknown(test.name));
      }
      const holds = compile(expression, reader);
      return [...Array(table.rows).keys()].filter(holds);
    }

    function unknown(name) {
      const known = [...new Set([...SHORT.keys(), ...table.names, ...table.names.map(bare)])].sort(compareText);
      const near = nearest(name, known) ?? known.find((one) => one.endsWith(`.${name}`));
      return `no run has ${name}: ${near ? `did you mean ${near}?` : "`runhive runs show latest` lists names"}`;
    }

    return { reader, select, has: (name) => keysOf(name).length > 0, key: (name) => keysOf(name)[0] ?? null };
  }

  const isOpen = (key) => key.startsWith(METRICS) || key.startsWith(PARAMS);

  /** A column's name without what says whether it is a metric or a parameter. */
  function bare(key) {
    const name = key.startsWith(METRICS) ? key.slice(METRICS.length) : key;
    return name.startsWith(PARAMS) ? name.slice(PARAMS.length) : name;
  }

  /** The places in order of a value each, those without one last; numbers as numbers unless there is text too. */
  function sorted(places, value, isDescending) {
    const found = places.filter((place) => value(place) !== null);
    const numeric = found.every((place) => ["number", "boolean"].includes(typeof value(place)));
    const compare = numeric
      ? (one, other) => value(one) - value(other)
      : (one, other) => compareText(asText(value(one)), asText(value(other)));
    found.sort(isDescending ? (one, other) => compare(other, one) : compare);
    return [...found, ...places.filter((place) => value(place) === null)];
  }

  /** The most alike of the known names, as Python's difflib.get_close_matches(name, known, 1, 0.6) finds it. */
  function nearest(name, known) {
    let best = null;
    for (const one of known) {
      const score = ratio([...one], [...name]);
      if (score >= 0.6 && (best === null || score >= best.score)) best = { one, score };
    }
    return best?.one;
  }

  function ratio(one, other) {
    const matches = matching(one, other, [0, one.length, 0, other.length]);
    return one.length + other.length ? (2 * matches) / (one.length + other.length) : 1;
  }

  function matching(one, other, [low, high, otherLow, otherHigh]) {
    let best = [low, otherLow, 0];
    let lengths = new Map();
    for (let i = low; i < high; i += 1) {
      const here = new Map();
      for (let j = otherLow; j < otherHigh; j += 1) {
        if (one[i] !== other[j]) continue;
        const run = (lengths.get(j - 1) ?? 0) + 1;
        here.set(j, run);
        if (run > best[2]) best = [i - run + 1, j - run + 1, run];
      }
      lengths = here;
    }
    const [start, otherStart, size] = best;
    if (!size) return 0;
    return size + matching(one, other, [low, start, otherLow, otherStart]) +
      matching(one, other, [start + size, high, otherStart + size, otherHigh]);
  }

  Object.assign(runhive, { fields, sorted, bare });
})();

// Differences and values as the terminal shows them: report/numerals.py, score.py and text.py; a test compares them.
(() => {
  "use strict";

  const { fixed, isShare, points, signed, size } = runhive.numerals;

  /** Python's `%.{digits}g`. */
  function general(value, digits) {
    if (value === 0) return "0";
    const [, power] = value.toExponential(digits - 1).split("e").map(Number);
    if (power >= -4 && power < digits) return String(Number(fixed(value, digits - 1 - power)));
    const [mantissa] = value.toExponential(digits - 1).split("e");
    return `${Number(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }

  function pValue(p) {
    return p < 0.001 ? "p < 0.001" : p < 0.995 ? `p = ${general(p, 2)}` : "p = 1";
  }

  /** A difference of two values of *metric*, with its sign; shares in percentage points. */
  function shownChange(metric, change) {
    if (metric.endsWith("_bytes")) return `${change < 0 ? "−" : "+"}${size(Math.trunc(Math.abs(change)))}`;
    return isShare(metric) ? points(change) : signed(change, general(Math.abs(change), 3));
  }

  /** A parameter's value as params.yaml would show it. */
  function plain(value) {
    if (Array.isArray(value)) return `[${value.slice(0, 50).map(item).join(", ")}${value.length > 50 ? ", …" : ""}]`;
    return item(value);
  }

  function item(value) {
    if (value === null || value === undefined) return "null";
    return typeof value === "object" ? (Object.keys(value).length ? "…" : "none") : String(value);
  }

  runhive.changes = { general, pValue, shownChange, plain };
})();

// A column of values as an axis: numbers, numbers over decades, or words one after the other.
(() => {
  "use strict";

  const { number, shown, visible } = runhive.numerals;
  const { plain } = runhive.changes;
  const DECADES = 30; // a column of positive numbers that spans more than this factor gets a logarithmic axis
  const PADDING = 0.04;

  /** `place(value)` is 0 to 1, or null; `ticks` are pairs of place and text; `isNumeric`, `isLog` and `tell(value)`. */
  function axisOf(name, values) {
    const found = values.filter((value) => value !== null);
    const isNumeric = found.length > 0 && found.every((value) => typeof value === "number");
    return isNumeric ? numeric(name, found) : worded(found);
  }

  function numeric(name, found) {
    const [low, high] = [Math.min(...found), Math.max(...found)];
    const isLog = low > 0 && high / low > DECADES;
    const scale = isLog ? Math.log10 : (value) => value;
    const [from, to] = padded(scale(low), scale(high));
    const metric = name.replace(/^metrics\./, "");
    const tell = name.startsWith("metrics.") ? (value) => shown(metric, value) : number;
    return {
      isNumeric: true, isLog, tell, low, high,
      place: (value) => (typeof value === "number" ? (scale(value) - from) / (to - from) : null),
      value: (place) => (isLog ? 10 ** (from + place * (to - from)) : from + place * (to - from)),
      ticks: (low === high ? [low] : isLog ? decades(from, to) : even(from, to)).map((value) => [(scale(value) - from) / (to - from), tell(value)]),
    };
  }

  function padded(low, high) {
    const margin = high > low ? (high - low) * PADDING : Math.abs(high) * 0.05 || 0.5;
    return [low - margin, high + margin];
  }

  function even(low, high) {
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  }

  function decades(low, high) {
    const first = Math.ceil(low);
    const whole = Array.from({ length: Math.max(0, Math.floor(high) - first + 1) }, (_, index) => 10 ** (first + index));
    return whole.length > 1 ? whole : [10 ** low, 10 ** high].map((value) => Number(value.toPrecision(2)));
  }

  function worded(found) {
    const text = (value) => visible(plain(value), 40);
    const words = [...new Set(found.map(text))].sort();
    const at = (index) => (index + 1) / (words.length + 1);
    return {
      isNumeric: false, isLog: false, tell: text,
      place: (value) => (value === null ? null : at(words.indexOf(text(value)))),
      value: (place) => place,
      ticks: words.map((word, index) => [at(index), word]),
    };
  }

  runhive.axisOf = axisOf;
})();

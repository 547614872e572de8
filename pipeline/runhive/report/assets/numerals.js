// Numbers and text as the pages show them: report/numerals.py, score.py and text.py said again; a test compares them.
(() => {
  "use strict";

  const THIN = "\u202f";
  const NOTHING = "\u2014";
  const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const LARGEST = 1e300;
  const SHARES = ["accuracy", "precision", "recall", "f1", "macro_f1", "roc_auc", "top1_agreement"];
  const LOWER_IS_BETTER = ["nll", "loss", "brier", "ece", "error", "mae", "mse", "rmse"];
  const FALLING = /_(loss|error|difference|milliseconds)$/;
  const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

  /** A fixed number of decimals; ties go to the even digit, as Python has them. */
  function fixed(value, places) {
    const exact = Math.abs(value).toFixed(places + 60);
    const end = exact.indexOf(".") + 1 + places;
    const kept = exact.slice(0, places ? end : end - 1);
    const isTie = /^50*$/.test(exact.slice(end));
    const told = isTie && "02468".includes(kept.at(-1)) ? kept : Math.abs(value).toFixed(places);
    return value < 0 ? `-${told}` : told;
  }

  /** Python's `%.{digits}g`, as mantissa and exponent; the exponent is null where it is written out. */
  function general(value, digits) {
    if (value === 0) return ["0", null];
    const [, power] = value.toExponential(digits - 1).split("e").map(Number);
    const isLong = power < -4 || power >= digits;
    const told = isLong ? value.toExponential(digits - 1).split("e")[0] : fixed(value, digits - 1 - power);
    return [told.includes(".") ? told.replace(/\.?0+$/, "") : told, isLong ? power : null];
  }

  function percent(share) {
    return Math.abs(share) < LARGEST ? `${fixed(100 * share, 1)}${THIN}%` : NOTHING;
  }

  function number(value) {
    if (!(Math.abs(value) < LARGEST)) return NOTHING;
    if (Number.isInteger(value) && Math.abs(value) < 1e15) {
      return String(value).replace(/\B(?=(\d{3})+$)/g, THIN).replace("-", "−");
    }
    const [mantissa, power] = general(value, 4);
    const told = mantissa.replace("-", "−");
    return power === null ? told : `${told} × 10${raised(power)}`;
  }

  function raised(power) {
    return (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((digit) => RAISED[digit]).join("");
  }

  function seconds(value) {
    if (!(value >= 0 && value < 1e9)) return NOTHING;
    if (value < 9.95) return `${fixed(value, 1)}${THIN}s`;
    const whole = Number(fixed(value, 0));
    const two = (count) => String(count).padStart(2, "0");
    if (whole < 60) return `${whole}${THIN}s`;
    if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${two(whole % 60)}${THIN}s`;
    return `${Math.floor(whole / 3600)}${THIN}h ${two(Math.floor((whole % 3600) / 60))}${THIN}min`;
  }

  function size(count) {
    if (!(count >= 0 && count < LARGEST)) return NOTHING;
    if (count < 1000) return `${count}${THIN}B`;
    const power = Math.min(3, Math.floor(Math.log10(count) / 3));
    const scaled = count / 1000 ** power;
    return `${fixed(scaled, scaled < 100 ? 1 : 0)}${THIN}${"kMG"[power - 1]}B`;
  }

  function signed(value, digits) {
    return Number(digits) ? `${value < 0 ? "−" : "+"}${digits}` : digits;
  }

  function pValue(p) {
    return p < 0.001 ? "p < 0.001" : p < 0.995 ? `p = ${general(p, 2)[0]}` : "p = 1";
  }

  const lastPart = (metric) => metric.slice(metric.lastIndexOf(".") + 1);

  function isShare(metric) {
    return SHARES.includes(lastPart(metric).replace(/_low$/, "").replace(/_high$/, ""));
  }

  function falls(metric) {
    return LOWER_IS_BETTER.includes(lastPart(metric)) || FALLING.test(lastPart(metric));
  }

  /** A value in the metric's own way: percent, bytes or four digits. */
  function shown(metric, value) {
    if (metric.endsWith("_bytes") && value >= 0) return size(Math.trunc(value));
    return isShare(metric) ? percent(value) : number(value);
  }

  function shownChange(metric, change) {
    if (isShare(metric)) return signed(100 * change, fixed(Math.abs(100 * change), 1));
    const [mantissa, power] = general(Math.abs(change), 3);
    const exponent = power === null ? "" : `e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
    return signed(change, mantissa + exponent);
  }

  /** Text with every character spelled out that would not show, at most *longest* characters of it. */
  function visible(text, longest = 2000) {
    const whole = [...String(text)];
    const clipped = whole.length <= longest ? whole.join("") : `${whole.slice(0, longest - 1).join("")}…`;
    return clipped.replace(HIDDEN, (one) => ("\n\t".includes(one) ? one : spelled(one)));
  }

  function spelled(character) {
    return `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  }

  /** A parameter's value as params.yaml would show it. */
  function plain(value) {
    if (Array.isArray(value)) return `[${value.slice(0, 50).map(item).join(", ")}${value.length > 50 ? ", …" : ""}]`;
    return item(value);
  }

  function item(value) {
    if (value === null || value === undefined) return "null";
    if (typeof value === "object") return Object.keys(value).length ? "…" : "none";
    return String(value);
  }

  window.runhive.numerals = {
    fixed, percent, number, seconds, size, signed, pValue, isShare, falls, shown, shownChange, visible, plain,
    NOTHING,
  };
})();

// Filter expressions, as runhive/tracking/tokens.py and expression.py read them: docs/reference/filters.md.
(() => {
  "use strict";

  const LONGEST = 2000;
  const DEEPEST = 50;
  const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // Python's
  const SPACES = new RegExp(`[${SPACE}]*`, "uy");
  const TOKEN = new RegExp(
    `(?<text>"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*')|(?<operator>==|!=|<=|>=|<|>|~)|(?<mark>[(),])|` +
      `(?<word>[^${SPACE}()<>=!~,"']+)`,
    "suy",
  );
  const NUMBER = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
  const KEYWORDS = ["and", "or", "not", "in"];
  const CONSTANTS = new Map([["true", true], ["false", false], ["null", null]]);
  const UNPRINTABLE = /[\p{C}\p{Z}]/u;

  /** A mistake in an expression; `position` counts characters from 1, and is null for the whole. */
  class FilterError extends Error {
    constructor(position, problem) {
      super(position === null ? `filter: ${problem}` : `filter, character ${position}: ${oneLine(problem)}`);
      this.position = position;
    }
  }

  function oneLine(text) {
    return [...text].map((one) => (one !== " " && UNPRINTABLE.test(one) ? spelt(one) : one)).join("");
  }

  function spelt(character) {
    const short = { "\t": "\\t", "\n": "\\n", "\r": "\\r" }[character];
    const code = character.codePointAt(0);
    const [letter, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return short ?? `\\${letter}${code.toString(16).padStart(width, "0")}`;
  }

  const length = (text) => [...text].length;
  const clipped = (text, longest) => [...text].slice(0, longest).join("");

  function tokenize(text) {
    const size = length(text);
    if (size > LONGEST) throw new FilterError(null, `${size} characters, ${LONGEST} at most: shorten it`);
    const found = [];
    let place = skip(text, 0);
    while (place < text.length) {
      TOKEN.lastIndex = place;
      const match = TOKEN.exec(text);
      const position = length(text.slice(0, place)) + 1;
      if (!match) throw new FilterError(position, unreadable(text[place]));
      const [kind] = Object.entries(match.groups).find(([, taken]) => taken !== undefined);
      const lower = match[0].toLowerCase();
      const keyword = kind === "word" && KEYWORDS.includes(lower);
      found.push({ kind: keyword ? lower : kind, text: match[0], position, place });
      place = skip(text, TOKEN.lastIndex);
    }
    return [...found, { kind: "end", text: "", position: size + 1, place: text.length }];
  }

  function skip(text, place) {
    SPACES.lastIndex = place;
    SPACES.exec(text);
    return SPACES.lastIndex;
  }

  function unreadable(character) {
    if (character === "=") return "'=' is no comparison: write ==";
    if (character === "!") return "'!' is not expected here: write != for not equal";
    return `the quote ${character} is not closed: close it`;
  }

  function valueOf(token) {
    if (token.kind === "text") return token.text.slice(1, -1).replace(/\\(.)/gsu, "$1");
    if (NUMBER.test(token.text)) return Number(token.text);
    return CONSTANTS.has(token.text) ? CONSTANTS.get(token.text) : token.text;
  }

  /** Recursive descent; `index` is the token that is next. */
  class Parser {
    constructor(tokens) {
      Object.assign(this, { tokens, index: 0, depth: 0 });
    }

    get next() {
      return this.tokens[this.index];
    }

    take(kind, text = "") {
      const token = this.next;
      if (token.kind !== kind || (text && token.text !== text)) return null;
      this.index += 1;
      return token;
    }

    unexpected(wanted) {
      const found = this.next.kind === "end" ? "it ends" : `found ${clipped(this.next.text, 40)}`;
      return new FilterError(this.next.position, `${wanted} expected, but ${found}`);
    }

    whole() {
      const expression = this.either();
      if (this.next.kind !== "end") throw this.unexpected("`and`, `or` or the end");
      return expression;
    }

    either() {
      const parts = [this.both()];
      while (this.take("or")) parts.push(this.both());
      return parts.length === 1 ? parts[0] : { kind: "any", parts };
    }

    both() {
      const parts = [this.one()];
      while (this.take("and")) parts.push(this.one());
      return parts.length === 1 ? parts[0] : { kind: "all", parts };
    }

    one() {
      this.depth += 1;
      if (this.depth > DEEPEST) {
        throw new FilterError(this.next.position, `nested more than ${DEEPEST} deep: shorten it`);
      }
      const found = this.nested();
      this.depth -= 1;
      return found;
    }

    nested() {
      if (this.take("not")) return { kind: "not", part: this.one() };
      if (!this.take("mark", "(")) return this.test();
      const inner = this.either();
      if (!this.take("mark", ")")) throw this.unexpected("`)`");
      return inner;
    }

    test() {
      const { position } = this.next;
      const token = this.take("word") ?? this.take("text");
      if (!token) throw this.unexpected("the name of a field, metric or parameter");
      if (token.kind === "word" && (NUMBER.test(token.text) || CONSTANTS.has(token.text))) {
        const problem = `the name comes first and the value after it: ${token.text} is a value`;
        throw new FilterError(position, problem);
      }
      const name = String(valueOf(token));
      const operator = this.take("operator");
      if (operator) {
        const sign = operator.text.replace("!=", "==");
        const equal = { kind: "test", name, operator: sign, values: [this.value()], position };
        return operator.text === "!=" ? { kind: "not", part: equal } : equal;
      }
      const negated = this.take("not");
      if (!this.take("in")) throw this.unexpected(negated ? "`in`" : "a comparison (== != < <= > >= ~ in)");
      const among = { kind: "test", name, operator: "in", values: this.values(), position };
      return negated ? { kind: "not", part: among } : among;
    }

    value() {
      const token = this.take("word") ?? this.take("text");
      if (!token) throw this.unexpected("a value");
      return valueOf(token);
    }

    values() {
      if (!this.take("mark", "(")) throw this.unexpected("`(` and a list of values");
      const found = [this.value()];
      while (this.take("mark", ",")) found.push(this.value());
      if (!this.take("mark", ")")) throw this.unexpected("`,` or `)`");
      return found;
    }
  }

  function* testsOf(expression) {
    if (expression.kind === "test") yield expression;
    else for (const part of expression.parts ?? [expression.part]) yield* testsOf(part);
  }

  /** The expression as a function of a row's place; `lookup(name)` gives a function from place to value. */
  function compile(expression, lookup) {
    if (expression.kind === "not") {
      const part = compile(expression.part, lookup);
      return (place) => !part(place);
    }
    if (expression.kind !== "test") {
      const parts = expression.parts.map((part) => compile(part, lookup));
      if (expression.kind === "all") return (place) => parts.every((part) => part(place));
      return (place) => parts.some((part) => part(place));
    }
    const { operator, values } = expression;
    const own = lookup(expression.name);
    const passes = (one) => values.some((value) => passesTest(operator, one, value));
    return (place) => {
      const found = own(place);
      return Array.isArray(found) && found.length ? found.some(passes) : passes(Array.isArray(found) ? null : found);
    };
  }

  function passesTest(operator, own, value) {
    if (operator === "~") return own !== null && asText(own).toLowerCase().includes(asText(value).toLowerCase());
    if (typeof own !== typeof value || (own === null) !== (value === null)) return false;
    if (operator === "==" || operator === "in") return own === value;
    if (own === null) return false;
    const order = typeof own === "string" ? compareText(own, value) : own - value;
    if (operator === "<") return order < 0;
    if (operator === "<=") return order <= 0;
    return operator === ">" ? order > 0 : order >= 0;
  }

  /** Orders text by its code points, as Python does; JavaScript compares halves of the astral ones. */
  function compareText(one, other) {
    let place = 0;
    while (place < one.length && one[place] === other[place]) place += 1;
    if (place === one.length || place === other.length) return one.length - other.length;
    return weight(one.charCodeAt(place)) - weight(other.charCodeAt(place));
  }

  function weight(unit) {
    return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
  }

  /** A value as an expression would write it: numbers with Python's digits. */
  function asText(value) {
    if (typeof value === "number") return numberText(value);
    if (Array.isArray(value)) return `[${value.map(asText).join(", ")}]`;
    if (value !== null && typeof value === "object") {
      return `{${Object.entries(value).map(([key, one]) => `${key}: ${asText(one)}`).join(", ")}}`;
    }
    return String(value);
  }

  function numberText(value) {
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    if (Number.isInteger(value)) return BigInt(value).toString();
    if (Math.abs(value) >= 1e-4) return String(value);
    return value.toExponential().replace(/e-(\d)$/, "e-0$1");
  }

  const parse = (text) => new Parser(tokenize(text)).whole();
  runhive.filter = { parse, compile, testsOf, tokenize, asText, compareText, FilterError };
})();

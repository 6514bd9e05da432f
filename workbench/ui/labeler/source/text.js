// Positions in text. The server counts code points, the browser UTF-16 units: they are converted here and
// nowhere else. Inside the component every position is in UTF-16 units.

const ASTRAL = /[\u{10000}-\u{10FFFF}]/u;

/** Converters between code points and UTF-16 units of one text; the identity where all characters are single units. */
export function makeOffsets(text) {
  if (!ASTRAL.test(text)) return { toUnits: (n) => n, toPoints: (n) => n };
  const starts = [];
  const points = new Int32Array(text.length + 1);
  let at = 0;
  for (const character of text) {
    for (let k = 0; k < character.length; k += 1) points[at + k] = starts.length;
    starts.push(at);
    at += character.length;
  }
  points[at] = starts.length;
  starts.push(at);
  return { toUnits: (n) => starts[Math.min(n, starts.length - 1)], toPoints: (n) => points[n] };
}

/** Words and marks of a text as [start, end] pairs, without white space: what an answer snaps to. */
export function splitWords(text) {
  const found = [];
  const add = (segment, start) => {
    if (/\S/.test(segment)) found.push([start, start + segment.length]);
  };
  if (typeof Intl !== "undefined" && Intl.Segmenter) {
    for (const part of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
      add(part.segment, part.index);
    }
  } else {
    for (const part of text.matchAll(/[\p{L}\p{N}\p{M}\u200c\u200d'’_]+|\s+|[^]/gu)) add(part[0], part.index);
  }
  return found;
}

/** The nearest position at or before `at` that does not cut a letter from its accents or an emoji in two. */
export function snapToGrapheme(text, at) {
  if (at <= 0 || at >= text.length) return Math.max(0, Math.min(at, text.length));
  if (typeof Intl !== "undefined" && Intl.Segmenter) {
    return new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text).containing(at).index;
  }
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

/** "rtl" where the first letter with a direction runs from right to left, else "ltr". */
export function directionOf(text) {
  const first = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|\p{L}/u.exec(text);
  return first && /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(first[0]) ? "rtl" : "ltr";
}

/** At most `length` units of a text on one line, cut with an ellipsis between characters. */
export function shorten(text, length) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, snapToGrapheme(line, length - 1))}…`;
}

/** A share of 1 as a whole percentage; 100 % only where it is certain. */
export function percent(share) {
  return `${share >= 1 ? 100 : Math.min(99, Math.round(share * 100))}%`;
}

// What the server sends of an example, as the component works with it; and labels on their way back.

import { directionOf, makeOffsets, shorten, splitWords } from "./text.js";

/** Confidence below which a suggestion is a doubt that Tab stops at. */
export const DOUBT = 0.9;

/** Token uncertainty (0..1) above which a token outside every span is a doubt too. */
export const UNCERTAIN = 0.5;

/** An example ready to be shown: text, units, labels, and an empty past. */
export function openItem(item, task) {
  const offsets = makeOffsets(item.text);
  const units = [];
  if (task === "qa") units.push(...splitWords(item.text));
  else {
    for (let k = 0; k < item.tokens.length; k += 2) {
      units.push([offsets.toUnits(item.tokens[k]), offsets.toUnits(item.tokens[k + 1])]);
    }
  }
  const entry = {
    id: item.id,
    item,
    task,
    text: item.text,
    offsets,
    units,
    direction: directionOf(item.text),
    undo: [],
    redo: [],
    spent: 0,
    answer: null, // the status of what was last submitted from this screen
    by: item.said?.author ?? null, // who said what is shown, until it is submitted from here
    comment: item.said?.status === "flagged" ? item.said.comment : "", // what a flag says, to be kept with it
    view: null,
  };
  entry.suggested = suggestedMarks(entry);
  const said = item.said && item.said.payload ? readPayload(entry, item.said.payload, true) : null;
  entry.marks = said ?? entry.suggested ?? emptyMarks(entry);
  entry.saved = said ? entry.marks : null;
  entry.snippet = shorten(item.question ?? item.text, 80);
  return entry;
}

export function emptyMarks(entry) {
  if (entry.task === "pos") return { tags: entry.units.map(() => null) };
  return entry.task === "ner" ? { spans: [], partial: false } : { answers: [], none: "", question: entry.item.question };
}

function suggestedMarks(entry) {
  const suggestion = entry.item.suggestion;
  if (!suggestion) return null;
  const marks = readPayload(entry, suggestion.payload, false);
  const list = marks.tags ?? marks.spans ?? marks.answers;
  list.forEach((mark, index) => {
    if (mark) mark.p = suggestion.confidences[index] ?? suggestion.confidence;
  });
  return marks;
}

/** Labels from their stored form. */
export function readPayload(entry, payload, sure) {
  const { toUnits } = entry.offsets;
  const range = (given) => ({ s: toUnits(given.start), e: toUnits(given.end), sure, p: null });
  if (entry.task === "pos") return { tags: payload.tags.map((tag) => (tag === null ? null : { tag, sure, p: null })) };
  if (entry.task === "ner") {
    const spans = payload.spans.map((given) => ({ ...range(given), label: given.label }));
    return { spans, partial: payload.partial === true };
  }
  const none = payload.answers.length ? "" : sure ? "sure" : "suggested";
  return { answers: payload.answers.map(range), none, question: payload.question ?? entry.item.question };
}

/** Labels in their stored form; of partial ones nothing that is only suggested. */
export function writePayload(entry, marks) {
  const { toPoints } = entry.offsets;
  const range = (mark) => ({ start: toPoints(mark.s), end: toPoints(mark.e) });
  if (entry.task === "pos") return { tags: marks.tags.map((tag) => tag?.tag ?? null) };
  if (entry.task === "ner") {
    const said = marks.partial ? marks.spans.filter((span) => span.sure) : marks.spans;
    const spans = said.map((span) => ({ ...range(span), label: span.label }));
    return marks.partial ? { spans, partial: true } : { spans };
  }
  const wording = marks.question === entry.item.question ? {} : { question: marks.question };
  return { answers: marks.answers.map(range), no_answer: marks.answers.length === 0, ...wording };
}

/** Units (first of each stretch) that are worth a look: unconfirmed and doubtful, or not labeled where all should be. */
export function doubtsOf(entry) {
  const { marks, units, item } = entry;
  const uncertainty = item.suggestion?.uncertainty ?? [];
  const stops = new Set();
  if (marks.tags) {
    marks.tags.forEach((tag, index) => {
      if (!tag || (!tag.sure && (tag.p ?? 0) < DOUBT)) stops.add(index);
    });
  } else {
    const list = marks.spans ?? marks.answers;
    const covered = new Set();
    for (const mark of list) {
      let index = units.findIndex(([, end]) => end > mark.s);
      if (!mark.sure && (mark.p ?? 0) < DOUBT) stops.add(index);
      for (; index >= 0 && index < units.length && units[index][0] < mark.e; index += 1) covered.add(index);
    }
    if (marks.spans && !entry.looked) {
      uncertainty.forEach((value, index) => {
        if (value >= UNCERTAIN && !covered.has(index)) stops.add(index);
      });
    }
  }
  return [...stops].filter((index) => !entry.passed?.has(index)).sort((one, other) => one - other);
}

/** An answer may begin or end inside a word: the word's unit is then cut in two, and its elements made anew. */
export function cutWords(entry) {
  const cuts = entry.marks.answers.flatMap((answer) => [answer.s, answer.e]).sort((one, other) => one - other);
  const units = [];
  for (const [from, to] of entry.units) {
    let at = from;
    for (const cut of cuts) {
      if (cut <= at || cut >= to) continue;
      units.push([at, cut]);
      at = cut;
    }
    units.push([at, to]);
  }
  if (units.length === entry.units.length) return;
  entry.units = units;
  entry.view = null;
}

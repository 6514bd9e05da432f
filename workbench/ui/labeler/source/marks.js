// Labels as plain values, and every change to them as a function from old to new: nothing here is altered in place,
// so that undo is a list of earlier values.
//
//   NER   { spans: [{ s, e, label, sure, p }], partial }  sorted, none overlapping another
//   POS   { tags: [{ tag, sure, p } | null] }          one per token
//   QA    { answers: [{ s, e, sure, p }], none: "" | "suggested" | "sure", question }
//
// `sure` is true for what a person has said, false for a suggestion; `p` is the suggestion's confidence or null.
// `partial` is true where the person has judged the spans that are sure, and nothing else of the text.
// `units` are the [start, end] pairs of the text's tokens (for QA: words).

/** Index of the unit at a position, or of the last one before it; -1 before the first. */
export function unitAt(units, position) {
  let low = 0;
  let high = units.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (units[middle][0] <= position) low = middle + 1;
    else high = middle - 1;
  }
  return high;
}

/** First and last unit of a range of positions. */
export function unitsOf(units, s, e) {
  const first = unitAt(units, s);
  return [Math.max(0, first), Math.max(0, unitAt(units, e - 1))];
}

const byStart = (one, other) => one.s - other.s || one.e - other.e;

/** The span that covers a unit, or undefined. */
export function spanAt(marks, units, unit) {
  const [s, e] = units[unit];
  return (marks.spans ?? marks.answers).find((span) => span.s < e && span.e > s);
}

/** Spans without the units first..last; what is left of a span on either side keeps its label. */
export function cutSpans(spans, units, first, last) {
  const kept = [];
  for (const span of spans) {
    const [from, to] = unitsOf(units, span.s, span.e);
    if (to < first || from > last) {
      kept.push(span);
      continue;
    }
    if (from < first) kept.push({ ...span, e: units[first - 1][1] });
    if (to > last) kept.push({ ...span, s: units[last + 1][0] });
  }
  return kept;
}

/**
 * A label on the units first..last. With `whole` (a caret, not a range that was chosen) the span under it is
 * relabeled as a whole; a range cuts what it overlaps, and joins spans of its own label.
 */
export function labelSpan(marks, units, first, last, label, whole) {
  let [from, to] = [first, last];
  if (whole) {
    const under = spanAt(marks, units, first);
    if (under) [from, to] = unitsOf(units, under.s, under.e);
  }
  for (const span of marks.spans) {
    const [a, b] = unitsOf(units, span.s, span.e);
    if (span.label === label && a <= to && b >= from) [from, to] = [Math.min(from, a), Math.max(to, b)];
  }
  const spans = cutSpans(marks.spans, units, from, to);
  spans.push({ s: units[from][0], e: units[to][1], label, sure: true, p: null });
  return { ...marks, spans: spans.sort(byStart) };
}

/** Without the span under the caret, or (for a range that was chosen) without the labels of its units. */
export function removeSpan(marks, units, first, last, whole) {
  if (!whole) return { ...marks, spans: cutSpans(marks.spans, units, first, last).map((span) => ({ ...span })) };
  const under = spanAt(marks, units, first);
  return under ? { ...marks, spans: marks.spans.filter((span) => span !== under) } : marks;
}

/** One edge of the span under the caret moved by one unit, never over a neighbour or past the other edge. */
export function moveEdge(marks, units, unit, edge, step) {
  const span = spanAt(marks, units, unit);
  if (!span) return marks;
  const [a, b] = unitsOf(units, span.s, span.e);
  const [from, to] = edge === "start" ? [a + step, b] : [a, b + step];
  const free = (index) => index >= 0 && index < units.length && [span, undefined].includes(spanAt(marks, units, index));
  if (from > to || !free(from) || !free(to)) return marks;
  const moved = { ...span, s: units[from][0], e: units[to][1], sure: true, p: null };
  return { ...marks, spans: marks.spans.map((one) => (one === span ? moved : one)).sort(byStart) };
}

/** Whether the spans are all that is judged, or the whole text is. */
export function togglePartial(marks) {
  return { ...marks, partial: !marks.partial };
}

/** What is accepted: every suggestion that is shown, or of partial labels those spans alone that a person has said. */
export function acceptMarks(marks, units) {
  if (!marks.partial) return confirmMarks(marks, units);
  return { ...marks, spans: marks.spans.filter((span) => span.sure) };
}

/** A tag on the tokens first..last; null takes it away. */
export function setTag(marks, first, last, tag) {
  const tags = marks.tags.slice();
  for (let index = first; index <= last; index += 1) tags[index] = tag === null ? null : { tag, sure: true, p: null };
  return { tags };
}

/** A range as one more answer; those that it overlaps give way. */
export function addAnswer(marks, s, e) {
  const answers = marks.answers.filter((answer) => answer.e <= s || answer.s >= e);
  return { ...marks, answers: [...answers, { s, e, sure: true, p: null }].sort(byStart), none: "" };
}

/** Without the answers that touch a range. */
export function removeAnswers(marks, s, e) {
  return { ...marks, answers: marks.answers.filter((answer) => answer.e <= s || answer.s >= e) };
}

/** The context has no answer, or (said a second time) nothing has been said yet. */
export function toggleNoAnswer(marks) {
  return { ...marks, answers: [], none: marks.none === "sure" ? "" : "sure" };
}

/** Everything that is suggested, said by the person; only what touches first..last where they are given. */
export function confirmMarks(marks, units, first = 0, last = units.length - 1) {
  const here = (mark) => mark.s < units[last][1] && mark.e > units[first][0];
  const say = (mark) => (mark && !mark.sure ? { ...mark, sure: true } : mark);
  if (!units.length) return marks;
  if (marks.tags) return { tags: marks.tags.map((tag, index) => (index >= first && index <= last ? say(tag) : tag)) };
  if (marks.spans) return { ...marks, spans: marks.spans.map((span) => (here(span) ? say(span) : span)) };
  return {
    ...marks,
    answers: marks.answers.map((answer) => (here(answer) ? say(answer) : answer)),
    none: marks.none === "suggested" ? "sure" : marks.none,
  };
}

/** How many suggestions nobody has confirmed yet. */
export function countSuggested(marks) {
  const list = marks.tags ?? marks.spans ?? marks.answers;
  return list.filter((mark) => mark && !mark.sure).length + (marks.none === "suggested" ? 1 : 0);
}

/** Whether two values say the same, whoever said it. */
export function sameMarks(one, other) {
  const plain = (marks) =>
    JSON.stringify([
      marks.tags?.map((tag) => tag?.tag ?? null),
      marks.spans?.map(({ s, e, label }) => [s, e, label]),
      marks.answers?.map(({ s, e }) => [s, e]),
      Boolean(marks.none),
      marks.question ?? null,
      Boolean(marks.partial),
    ]);
  return plain(one) === plain(other);
}

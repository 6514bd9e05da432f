// Changes to the labels of the current example; all of them go through `change`, so that all can be undone.

import { say } from "./dom.js";
import { alternativesAt, describeSelection } from "./frame.js";
import { cutWords } from "./items.js";
import {
  addAnswer,
  confirmMarks,
  countSuggested,
  labelSpan,
  moveEdge,
  removeAnswers,
  removeSpan,
  sameMarks,
  setTag,
  spanAt,
  toggleNoAnswer,
  togglePartial,
  unitAt,
  unitsOf,
} from "./marks.js";
import { snapToGrapheme } from "./text.js";

export class Editor {
  constructor(labeler) {
    this.labeler = labeler;
    this.armed = null; // a label that marks whatever is dragged over
  }

  change(marks) {
    const entry = this.labeler.deck.current;
    if (!entry || !this.labeler.deck.change(marks)) return;
    this.changed();
  }

  /** After the labels of the current example have become others. */
  changed() {
    if (this.labeler.task === "qa") this.recut(this.labeler.deck.current);
    this.labeler.paint();
  }

  /** After a change of answers the words' elements may have to be cut; the selection keeps its place. */
  recut(entry) {
    const place = this.labeler.cursor.selection && entry.units[this.labeler.cursor.selection.first][0];
    cutWords(entry);
    if (!entry.view && place !== null) {
      const unit = Math.max(0, unitAt(entry.units, place));
      this.labeler.cursor.selection = { anchor: unit, head: unit, first: unit, last: unit, chosen: false };
    }
  }

  /** A label from its key, its button or the list; null takes the label away. */
  useLabel(name) {
    const entry = this.labeler.deck.current;
    if (!entry) return;
    if (!this.labeler.cursor.selection) {
      this.armed = this.armed === name ? null : name;
      this.labeler.tell(this.armed ? `Drag over words to label them ${name}; Esc to stop.` : "");
      this.labeler.panels.draw();
      return;
    }
    const { first, last, chosen } = this.labeler.cursor.selection;
    if (this.labeler.task === "pos") {
      this.change(setTag(entry.marks, first, last, name));
      this.labeler.cursor.step(1, false);
      return;
    }
    if (this.labeler.task !== "ner") return;
    if (name === null) this.change(removeSpan(entry.marks, entry.units, first, last, !chosen));
    else this.change(labelSpan(entry.marks, entry.units, first, last, name, !chosen));
    const span = spanAt(entry.marks, entry.units, last);
    const end = span ? unitsOf(entry.units, span.s, span.e)[1] : last;
    this.labeler.cursor.select(end, end, false);
    say(this.labeler.refs.live, describeSelection(entry, this.labeler.cursor.selection));
  }

  pickLabel(name) {
    this.labeler.picker.hide();
    if (name) this.useLabel(name);
  }

  openPicker(query) {
    const entry = this.labeler.deck.current;
    if (!entry || this.labeler.task === "qa") return;
    if (!this.labeler.cursor.selection) this.labeler.cursor.select(0, 0, false);
    const unit = this.labeler.cursor.selection.first;
    const likelier = alternativesAt(entry, unit).map(([, p, plain]) => [plain, p]);
    this.labeler.picker.show(this.labeler.data.labels, entry.view.elements[unit], query, likelier);
  }

  moveEdge(edge, by) {
    const entry = this.labeler.deck.current;
    if (!entry || !this.labeler.cursor.selection) return;
    if (this.labeler.task === "ner") {
      const before = entry.marks.spans;
      this.change(moveEdge(entry.marks, entry.units, this.labeler.cursor.selection.first, edge, by));
      // The cursor goes along with the span, so that the next key means it still.
      const moved = entry.marks.spans.find((span) => !before.includes(span));
      if (moved) this.labeler.cursor.select(...unitsOf(entry.units, moved.s, moved.e), false);
      return;
    }
    // An answer's edge moves by letters: words are what dragging is for.
    const answer = spanAt(entry.marks, entry.units, this.labeler.cursor.selection.first);
    if (!answer) return;
    const from = edge === "start" ? answer.s : answer.e;
    const to = by < 0 ? snapToGrapheme(entry.text, from - 1) : nextGrapheme(entry.text, from);
    const [s, e] = edge === "start" ? [to, answer.e] : [answer.s, to];
    if (s >= e || !entry.text.slice(s, e).trim()) return;
    const answers = entry.marks.answers.map((one) => (one === answer ? { s, e, sure: true, p: null } : one));
    this.change({ ...entry.marks, answers, none: "" });
  }

  markAnswer(s, e) {
    this.change(addAnswer(this.labeler.deck.current.marks, s, e));
  }

  /** The question in other words; the same words, or none, leave it as it is. */
  rewordQuestion(text) {
    const entry = this.labeler.deck.current;
    const question = text.trim();
    if (!entry || !question || question === entry.marks.question) return;
    this.change({ ...entry.marks, question });
    this.labeler.tell("The question is worded anew; it is stored with your answer.");
  }

  /** Only the spans that are confirmed are judged, or (said a second time) the whole text is. */
  togglePartial() {
    const { deck } = this.labeler;
    this.change(togglePartial(deck.current.marks));
    this.labeler.tell(
      deck.current.marks.partial
        ? "Only what you confirm or label is judged."
        : "The whole text is judged: what has no label is no entity.",
    );
  }

  toggleNoAnswer() {
    this.labeler.cursor.selection = null;
    this.change(toggleNoAnswer(this.labeler.deck.current.marks));
  }

  confirmHere() {
    const entry = this.labeler.deck.current;
    if (!this.labeler.cursor.selection) return this.labeler.cursor.stepDoubt(1);
    const { first, last } = this.labeler.cursor.selection;
    const marks = confirmMarks(entry.marks, entry.units, first, last);
    if (!sameMarks(marks, entry.marks) || countSuggested(marks) !== countSuggested(entry.marks)) this.change(marks);
    // A word outside of every label that was looked at is no doubt any more.
    (entry.passed ??= new Set()).add(first);
    if (this.labeler.task === "pos") this.labeler.cursor.step(1, false);
    else this.labeler.cursor.stepDoubt(1, true);
    return true;
  }

  markSelection() {
    const entry = this.labeler.deck.current;
    if (!this.labeler.cursor.selection) return this.labeler.tell("Select the answer first: drag, or arrows with Shift.");
    const { first, last, chosen } = this.labeler.cursor.selection;
    const under = spanAt(entry.marks, entry.units, first);
    if (under && !under.sure && !chosen) return this.change(confirmMarks(entry.marks, entry.units, first, last));
    return this.markAnswer(entry.units[first][0], entry.units[last][1]);
  }

  removeHere() {
    const entry = this.labeler.deck.current;
    if (!this.labeler.cursor.selection) {
      if (this.labeler.task === "qa" && entry.marks.none) this.change({ ...entry.marks, answers: [], none: "" });
      return;
    }
    const { first, last, chosen } = this.labeler.cursor.selection;
    if (this.labeler.task === "pos") this.change(setTag(entry.marks, first, last, null));
    else if (this.labeler.task === "qa") this.change(removeAnswers(entry.marks, entry.units[first][0], entry.units[last][1]));
    else this.change(removeSpan(entry.marks, entry.units, first, last, !chosen));
    this.labeler.cursor.select(first, first, false);
  }

  letGo() {
    if (!this.labeler.refs.drawer.hidden) this.labeler.sheets.closeGuidelines();
    else if (this.armed) this.armed = null;
    else this.labeler.cursor.selection = null;
    say(this.labeler.refs.message, "");
    this.labeler.paint();
  }
}

function nextGrapheme(text, at) {
  for (let to = at + 1; to <= text.length; to += 1) if (snapToGrapheme(text, to) === to) return to;
  return text.length;
}

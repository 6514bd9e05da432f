// Where the person is in the text: a word, or a range of words that was chosen.

import { doubtsOf } from "./items.js";
import { spanAt, unitsOf } from "./marks.js";
import { unitOnNextLine } from "./stage.js";

export class Cursor {
  constructor(labeler) {
    this.labeler = labeler;
    this.selection = null; // { anchor, head, first, last, chosen }
  }

  select(anchor, head, chosen, scroll = false) {
    this.selection = { anchor, head, first: Math.min(anchor, head), last: Math.max(anchor, head), chosen };
    if (scroll) this.scrollTo(head);
    this.labeler.paint();
  }

  /** The caret on one unit, brought into view. */
  selectOne(unit) {
    this.select(unit, unit, false, true);
  }

  scrollTo(unit) {
    this.labeler.deck.current.view.elements[unit]?.scrollIntoView({ block: "nearest" });
  }

  unselect() {
    this.selection = null;
    this.labeler.paint();
  }

  step(by, extend) {
    const entry = this.labeler.deck.current;
    const { selection } = this;
    const last = entry.units.length - 1;
    if (last < 0) return;
    if (!selection) {
      this.select(by > 0 ? 0 : last, by > 0 ? 0 : last, extend, true);
      return;
    }
    const from = extend ? selection.head : by > 0 ? selection.last : selection.first;
    const to = Math.max(0, Math.min(last, from + by));
    this.select(extend ? selection.anchor : to, to, extend, true);
  }

  stepLine(by, extend) {
    const entry = this.labeler.deck.current;
    if (!this.selection) return this.step(by, extend);
    const to = unitOnNextLine(entry.view, this.selection.head, by);
    return this.select(extend ? this.selection.anchor : to, to, extend, true);
  }

  /** To the next (or previous) unit worth a look, `round` from the end to the start; false where there is none. */
  stepDoubt(by, round = false) {
    const entry = this.labeler.deck.current;
    const at = this.selection ? (by > 0 ? this.selection.last : this.selection.first) : by > 0 ? -1 : entry.units.length;
    let stops = doubtsOf(entry);
    if (!stops.length && !entry.marks.tags) {
      const list = (entry.marks.spans ?? entry.marks.answers).filter((mark) => !mark.sure);
      stops = list.map((mark) => unitsOf(entry.units, mark.s, mark.e)[0]);
    }
    const next = by > 0 ? stops.find((stop) => stop > at) : stops.filter((stop) => stop < at).pop();
    const stop = next ?? (round ? stops.at(by > 0 ? 0 : -1) : undefined);
    if (stop === undefined) return false;
    this.selectStop(stop);
    return true;
  }

  /** A stop is the whole of the span or answer that stands there. */
  selectStop(unit, scroll = true) {
    const entry = this.labeler.deck.current;
    const span = entry.marks.tags ? null : spanAt(entry.marks, entry.units, unit);
    const [first, last] = span ? unitsOf(entry.units, span.s, span.e) : [unit, unit];
    this.select(first, last, false, scroll);
  }
}

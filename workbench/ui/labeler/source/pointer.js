// Mouse, pen and finger on the text.

import { positionFromPoint, unitFromPoint } from "./stage.js";
import { spanAt, unitsOf } from "./marks.js";
import { snapToGrapheme } from "./text.js";

export class Pointer {
  constructor(labeler) {
    this.labeler = labeler;
    this.anchor = null; // the unit where a drag began
    this.exact = null; // with Alt in QA: the position where it began
    const { stage } = labeler.refs;
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.up(event));
    stage.addEventListener("pointercancel", () => (this.anchor = this.exact = null));
    stage.addEventListener("dblclick", (event) => event.preventDefault());
  }

  unitAt(event) {
    const entry = this.labeler.deck.current;
    return entry?.view ? unitFromPoint(this.labeler.shadow, entry.view, event.clientX, event.clientY) : null;
  }

  down(event) {
    const { labeler } = this;
    const entry = labeler.deck.current;
    if (event.button !== 0 || !entry || event.target.closest("button, .picker")) return;
    event.preventDefault();
    labeler.focus();
    labeler.picker.hide();
    const unit = this.unitAt(event);
    if (unit === null) {
      labeler.cursor.unselect();
      return;
    }
    labeler.refs.stage.setPointerCapture(event.pointerId);
    if (entry.task === "qa" && event.altKey) {
      this.exact = positionFromPoint(labeler.shadow, entry, event.clientX, event.clientY);
      return;
    }
    if (event.shiftKey && labeler.cursor.selection) {
      this.anchor = labeler.cursor.selection.anchor;
      labeler.cursor.select(this.anchor, unit, true);
      return;
    }
    this.anchor = unit;
    labeler.cursor.select(unit, unit, false);
  }

  move(event) {
    const { labeler } = this;
    if (this.exact !== null) {
      this.preview(event);
      return;
    }
    if (this.anchor === null) return;
    const unit = this.unitAt(event);
    if (unit !== null && unit !== labeler.cursor.selection?.head) labeler.cursor.select(this.anchor, unit, true);
  }

  up(event) {
    const { labeler } = this;
    if (this.exact !== null) {
      this.markExactly(event);
      return;
    }
    if (this.anchor === null) return;
    this.anchor = null;
    const entry = labeler.deck.current;
    const { selection } = labeler.cursor;
    if (!entry || !selection) return;
    if (labeler.editor.armed && entry.task === "ner") {
      labeler.editor.useLabel(labeler.editor.armed);
      labeler.cursor.unselect();
    } else if (entry.task === "qa" && selection.chosen) {
      labeler.editor.markAnswer(entry.units[selection.first][0], entry.units[selection.last][1]);
    } else if (!selection.chosen) this.wholeSpan(entry, selection.first);
  }

  /** A click inside a span takes the whole of it, so that the next key means all of it. */
  wholeSpan(entry, unit) {
    const span = entry.marks.tags ? null : spanAt(entry.marks, entry.units, unit);
    if (!span) return;
    const [first, last] = unitsOf(entry.units, span.s, span.e);
    this.labeler.cursor.select(first, last, false);
  }

  range(event) {
    const entry = this.labeler.deck.current;
    const here = positionFromPoint(this.labeler.shadow, entry, event.clientX, event.clientY);
    if (here === null || this.exact === null) return null;
    const [s, e] = [Math.min(here, this.exact), Math.max(here, this.exact)];
    return [snapToGrapheme(entry.text, s), snapToGrapheme(entry.text, e)];
  }

  preview(event) {
    const entry = this.labeler.deck.current;
    const range = this.range(event);
    if (!range || range[0] >= range[1]) return;
    const unit = (position) => Math.max(0, entry.units.findIndex(([, end]) => end > position));
    this.labeler.cursor.select(unit(range[0]), unit(range[1] - 1), true);
  }

  markExactly(event) {
    const range = this.range(event);
    this.exact = null;
    const entry = this.labeler.deck.current;
    if (!entry || !range) return;
    let [s, e] = range;
    while (s < e && /\s/.test(entry.text[s])) s += 1;
    while (e > s && /\s/.test(entry.text[e - 1])) e -= 1;
    if (s < e) this.labeler.editor.markAnswer(s, e);
    this.labeler.cursor.unselect();
  }
}

// The document around the example, in grey: as much of it as the person wants, which is kept for the next ones.

import { fill, make } from "./dom.js";

const STEPS = [2, 10, 25, 50, 100, 200];

export class Around {
  constructor(labeler, space) {
    this.labeler = labeler;
    this.key = `workbench/around/${space}`;
    this.wanted = this.read();
  }

  /** What was wanted at an earlier visit is wanted again. */
  start() {
    const { before, after } = this.wanted;
    if (before > STEPS[0] || after > STEPS[0]) this.ask(this.labeler.deck.current?.id ?? null);
  }

  /** One step more on a side; false where the document has no more. */
  more(side) {
    const entry = this.labeler.deck.current;
    if (!entry.item.around[side === "before" ? "more_before" : "more_after"]) return false;
    this.wanted[side] = STEPS.find((step) => step > this.wanted[side]) ?? STEPS[STEPS.length - 1];
    this.keep(entry);
    return true;
  }

  fewer() {
    this.wanted = { before: STEPS[0], after: STEPS[0] };
    this.keep(this.labeler.deck.current);
  }

  keep(entry) {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.wanted));
    } catch {
      // Storage is full or forbidden: it holds for this visit.
    }
    this.ask(entry.id);
  }

  ask(example) {
    this.labeler.channel.setStateValue("around", { ...this.wanted, example });
  }

  /** What the server says stands around one example. */
  update(near) {
    const entry = near && this.labeler.deck.entries[this.labeler.deck.find(near.id)];
    if (!entry || JSON.stringify(entry.item.around) === JSON.stringify(near.around)) return;
    entry.item.around = near.around;
    if (entry !== this.labeler.loaded) return;
    // The text stays where it is on the screen, whatever is added above it.
    const { stage, text } = this.labeler.refs;
    const before = text.getBoundingClientRect().top;
    this.draw(entry, false);
    stage.scrollTop += text.getBoundingClientRect().top - before;
  }

  draw(entry, moved) {
    const { refs } = this.labeler;
    const { around } = entry.item;
    if (this.drawn === around) return;
    this.drawn = around;
    fillTexts(refs.before, around.before, entry.direction);
    fillTexts(refs.after, around.after, entry.direction);
    refs.moreBefore.hidden = !around.more_before;
    refs.moreAfter.hidden = !around.more_after;
    refs.fewer.hidden = around.before.length <= STEPS[0] && around.after.length <= STEPS[0];
    if (moved && around.before.length > STEPS[0]) refs.text.scrollIntoView({ block: "center" });
  }

  read() {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(this.key));
    } catch {
      // Nothing that could be read: the usual two.
    }
    const step = (value) => (STEPS.includes(value) ? value : STEPS[0]);
    return { before: step(kept?.before), after: step(kept?.after) };
  }
}

function fillTexts(element, texts, direction) {
  element.hidden = !texts.length;
  fill(element, ...texts.map((text) => make("p", "near", text, { dir: direction === "rtl" ? "rtl" : "auto" })));
}

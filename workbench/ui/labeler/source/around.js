// The document around the example, in grey: as much of it as the person wants, which is kept for the next ones.

import { fill, make, say } from "./dom.js";
import { shorten } from "./text.js";

const STEPS = [2, 10, 25, 50, 100, 200];
const PAGE = 0.8; // of the height that is seen, so that a line or two stay
const HEARD_MOST = 2_000;

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

  /** On through what is there on a side, then one step more; false where the document has no more. */
  more(side) {
    const entry = this.labeler.deck.current;
    if (this.scrollOn(side)) return true;
    if (!entry.item.around[side === "before" ? "more_before" : "more_after"]) return false;
    this.wanted[side] = STEPS.find((step) => step > this.wanted[side]) ?? STEPS[STEPS.length - 1];
    this.awaited = side;
    this.keep(entry);
    return true;
  }

  /** Bring the nearest of a side's texts that are out of view into it, at most a page; false where there are none. */
  scrollOn(side) {
    const { stage } = this.labeler.refs;
    const [view, texts] = [stage, this.labeler.refs[side]].map((element) => element.getBoundingClientRect());
    const up = side === "before";
    const edge = up ? Math.min(texts.bottom, view.top) : Math.max(texts.top, view.bottom);
    const hidden = up ? edge - texts.top : texts.bottom - edge;
    if (hidden < 1) return false;
    const by = Math.abs(edge - (up ? view.top : view.bottom)) + Math.min(hidden, view.height * PAGE);
    stage.scrollTop += up ? -by : by;
    return true;
  }

  fewer() {
    this.awaited = "";
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
    const { deck, loaded, refs } = this.labeler;
    const asked = near && deck.entries[deck.find(near.id)];
    if (asked) asked.item.around = near.around;
    // Of an example of the queue it has come along with the queue already.
    if (!loaded || JSON.stringify(loaded.item.around) === JSON.stringify(this.drawn)) return;
    const old = this.drawn;
    // The text stays where it is on the screen, whatever is added above it; then what was asked for comes into view.
    const before = refs.text.getBoundingClientRect().top;
    this.draw(loaded, false);
    refs.stage.scrollTop += refs.text.getBoundingClientRect().top - before;
    if (this.awaited) this.present(this.awaited, old[this.awaited], loaded.item.around[this.awaited]);
    this.awaited = "";
  }

  /** Show the texts that have come, and say them to a screen reader. */
  present(side, old, texts) {
    this.scrollOn(side);
    const more = texts.length - old.length;
    const come = side === "before" ? texts.slice(0, more) : texts.slice(old.length);
    say(this.labeler.refs.reading, shorten(come.join(" "), HEARD_MOST));
  }

  draw(entry, moved) {
    const { refs } = this.labeler;
    const { around } = entry.item;
    if (this.drawn === around) return;
    this.drawn = around;
    if (moved) this.awaited = "";
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

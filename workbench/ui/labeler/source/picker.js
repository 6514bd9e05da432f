// A list of labels at the cursor that typing narrows: for 45 tags as for four labels without a key.

import { fill, make, makeKey } from "./dom.js";
import { percent } from "./text.js";

const SHOWN = 9;

export class Picker {
  /** `speak` is told what Enter would take: the focus stays in the text, so nothing else says it. */
  constructor(element, choose, speak) {
    this.element = element;
    this.choose = choose;
    this.speak = speak;
    this.query = "";
    this.active = 0;
    this.open = false;
    this.found = [];
    element.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const row = event.target.closest("[data-label]");
      if (row) this.choose(row.dataset.label);
    });
  }

  /** Show it under an element of the text. `alternatives` are [label, probability], best first. */
  show(labels, anchor, query, alternatives) {
    this.labels = labels;
    this.alternatives = new Map(alternatives);
    this.open = true;
    this.anchor = anchor;
    this.type(query);
    this.element.hidden = false;
    this.place();
  }

  hide() {
    if (!this.open) return;
    this.open = false;
    this.query = "";
    this.element.hidden = true;
  }

  type(query) {
    this.query = query;
    this.active = 0;
    this.found = rankLabels(this.labels, query, this.alternatives);
    this.draw();
  }

  move(step) {
    if (!this.found.length) return;
    this.active = (this.active + step + this.found.length) % this.found.length;
    this.draw();
  }

  get best() {
    return this.found[this.active]?.name ?? null;
  }

  draw() {
    const from = Math.max(0, Math.min(this.active - SHOWN + 1, this.found.length - SHOWN));
    const rows = this.found.slice(from, from + SHOWN).map((label, index) => {
      const row = make("div", "choice", null, {
        role: "option",
        "data-label": label.name,
        "aria-selected": String(from + index === this.active),
        title: label.description,
      });
      row.style.setProperty("--c", label.color);
      row.append(make("b", "", label.name), make("span", "about", label.description));
      const p = this.alternatives.get(label.name);
      if (p !== undefined) row.append(make("i", "", percent(p)));
      else if (label.key) row.append(makeKey(label.key));
      return row;
    });
    const head = make("div", "typed", this.query || "Type to narrow");
    if (this.query) head.classList.add("some");
    const none = rows.length ? null : make("div", "nothing", "No label begins so. Backspace to widen.");
    fill(this.element, head, ...rows, none);
    this.speak(this.best ? `${this.best}, ${this.active + 1} of ${this.found.length}` : none.textContent);
  }

  place() {
    const box = this.anchor.getBoundingClientRect();
    const around = this.element.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const width = this.element.offsetWidth;
    const height = this.element.offsetHeight;
    const below = around.bottom - box.bottom > height + 40;
    this.element.style.left = `${Math.max(8, Math.min(box.left - around.left, around.right - around.left - width - 8))}px`;
    this.element.style.top = `${below ? box.bottom - around.top + 26 : Math.max(8, box.top - around.top - height - 8)}px`;
  }
}

/** Labels that begin with what was typed, then those that contain it; the model's likelier ones first. */
export function rankLabels(labels, query, alternatives) {
  const wanted = query.toLowerCase();
  const rank = (label) => {
    const name = label.name.toLowerCase();
    if (name === wanted) return 0;
    if (name.startsWith(wanted)) return 1;
    if (name.includes(wanted)) return 2;
    return label.description.toLowerCase().includes(wanted) && wanted.length > 2 ? 3 : 4;
  };
  return labels
    .map((label, index) => ({ label, index, rank: rank(label), p: alternatives.get(label.name) ?? -1 }))
    .filter((one) => one.rank < 4)
    .sort((one, other) => one.rank - other.rank || other.p - one.p || one.index - other.index)
    .map((one) => one.label);
}

// The examples that a person has been through, is at, and will come to: one list and a position in it. Undo walks
// back through changes and, where an example has none left, through examples.

import { openItem } from "./items.js";
import { sameMarks } from "./marks.js";

const KEPT = 300;
const IDLE_CAP = 120_000;

export class Deck {
  constructor(task, drafts) {
    this.task = task;
    this.drafts = drafts;
    this.entries = [];
    this.at = 0;
    this.gone = new Set();
    this.since = performance.now();
  }

  get current() {
    return this.entries[this.at] ?? null;
  }

  /** The next one without an answer, or undefined. */
  get upcoming() {
    return this.entries.find((entry, index) => index > this.at && !entry.answer);
  }

  find(id) {
    return this.entries.findIndex((entry) => entry.id === id);
  }

  /** More examples from the server, behind those that are here. `answered` are ids that are on their way already. */
  extend(items, answered) {
    for (const item of items) {
      const known = this.entries[this.find(item.id)];
      if (known) known.item.around = item.around;
      if (known || answered.has(item.id) || this.gone.has(item.id)) continue;
      this.entries.push(this.open(item));
    }
  }

  open(item) {
    const entry = openItem(item, this.task);
    const draft = this.drafts.read(item.id);
    if (draft && draft.text === item.text && draft.task === this.task) {
      entry.undo.push(entry.marks);
      entry.marks = this.task === "qa" ? { question: item.question, ...draft.marks } : draft.marks;
      entry.spent = draft.spent ?? 0;
      // What has been said since it was begun was not seen: the server is to refuse it, and both versions are shown.
      item.base_revision = draft.base ?? item.base_revision;
    }
    return entry;
  }

  /** An example that another tab has answered; false where it stays, because work was done on it here too. */
  forget(id) {
    const entry = this.entries[this.find(id)];
    if (!entry || entry.answer || this.dirty(entry)) return false;
    const current = this.current;
    this.entries = this.entries.filter((one) => one !== entry);
    this.at = Math.max(0, entry === current ? Math.min(this.at, this.entries.length) : this.entries.indexOf(current));
    this.gone.add(id);
    return true;
  }

  /** Put an earlier example in front of the present one and go there. */
  revisit(item) {
    const known = this.find(item.id);
    if (known >= 0) this.go(known);
    else {
      const entry = this.open(item);
      entry.answer = item.said ? item.said.status : null;
      this.pause();
      this.entries.splice(this.at, 0, entry);
      this.resume();
    }
  }

  go(index) {
    if (index < 0 || index >= this.entries.length) return false;
    this.pause();
    this.at = index;
    this.resume();
    return true;
  }

  /** On to the first example that has no answer; past the end where there is none. */
  forward() {
    this.pause();
    let next = this.entries.findIndex((entry, index) => index > this.at && !entry.answer);
    if (next < 0) next = this.entries.findIndex((entry) => !entry.answer);
    this.at = next < 0 ? this.entries.length : next;
    if (this.at > KEPT) {
      this.entries.splice(0, this.at - KEPT);
      this.at = KEPT;
    }
    this.resume();
  }

  /** The new labels of the current example; the old ones go to its past. */
  change(marks) {
    const entry = this.current;
    if (!entry || marks === entry.marks) return false;
    entry.undo.push(entry.marks);
    entry.redo = [];
    entry.marks = marks;
    this.keep(entry);
    return true;
  }

  /** One step back: a change, or the example before. Says which. */
  undo() {
    const entry = this.current;
    if (entry?.undo.length) {
      entry.redo.push(entry.marks);
      entry.marks = entry.undo.pop();
      this.keep(entry);
      return "change";
    }
    return this.go(this.at - 1) ? "example" : "";
  }

  redo() {
    const entry = this.current;
    if (entry?.redo.length) {
      entry.undo.push(entry.marks);
      entry.marks = entry.redo.pop();
      this.keep(entry);
      return "change";
    }
    return entry?.answer && this.go(this.at + 1) ? "example" : "";
  }

  /** Whether the labels differ from what was last submitted (or, for a new one, whether anything was done at all). */
  dirty(entry) {
    return entry.saved ? !sameMarks(entry.saved, entry.marks) : entry.undo.length > 0;
  }

  keep(entry) {
    const { text, marks, spent } = entry;
    const draft = { text, task: this.task, marks, spent, base: entry.item.base_revision };
    this.drafts.write(entry.id, this.dirty(entry) ? draft : null);
  }

  submitted(entry, status) {
    entry.answer = status;
    entry.by = null;
    entry.saved = entry.marks;
    this.drafts.write(entry.id, null);
  }

  pause() {
    if (this.current) this.current.spent += Math.min(IDLE_CAP, performance.now() - this.since);
  }

  resume() {
    this.since = performance.now();
  }

  seconds(entry) {
    const running = entry === this.current ? Math.min(IDLE_CAP, performance.now() - this.since) : 0;
    return Math.round((entry.spent + running) / 100) / 10;
  }
}

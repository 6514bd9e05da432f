// From a key press to what it means here.

import { makeActions } from "./actions.js";
import { commandOf } from "./commands.js";

const ONCE = new Set(["accept", "skip", "flag", "noAnswer", "help", "guidelines", "heat", "reword", "ask", "partial"]); // not while a key is held

export class Keyboard {
  constructor(labeler) {
    this.labeler = labeler;
    this.actions = makeActions(labeler);
  }

  /** Whether the key meant something here. */
  press(event) {
    const { editor, picker, refs, sheets, task, taken } = this.labeler;
    if (event.isComposing) return false;
    if (sheets.open) return sheets.press(event);
    if (event.target.matches?.("input, textarea")) return false;
    if (picker.open) return this.pressInPicker(event);
    if (event.ctrlKey || event.metaKey) return this.pressWithControl(event);
    if (event.target.matches?.("button") && ["Enter", " ", "Tab"].includes(event.key)) return false; // its own
    if (sheets.scrolls(event)) return false;
    const label = event.altKey ? null : this.labelOfKey(event.key);
    if (label && task !== "qa") {
      editor.useLabel(label);
      return true;
    }
    const command = commandOf(event, task, taken);
    if (command) return this.run(command, event);
    if (task === "pos" && !event.altKey && event.key.length === 1 && /\S/.test(event.key)) {
      editor.openPicker(event.key);
      return true;
    }
    return false;
  }

  labelOfKey(key) {
    const { labels } = this.labeler.data;
    const same = (wanted) => (label) => label.key === wanted;
    const found = labels.find(same(key)) ?? labels.find(same(key.toLowerCase()));
    return found && (this.labeler.task !== "pos" || !/[a-z]/i.test(key)) ? found.name : null;
  }

  pressWithControl(event) {
    const { deck, editor } = this.labeler;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return false;
    const forward = key === "y" || event.shiftKey;
    const what = forward ? deck.redo() : deck.undo();
    if (what === "change") editor.changed();
    else if (what === "example") this.labeler.draw();
    else this.labeler.tell(forward ? "Nothing to redo." : "Nothing to undo.");
    return true;
  }

  pressInPicker(event) {
    const { cursor, editor, picker, task } = this.labeler;
    if (event.key === "Escape") picker.hide();
    else if (event.key === "ArrowDown") picker.move(1);
    else if (event.key === "ArrowUp") picker.move(-1);
    else if (event.key === "Backspace") {
      if (picker.query) picker.type(picker.query.slice(0, -1));
      else picker.hide();
    } else if (["Enter", "Tab", " ", "ArrowRight", "ArrowLeft"].includes(event.key)) {
      if (event.repeat) return true;
      const { best } = picker;
      if (!best && event.key !== "ArrowLeft") return true;
      const from = cursor.selection.first;
      editor.pickLabel(best);
      if (event.key === "Tab" && task === "pos") cursor.stepDoubt(1, true);
      if (event.key === "ArrowLeft") cursor.selectOne(Math.max(0, from - 1));
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) picker.type(picker.query + event.key);
    else return false;
    return true;
  }

  /** Do what a command says; false where the key should keep its own meaning. */
  run(command, event = null) {
    const action = this.actions[command];
    if (!action) return false;
    if (event?.repeat && ONCE.has(command)) return true;
    return action(event) !== false;
  }
}

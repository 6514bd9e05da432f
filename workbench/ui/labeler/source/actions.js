// What each command of `commands.js` does. An action that returns false leaves the key its own meaning.

import { confirmMarks } from "./marks.js";

export function makeActions(labeler) {
  const { cursor, editor, decisions, deck, sheets } = labeler;
  const entry = () => deck.current;
  const forward = () => (entry()?.direction === "rtl" ? -1 : 1);
  const inText = (action) => () => (entry() && entry().units.length ? action() : false);
  return {
    accept: () => decisions.accept(),
    confirm: inText(() => editor.confirmHere()),
    confirmAll: inText(() => editor.change(confirmMarks(entry().marks, entry().units))),
    skip: () => entry() && sheets.showSkip((reason) => decisions.submit(entry(), "skipped", reason)),
    flag: () =>
      entry() && sheets.showFlag(entry().comment, (comment) => decisions.submit(entry(), "flagged", comment)),
    partial: () => entry() && labeler.task === "ner" && editor.togglePartial(),
    noAnswer: () => entry() && labeler.task === "qa" && editor.toggleNoAnswer(),
    right: inText(() => cursor.step(forward(), false)),
    left: inText(() => cursor.step(-forward(), false)),
    down: inText(() => cursor.stepLine(1, false)),
    up: inText(() => cursor.stepLine(-1, false)),
    home: inText(() => cursor.select(0, 0, false, true)),
    end: inText(() => cursor.select(entry().units.length - 1, entry().units.length - 1, false, true)),
    extendRight: inText(() => cursor.step(forward(), true)),
    extendLeft: inText(() => cursor.step(-forward(), true)),
    extendDown: inText(() => cursor.stepLine(1, true)),
    extendUp: inText(() => cursor.stepLine(-1, true)),
    // Past the last doubt, and before the first, Tab is the browser's: nobody is held in the text.
    nextDoubt: inText(() => cursor.stepDoubt(1)),
    previousDoubt: inText(() => cursor.stepDoubt(-1)),
    back: () => decisions.back(),
    onward: () => deck.go(deck.at + 1) && labeler.draw(),
    find: () =>
      sheets.showFind(
        (query) => decisions.search(query),
        (id) => decisions.openExample(id),
      ),
    pick: () => editor.openPicker(""),
    mark: inText(() => editor.markSelection()),
    remove: inText(() => editor.removeHere()),
    startLeft: inText(() => editor.moveEdge("start", -1)),
    startRight: inText(() => editor.moveEdge("start", 1)),
    endRight: inText(() => editor.moveEdge("end", 1)),
    endLeft: inText(() => editor.moveEdge("end", -1)),
    escape: () => editor.letGo(),
    reword: () => entry() && decisions.reword(),
    ask: () => entry() && decisions.askAnother(),
    moreBefore: () => entry() && labeler.around.more("before"),
    moreAfter: () => entry() && labeler.around.more("after"),
    fewer: () => entry() && labeler.around.fewer(),
    heat: () => labeler.toggleHeat(),
    guidelines: () => sheets.toggleGuidelines(labeler.data.guidelines, labeler.data.labels),
    help: () => sheets.showHelp(labeler.task, labeler.data.labels, labeler.taken),
  };
}

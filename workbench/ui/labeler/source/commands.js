// Every key, once: what it does, how it is written in the help, and for which tasks. Letters are left to the labels
// and (POS) to the tag list, so every command with a letter also has a form with Alt.

const ALL = ["ner", "pos", "qa"];
const MARKING = ["ner", "qa"];

export const COMMANDS = [
  { id: "accept", group: "Decide", keys: ["Enter"], on: "Enter", tasks: ALL, text: "Accept what is shown and go on" },
  { id: "confirm", group: "Decide", keys: ["Space"], on: "Space", tasks: ["ner", "pos"], text: "Confirm the suggestion at the cursor, go to the next" },
  { id: "confirmAll", group: "Decide", keys: ["Shift", "Enter"], on: "Shift+Enter", tasks: ALL, text: "Confirm every suggestion, stay here" },
  { id: "skip", group: "Decide", keys: ["S"], on: "Alt+KeyS", plain: "s", tasks: ALL, text: "Skip, with a reason" },
  { id: "flag", group: "Decide", keys: ["F"], on: "Alt+KeyF", plain: "f", tasks: ALL, text: "Flag for a reviewer, with a comment" },
  { id: "noAnswer", group: "Decide", keys: ["N"], on: "Alt+KeyN", plain: "n", tasks: ["qa"], text: "There is no answer in this text" },
  { id: "partial", group: "Decide", keys: ["R"], on: "Alt+KeyR", plain: "r", tasks: ["ner"], text: "Only these spans: the rest is not judged" },

  { id: "reword", group: "Question", keys: ["E"], on: "Alt+KeyE", plain: "e", tasks: ["qa"], text: "Word the question anew" },
  { id: "ask", group: "Question", keys: ["A"], on: "Alt+KeyA", plain: "a", tasks: ["qa"], text: "Ask another question on this text" },

  { id: "right", group: "Move", keys: ["←", "→"], on: "ArrowRight", tasks: ALL, text: "One word on or back" },
  { id: "left", on: "ArrowLeft", tasks: ALL },
  { id: "down", group: "Move", keys: ["↑", "↓"], on: "ArrowDown", tasks: ALL, text: "One line up or down" },
  { id: "up", on: "ArrowUp", tasks: ALL },
  { id: "home", group: "Move", keys: ["Home", "End"], on: "Home", tasks: ALL, text: "First or last word" },
  { id: "end", on: "End", tasks: ALL },
  { id: "nextDoubt", group: "Move", keys: ["Tab"], on: "Tab", tasks: ALL, text: "Next doubt (with Shift: the one before); after the last, out of the text" },
  { id: "previousDoubt", on: "Shift+Tab", tasks: ALL },
  { id: "back", group: "Move", keys: ["Page Up"], on: "PageUp", tasks: ALL, text: "Back to the example before, to revise it" },
  { id: "onward", group: "Move", keys: ["Page Down"], on: "PageDown", tasks: ALL, text: "Forward again" },
  { id: "find", group: "Move", keys: ["Alt", "K"], on: "Alt+KeyK", tasks: ALL, text: "Search the project and jump to an example" },

  { id: "extendRight", group: "Label", keys: ["Shift", "← →"], on: "Shift+ArrowRight", tasks: ALL, text: "Extend the selection" },
  { id: "extendLeft", on: "Shift+ArrowLeft", tasks: ALL },
  { id: "extendDown", on: "Shift+ArrowDown", tasks: ALL },
  { id: "extendUp", on: "Shift+ArrowUp", tasks: ALL },
  { id: "pick", group: "Label", keys: ["/"], on: "Slash", plain: "/", tasks: ["ner", "pos"], text: "List of labels, likelier ones first; type to narrow" },
  { id: "mark", group: "Label", keys: ["Space"], on: "Space", tasks: ["qa"], text: "Mark the selection as an answer" },
  { id: "remove", group: "Label", keys: ["⌫"], on: "Backspace", tasks: ALL, text: "Take the label away; of a part of a span: split it" },
  { id: "remove", on: "Delete", tasks: ALL },
  { id: "startLeft", group: "Label", keys: ["[", "{"], plain: "[", tasks: MARKING, text: "Start of the span one word earlier, later" },
  { id: "startRight", plain: "{", tasks: MARKING },
  { id: "endRight", group: "Label", keys: ["]", "}"], plain: "]", tasks: MARKING, text: "End of the span one word later, earlier" },
  { id: "endLeft", plain: "}", tasks: MARKING },
  { id: "escape", group: "Label", keys: ["Esc"], on: "Escape", tasks: ALL, text: "Let the selection go" },

  { id: "undo", group: "Undo", keys: ["Ctrl", "Z"], tasks: ALL, text: "Undo, through earlier examples too" },
  { id: "redo", group: "Undo", keys: ["Ctrl", "Shift", "Z"], tasks: ALL, text: "Redo" },

  { id: "heat", group: "See", keys: ["H"], on: "Alt+KeyH", plain: "h", tasks: ALL, text: "Heat map of the model's uncertainty" },
  { id: "guidelines", group: "See", keys: ["G"], on: "Alt+KeyG", plain: "g", tasks: ALL, text: "Guidelines; again, or Esc, closes them" },
  { id: "moreBefore", group: "See", keys: ["Alt", "↑ ↓"], on: "Alt+ArrowUp", tasks: ALL, text: "On through the document above, below, and more of it" },
  { id: "moreAfter", on: "Alt+ArrowDown", tasks: ALL },
  { id: "help", group: "See", keys: ["?"], plain: "?", tasks: ALL, text: "This list" },
];

/** The command of a key press, or null. `taken` are the keys that labels have. */
export function commandOf(event, task, taken) {
  const parts = [];
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey) parts.push("Shift");
  const named = event.key === " " ? "Space" : event.key;
  const byName = [...parts, named].join("+");
  const byCode = [...parts, event.code].join("+");
  for (const command of COMMANDS) {
    if (!command.tasks.includes(task)) continue;
    if (command.on && (command.on === byName || (event.altKey && command.on === byCode))) return command.id;
    if (!command.plain || event.altKey || taken.has(command.plain)) continue;
    if (hasLetter(command) && (task === "pos" || event.shiftKey)) continue; // letters narrow the tag list there
    if (event.key.toLowerCase() === command.plain) return command.id;
  }
  return null;
}

/** Whether a letter alone can mean the command. */
export function hasLetter(command) {
  return /^[a-z]$/.test(command.plain ?? "");
}

/** The keys of a command as they are written for a task: with Alt where the letter alone means something else. */
export function keysFor(command, task, taken) {
  return hasLetter(command) && (task === "pos" || taken.has(command.plain)) ? ["Alt", ...command.keys] : command.keys;
}

/** Commands for the help, by group. */
export function helpFor(task) {
  const groups = new Map();
  for (const command of COMMANDS) {
    if (!command.text || !command.tasks.includes(task)) continue;
    if (!groups.has(command.group)) groups.set(command.group, []);
    groups.get(command.group).push(command);
  }
  return groups;
}

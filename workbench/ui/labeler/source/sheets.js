// What lies over the page for a moment: keys, a reason, a comment, a search; and the guidelines' drawer.

import { helpFor, keysFor } from "./commands.js";
import { fill, make, makeButton, makeKey } from "./dom.js";
import { shorten } from "./text.js";

export const SKIP_REASONS = ["Not clear enough to decide", "Wrong language", "Broken text", "Seen before"];
const HEADING = /^#{1,4}\s+/;
const ITEM = /^\s*[-*]\s+/;
const SCROLLING = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", " ", "Tab"]);

export class Sheets {
  constructor(sheet, drawer, refocus) {
    this.sheet = sheet;
    this.drawer = drawer;
    this.refocus = refocus;
    this.kind = "";
    sheet.addEventListener("mousedown", (event) => {
      if (event.target === sheet) this.close();
    });
  }

  get open() {
    return this.kind !== "";
  }

  close() {
    if (!this.open) return;
    this.kind = "";
    this.sheet.hidden = true;
    fill(this.sheet);
    this.refocus();
  }

  show(kind, title, ...content) {
    this.kind = kind;
    const card = make("div", `card ${kind}`, null, { role: "dialog", "aria-modal": "true", "aria-label": title });
    const head = make("div", "head");
    head.append(make("h2", "", title), makeButton("plain", "Close", "Escape", () => this.close()));
    card.append(head, ...content);
    fill(this.sheet, card);
    this.sheet.hidden = false;
    (card.querySelector("input, textarea") ?? card.querySelector("button:not(.plain)") ?? card.querySelector("button")).focus();
  }

  showHelp(task, labels, taken) {
    const columns = make("div", "columns");
    for (const [group, commands] of helpFor(task)) {
      const block = make("section");
      block.append(make("h3", "", group));
      for (const command of commands) block.append(helpRow(keysFor(command, task, taken), command.text));
      columns.append(block);
    }
    const keyed = labels.filter((label) => label.key);
    if (keyed.length) {
      const block = make("section");
      block.append(make("h3", "", "Labels"));
      for (const label of keyed) block.append(helpRow([label.key], label.name));
      columns.append(block);
    }
    const mouse =
      task === "qa"
        ? "Mouse: drag over the answer, or click its first word and shift-click its last. With Alt held, letters instead of words."
        : "Mouse: drag over words, or click and shift-click; then a label's key or button. A label pressed first marks all you drag over.";
    this.show("help", "Keys", columns, make("p", "note", mouse));
  }

  showSkip(done) {
    const list = make("div", "reasons");
    SKIP_REASONS.forEach((reason, index) => {
      const button = makeButton("reason", null, "", () => {
        this.close();
        done(reason);
      });
      button.append(makeKey(String(index + 1)), make("span", "", reason));
      list.append(button);
    });
    const other = make("input", "", null, { type: "text", placeholder: "Another reason", "aria-label": "Another reason", maxlength: 500 });
    this.enter = () => {
      this.close();
      done(other.value.trim() || "No reason given");
    };
    const row = make("div", "row");
    row.append(other, makeButton("primary", "Skip", "Enter", this.enter));
    this.choose = (index) => list.children[index]?.click();
    this.show("skip", "Skip this example", list, row);
    list.children[0].focus();
  }

  showFlag(comment, done) {
    const field = make("textarea", "", null, {
      rows: 4,
      maxlength: 2000,
      placeholder: "What should a reviewer look at?",
      "aria-label": "Comment",
    });
    field.value = comment;
    this.enter = () => {
      this.close();
      done(field.value.trim());
    };
    const row = make("div", "row end");
    row.append(make("span", "note", "Shift and Enter make a new line"), makeButton("primary", "Flag and go on", "Enter", this.enter));
    this.show("flag", "Flag for a reviewer", field, row);
  }

  /** A question to be written; `forget` gives a refused one a way out. */
  showQuestion(title, action, { text, note, done, forget = null }) {
    const field = make("textarea", "", null, { rows: 3, maxlength: 2000, dir: "auto", "aria-label": "Question" });
    field.value = text;
    this.enter = () => {
      this.close();
      done(field.value.trim());
    };
    const buttons = make("div", "row");
    if (forget) {
      const letGo = () => {
        this.close();
        forget();
      };
      buttons.append(makeButton("plain", "Forget it", "", letGo));
    }
    buttons.append(makeButton("primary", action, "Enter", this.enter));
    const row = make("div", "row end");
    row.append(make("span", "note", note), buttons);
    this.show("question", title, field, row);
    field.setSelectionRange(text.length, text.length);
  }

  showFind(ask, open) {
    const field = make("input", "", null, { type: "search", placeholder: "Text, question or id", "aria-label": "Search the project" });
    this.results = make("div", "results");
    this.openResult = open;
    let timer = 0;
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => field.value.trim() && ask(field.value.trim()), 200);
    });
    this.enter = () => this.results.querySelector("button")?.click();
    this.show("find", "Find an example", field, this.results);
  }

  showResults(found) {
    if (this.kind !== "find") return;
    const rows = found.map((one) => {
      const button = makeButton("result", null, "", () => {
        this.close();
        this.openResult(one.id);
      });
      button.append(make("span", "", shorten(one.text, 140)), make("i", "", `${one.external_id} · ${one.split}`));
      return button;
    });
    fill(this.results, ...rows, rows.length ? null : make("p", "note", "Nothing found."));
  }

  /** Keys while a sheet is open; false where the field in it should have the key. */
  press(event) {
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches("input, textarea")) this.enter?.();
    else if (this.kind === "skip" && /^[1-9]$/.test(event.key) && !event.target.matches("input")) this.choose(Number(event.key) - 1);
    else if (this.kind === "help" && event.key === "?") this.close();
    else return false;
    return true;
  }

  toggleGuidelines(guidelines, labels) {
    if (!this.drawer.hidden) {
      this.closeGuidelines();
      return;
    }
    const head = make("div", "head");
    head.append(make("h2", "", "Guidelines"), makeButton("plain", "Close", "Escape", () => this.closeGuidelines()));
    const body = make("div", "prose");
    for (const part of guidelines.trim().split(/(?:[ \t]*\r?\n){2,}/).filter(Boolean)) body.append(...proseBlocks(part, labels));
    if (!guidelines.trim()) body.append(make("p", "note", "Nobody has written guidelines for this project yet."));
    const list = make("dl");
    for (const label of labels) {
      const name = make("dt", "", label.name);
      name.style.setProperty("--c", label.color);
      list.append(name, make("dd", "", label.description || "No description yet."));
    }
    if (labels.length) body.append(make("h3", "", "Labels"), list);
    fill(this.drawer, head, body);
    this.drawer.hidden = false;
    this.drawer.focus({ preventScroll: true });
  }

  closeGuidelines() {
    this.drawer.hidden = true;
    this.refocus();
  }

  /** Whether a key scrolls the guidelines: they have the focus, and it is no command with Alt. */
  scrolls(event) {
    return SCROLLING.has(event.key) && !event.altKey && this.drawer.contains(event.target);
  }
}

function helpRow(keys, text) {
  const row = make("div", "help-row");
  const box = make("span", "keys");
  box.append(...keys.map(makeKey));
  row.append(box, make("span", "", text));
  return row;
}

/** The blocks of a part between empty lines: examples with their labels, headings, lists, and paragraphs. */
function proseBlocks(part, labels) {
  const blocks = [];
  let rest = [];
  const close = () => {
    if (rest.length) blocks.push(proseBlock(rest));
    rest = [];
  };
  for (const line of part.split(/\r?\n/)) {
    const shown = exampleLine(line, labels);
    if (shown) {
      close();
      blocks.push(shown);
      continue;
    }
    const began = rest[0] ?? "";
    if (HEADING.test(began) || HEADING.test(line) || (ITEM.test(line) && !ITEM.test(began))) close();
    rest.push(line);
  }
  close();
  return blocks;
}

/** An example such as `> [Ada]{PER} met …` with its labels, null where the line is none; see tasks/marked.py. */
function exampleLine(line, labels) {
  const mark = /\\(.)|\[((?:\\.|[^[\]\\])+)\]\{((?:\\.|[^}\\])+)\}/g;
  const plain = (text) => text.replace(/\\(.)/g, "$1");
  if (!line.startsWith("> ")) return null;
  const block = make("blockquote");
  const source = line.slice(2);
  let position = 0;
  let marks = 0;
  for (const found of source.matchAll(mark)) {
    block.append(source.slice(position, found.index));
    position = found.index + found[0].length;
    if (found[1] !== undefined) block.append(found[1]);
    else {
      const name = plain(found[3]);
      const chip = make("mark", "", plain(found[2]));
      const label = labels.find((one) => one.name === name);
      if (label) chip.style.setProperty("--c", label.color);
      chip.append(make("small", "", name));
      block.append(chip);
      marks += 1;
    }
  }
  block.append(source.slice(position));
  return marks ? block : null;
}

/** A paragraph, heading or list of the guidelines' Markdown; other markup is shown as it was written. */
function proseBlock(lines) {
  if (HEADING.test(lines[0])) return make("h3", "", lines[0].replace(HEADING, ""));
  if (!ITEM.test(lines[0])) return emphasized(make("p"), lines.join("\n"));
  const items = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line.replace(ITEM, ""));
    else items.push(`${items.pop()} ${line.trim()}`);
  }
  const list = make("ul");
  list.append(...items.map((item) => emphasized(make("li"), item)));
  return list;
}

function emphasized(element, text) {
  text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).forEach((piece) => {
    if (/^\*\*[^*]+\*\*$/.test(piece)) element.append(make("b", "", piece.slice(2, -2)));
    else if (/^`[^`]+`$/.test(piece)) element.append(make("code", "", piece.slice(1, -1)));
    else element.append(piece);
  });
  return element;
}

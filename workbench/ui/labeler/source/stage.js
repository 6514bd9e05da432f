// The text itself: one element per token, built once per example; a key changes only the tokens that look different
// afterwards, so that a text of 5,000 tokens answers as quickly as one of 20.

import { make } from "./dom.js";
import { DOUBT } from "./items.js";
import { unitsOf } from "./marks.js";
import { percent } from "./text.js";

const CHUNKED_FROM = 400;
const CHUNK = 160;
const CHUNK_MOST = 320;

/** The view of an example: its elements, and what each of them shows at the moment. */
export function buildView(entry) {
  const { text, units, item } = entry;
  const root = make("div", `text ${entry.task}`, null, { dir: entry.direction });
  const elements = [];
  const gaps = [];
  const uncertainty = item.suggestion?.uncertainty ?? [];
  const chunked = units.length > CHUNKED_FROM;
  let block = make("div", chunked ? "chunk" : "whole");
  let inBlock = 0;
  const start = units.length ? units[0][0] : text.length;
  if (start > 0) block.append(text.slice(0, start));
  units.forEach(([from, to], index) => {
    const element = make("span", "u", text.slice(from, to), { "data-i": index });
    if (uncertainty[index] > 0.02) element.style.setProperty("--h", uncertainty[index].toFixed(2));
    const until = index + 1 < units.length ? units[index + 1][0] : text.length;
    const between = text.slice(to, until);
    const gap = between ? make("span", "g", between, { "data-g": index }) : null;
    elements.push(element);
    gaps.push(gap);
    block.append(element);
    if (gap) block.append(gap);
    inBlock += 1;
    if (chunked && endsChunk(text.slice(from, to), between, inBlock)) {
      root.append(block);
      block = make("div", "chunk");
      inBlock = 0;
    }
  });
  root.append(block);
  return { root, elements, gaps, shown: units.map(() => "u"), shownGaps: units.map(() => "g"), units };
}

function endsChunk(word, between, length) {
  if (length >= CHUNK_MOST) return true;
  return length >= CHUNK && (between.includes("\n") || /^[.!?。！？]+$/.test(word));
}

/* A label stands under its span, and ends where the next span begins: the percentage gives way first. In rem. */
const ROOM_MOST = 40;
const ROOM_WIDTH = 0.55;
const SIGN_WIDTH = 0.4;

/** Bring an example's elements up to its labels and to the selection (first, last, chosen), null for none. */
export function paintView(entry, colors, selection) {
  const { view, units } = entry;
  const looks = new Array(units.length).fill("u");
  const gapLooks = new Array(units.length).fill("g");
  if (entry.marks.tags) lookTags(entry, looks, colors);
  else lookSpans(entry, looks, gapLooks, colors);
  if (selection) {
    const name = selection.chosen ? "sel" : "at";
    for (let index = selection.first; index <= selection.last; index += 1) {
      const [classes, ...rest] = looks[index].split("\n");
      const edges = `${index === selection.first ? " from" : ""}${index === selection.last ? " to" : ""}`;
      looks[index] = [`${classes} ${name}${edges}`, ...rest].join("\n");
      if (index < selection.last) {
        const [gapClasses, ...gapRest] = gapLooks[index].split("\n");
        gapLooks[index] = [`${gapClasses} sel`, ...gapRest].join("\n");
      }
    }
  }
  let changed = 0;
  for (let index = 0; index < units.length; index += 1) {
    if (looks[index] !== view.shown[index]) {
      show(view.elements[index], looks[index]);
      changed += 1;
    }
    if (gapLooks[index] !== view.shownGaps[index] && view.gaps[index]) show(view.gaps[index], gapLooks[index]);
  }
  view.shown = looks;
  view.shownGaps = gapLooks;
  return changed;
}

/** A look is "classes\ncolor\ntag\nroom": the whole of what an element shows besides its text. */
function show(element, look) {
  const [classes, color = "", tag = "", room = ""] = look.split("\n");
  element.className = classes;
  if (color) element.style.setProperty("--c", color);
  else element.style.removeProperty("--c");
  if (tag) element.dataset.tag = tag;
  else delete element.dataset.tag;
  if (room) element.style.setProperty("--room", room);
}

function lookTags(entry, looks, colors) {
  entry.marks.tags.forEach((tag, index) => {
    if (!tag) {
      looks[index] = "u t none\n\n?";
      return;
    }
    const doubtful = !tag.sure && (tag.p ?? 1) < DOUBT;
    const classes = `u t ${tag.sure ? "sure" : "sug"}${doubtful ? " doubt" : ""}`;
    looks[index] = `${classes}\n${colors.get(tag.tag) ?? ""}\n${tag.tag}${doubtful ? ` ${percent(tag.p)}` : ""}`;
  });
}

function lookSpans(entry, looks, gapLooks, colors) {
  const { marks, units } = entry;
  const inOrder = [...(marks.spans ?? marks.answers)].sort((a, b) => a.s - b.s);
  inOrder.forEach((mark, place) => {
    const room = Math.min(ROOM_MOST, (inOrder[place + 1]?.s ?? Infinity) - mark.s);
    const [first, last] = unitsOf(units, mark.s, mark.e);
    const name = mark.label ?? "answer";
    const color = colors.get(name) ?? "";
    const state = `m ${mark.sure ? "sure" : "sug"}`;
    const withPercent = mark.sure || mark.p === null ? name : `${name} ${percent(mark.p)}`;
    const tag = withPercent.length * SIGN_WIDTH > room * ROOM_WIDTH ? name : withPercent;
    for (let index = first; index <= last; index += 1) {
      const edges = `${index === first ? " first" : ""}${index === last ? " last" : ""}`;
      looks[index] = `u ${state}${edges}\n${color}\n${index === first ? `${tag}\n${room}` : ""}`;
      if (index < last) gapLooks[index] = `g ${state}\n${color}`;
    }
  });
}

/** The unit at a point of the screen, or the nearest one before it on its line; null where there is none. */
export function unitFromPoint(shadow, view, x, y) {
  const element = shadow.elementFromPoint(x, y);
  const unit = element?.closest?.("[data-i]");
  if (unit && view.root.contains(unit)) return Number(unit.dataset.i);
  const gap = element?.closest?.("[data-g]");
  if (gap && view.root.contains(gap)) return Number(gap.dataset.g);
  if (!element || !(view.root.contains(element) || element.contains(view.root))) return null;
  return nearestOnLine(view, x, y);
}

function nearestOnLine(view, x, y) {
  let best = null;
  let distance = Infinity;
  for (let index = 0; index < view.elements.length; index += 1) {
    for (const box of view.elements[index].getClientRects()) {
      if (y < box.top - 6 || y > box.bottom + 22) continue;
      const away = x < box.left ? box.left - x : Math.max(0, x - box.right);
      if (away < distance) [best, distance] = [index, away];
    }
  }
  return best;
}

/** The unit one line above (step -1) or below (step 1), as far along as the given one. */
export function unitOnNextLine(view, from, step) {
  const here = view.elements[from].getBoundingClientRect();
  const middle = here.left + here.width / 2;
  let line = null;
  let best = from;
  let distance = Infinity;
  for (let index = from + step; index >= 0 && index < view.elements.length; index += step) {
    const box = view.elements[index].getBoundingClientRect();
    if (Math.abs(box.top - here.top) < here.height / 2) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > box.height / 2) break;
    const away = Math.abs(box.left + box.width / 2 - middle);
    if (away < distance) [best, distance] = [index, away];
  }
  return best;
}

/** Position in the text of a point of the screen, between two characters; null outside of every unit. */
export function positionFromPoint(shadow, entry, x, y) {
  let node = null;
  let offset = 0;
  if (document.caretPositionFromPoint) {
    const found = document.caretPositionFromPoint(x, y, { shadowRoots: [shadow] });
    [node, offset] = [found?.offsetNode, found?.offset ?? 0];
  } else if (document.caretRangeFromPoint) {
    const found = (shadow.caretRangeFromPoint ? shadow : document).caretRangeFromPoint(x, y);
    [node, offset] = [found?.startContainer, found?.startOffset ?? 0];
  }
  const element = (node?.nodeType === 3 ? node.parentElement : node)?.closest?.("[data-i],[data-g]");
  if (!element || node.nodeType !== 3) return null;
  if (element.dataset.i !== undefined) return entry.units[Number(element.dataset.i)][0] + offset;
  return entry.units[Number(element.dataset.g)][1] + offset;
}

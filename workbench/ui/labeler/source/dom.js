// Elements are made by these few functions. Data only ever becomes text nodes and attributes, never markup.

/** An element with classes, text and attributes; a falsy attribute is left out. */
export function make(tag, className = "", text = null, attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

/** A button that never takes the focus from the text. */
export function makeButton(className, text, title, onPress) {
  const button = make("button", className, text, { type: "button", title });
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => onPress(button));
  return button;
}

/** A key as it is drawn. */
export function makeKey(name) {
  return make("kbd", "", name);
}

/** Replace an element's children. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set the text only where it differs, so that nothing is laid out again for nothing. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

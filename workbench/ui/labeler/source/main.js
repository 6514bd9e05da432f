// Streamlit calls the default export on mounting and again on every change of `data`, with the same parent.

import { Labeler } from "./labeler.js";

const MOUNTED = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".labeler");
  let labeler = MOUNTED.get(root);
  if (labeler) {
    labeler.channel.setStateValue = setStateValue;
    labeler.update(data);
    return () => {};
  }
  fitHeight(root);
  labeler = new Labeler(parentElement, data, { setStateValue, wake: () => globalThis.workbenchWake?.() });
  MOUNTED.set(root, labeler);
  return () => {
    if (!root.isConnected) {
      labeler.close();
      MOUNTED.delete(root);
    }
  };
}

/**
 * The page never scrolls: the text does, between the labels above and the decisions below. What stands above can go
 * (guidelines that were read) or come while the component stays: then something that holds both has another size.
 */
function fitHeight(root) {
  const { host } = root.getRootNode();
  const main = host.closest("[data-testid=stMain]");
  const fit = () => {
    const top = root.getBoundingClientRect().top + (main?.scrollTop ?? 0) + scrollY;
    root.style.setProperty("--above", `${Math.round(top)}px`);
  };
  // A frame later: set in the callback itself, the new height would call it again in the same frame.
  const watcher = new ResizeObserver(() => (root.isConnected ? requestAnimationFrame(fit) : watcher.disconnect()));
  for (let at = host.parentElement; at && at !== main; at = at.parentElement) watcher.observe(at);
  fit();
  setTimeout(() => {
    fit();
    root.dataset.fitted = ""; // nothing moves any more
  }, 400);
}

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

/** The page never scrolls: the text does, between the labels above and the decisions below. */
function fitHeight(root) {
  const fit = () => root.style.setProperty("--above", `${Math.round(root.getBoundingClientRect().top + scrollY)}px`);
  fit();
  requestAnimationFrame(fit);
  setTimeout(() => {
    fit();
    root.dataset.fitted = ""; // nothing moves any more
  }, 400);
}

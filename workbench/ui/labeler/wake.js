// Mounted outside of the labeling fragment: what it reports runs the whole page, which brings the fragment back after
// a restart of the server. Reports from within a fragment that the server does not know are dropped by Streamlit.

export default function ({ setTriggerValue }) {
  globalThis.workbenchWake = () => setTriggerValue("again", Date.now());
}

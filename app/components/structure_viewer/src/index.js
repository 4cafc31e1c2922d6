// Entry of the bundle: Streamlit calls these on first show, on every change of data, and on every change of theme.

import { showMessage } from './panel.js';
import { Player } from './player.js';
import { decodeTrajectory } from './trajectory.js';
import { Viewer } from './viewer.js';

const NO_WEBGL =
  'This browser offers no WebGL, so the structure cannot be drawn here. ' +
  'Switch on hardware acceleration, try another browser, or download the CIF.';

const drawings = new WeakMap();
const turns = new WeakMap(); // how often each host has been mounted

export default function mountViewer({ parentElement, data }) {
  const host = parentElement.querySelector('.structure-viewer');
  host.classList.toggle('compact', data.compact);
  return mount(host, Viewer, data);
}

export function mountPlayer({ parentElement, data }) {
  return mount(parentElement.querySelector('.trajectory-player'), Player, decodeTrajectory(data));
}

// Streamlit throws a call away that new data overtook while the bundle was loading, and cleans up after it at once: by
// then the picture may belong to the later call, so only the latest may take it down.
function mount(host, Drawing, data) {
  const turn = (turns.get(host) ?? 0) + 1;
  turns.set(host, turn);
  host.style.height = `${data.height}px`;
  const stopWaiting = onceSeen(host, () => show(host, Drawing, data));
  return () => {
    stopWaiting();
    if (turns.get(host) !== turn) return;
    drawings.get(host)?.dispose();
    drawings.delete(host);
  };
}

// A page holds several pictures, most of them further down: each starts when it is scrolled to.
function onceSeen(host, start) {
  if (drawings.has(host)) {
    start();
    return () => {};
  }
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    start();
  });
  watcher.observe(host);
  return () => watcher.disconnect();
}

function show(host, Drawing, data) {
  try {
    if (!drawings.has(host)) drawings.set(host, new Drawing(host));
  } catch {
    showMessage(host, NO_WEBGL);
    return;
  }
  drawings.get(host).update(data);
}

// Entry of the bundle: Streamlit calls `mount` on first show, on every change of data, and on every change of theme.

import { Viewer } from './viewer.js';
import { showMessage } from './panel.js';

const NO_WEBGL =
  'This browser offers no WebGL, so the structure cannot be drawn here. ' +
  'Switch on hardware acceleration, try another browser, or download the CIF.';

const viewers = new WeakMap();

export default function mount({ parentElement, data }) {
  const host = parentElement.querySelector('.structure-viewer');
  host.style.height = `${data.height}px`;
  host.classList.toggle('compact', data.compact);
  let viewer = viewers.get(host);
  if (!viewer) {
    try {
      viewer = new Viewer(host);
    } catch {
      showMessage(host, NO_WEBGL);
      return undefined;
    }
    viewers.set(host, viewer);
  }
  viewer.update(data);
  return () => {
    viewer.dispose();
    viewers.delete(host);
  };
}

// The player's buttons: legend and view switches above, and below them the bar with play, time and speed.

import { button, chipOf, labelled, node } from './panel.js';

const SLIDER_STEPS = 1000;

export class PlayerPanel {
  constructor(host, actions) {
    this.host = host;
    this.actions = actions;
    this.legend = node('div', { class: 'legend', role: 'group', 'aria-label': 'Elements' });
    this.tools = node('div', { class: 'tools', role: 'toolbar', 'aria-label': 'View' });
    this.bar = node('div', { class: 'bar', role: 'group', 'aria-label': 'Time' });
    this.play = button('Play', 'play', actions.onPlay);
    this.slider = node('input', { type: 'range', min: 0, max: SLIDER_STEPS, step: 1, 'aria-label': 'Time' });
    this.slider.addEventListener('input', () => actions.onSeek(this.slider.value / SLIDER_STEPS));
    this.time = node('span', { class: 'time' });
    this.speed = button('Speed', 'speed', actions.onSpeed);
    this.newest = button('Stay at the newest frame', 'follow', actions.onFollow);
    this.newest.textContent = 'Live';
    this.bar.append(this.play, this.slider, this.time, this.speed, this.newest);
    host.append(this.legend, this.tools, this.bar);
  }

  begin(run) {
    const canvas = this.host.querySelector('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${run.n_atoms} moving atoms: space plays, arrow keys turn, plus and minus zoom`);
    this.chips = Object.entries(run.elements).map(([element, { color }]) =>
      chipOf({ element, color, count: run.atomsOf(element).length }, () => this.actions.onElement(element)),
    );
    const { onTrails, onWrap, onCell, onReset } = this.actions;
    this.switches = {
      trails: labelled('Trails', 'trails', onTrails, false, `The way that ${run.working_ion} has come lately`),
      wrapped: labelled('Wrapped', 'wrap', onWrap, true, 'Atoms that leave the cell come in at the other side'),
      cell: labelled('Cell', 'cell', onCell, true, 'The outline of the cell'),
    };
    this.legend.replaceChildren(...this.chips);
    const reset = labelled('Reset', 'reset', onReset, null, 'Reset the camera');
    this.tools.replaceChildren(...Object.values(this.switches), reset);
  }

  render({ run, frame, chosen, playing, following, pace }) {
    for (const chip of this.chips) press(chip, !chosen.hidden.has(chip.dataset.element));
    for (const [name, made] of Object.entries(this.switches)) press(made, chosen[name]);
    const [now, end] = [run.times_ps[frame], run.end_ps];
    this.play.textContent = playing ? '❚❚' : '▶';
    this.play.title = playing ? 'Pause' : 'Play';
    this.play.setAttribute('aria-label', this.play.title);
    const share = run.length_ps > 0 ? (now - run.start_ps) / run.length_ps : 1;
    this.slider.value = Math.round(share * SLIDER_STEPS);
    this.slider.setAttribute('aria-valuetext', `${inPs(now, end)} of ${inPs(end, end)} ps`);
    this.time.textContent = `${inPs(now, end)} / ${inPs(end, end)} ps`;
    this.speed.textContent = `${chosen.speed}×`;
    this.speed.title = `Speed: ${Number(pace.toPrecision(2))} ps a second`;
    this.newest.hidden = !run.live;
    press(this.newest, following);
  }

  // Pixels at top and bottom that buttons cover; the style sheet puts the tools above the bar where it is narrow.
  insets() {
    const gap = this.legend.offsetTop;
    const low = this.tools.offsetTop > this.host.clientHeight / 2;
    const top = Math.max(this.legend.offsetHeight, low ? 0 : this.tools.offsetHeight) + gap;
    return { top, bottom: this.host.clientHeight - (low ? this.tools : this.bar).offsetTop };
  }

  dispose() {
    for (const part of [this.legend, this.tools, this.bar]) part.remove();
  }
}

function press(made, pressed) {
  made.setAttribute('aria-pressed', String(pressed));
}

function inPs(time, end) {
  return time.toFixed(end < 10 ? 2 : 1);
}

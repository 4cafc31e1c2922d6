// The a, b, c compass in the corner; a click on a letter looks down that axis.

import { Vector3 } from 'three';

const SVG = 'http://www.w3.org/2000/svg';
const SIZE = 84;
const ARM = 27;
const LETTER = 36;
const COLOURS = ['#e5484d', '#30a46c', '#3e8ef7'];

export class Axes {
  constructor(host, stage) {
    this.stage = stage;
    this.svg = element('svg', { class: 'axes', viewBox: `${-SIZE / 2} ${-SIZE / 2} ${SIZE} ${SIZE}` });
    this.arms = ['a', 'b', 'c'].map((name, axis) => this.arm(name, axis));
    host.append(this.svg);
    this.redraw = () => this.draw();
    stage.onRender.push(this.redraw);
  }

  arm(name, axis) {
    const line = element('line', { stroke: COLOURS[axis], 'stroke-width': 2.5, 'stroke-linecap': 'round' });
    const letter = element('text', { fill: COLOURS[axis], 'text-anchor': 'middle', 'dominant-baseline': 'central' });
    letter.textContent = name;
    letter.append(titled(`Look down the ${name} axis`));
    letter.addEventListener('click', () => this.stage.lookDown(axis));
    this.svg.append(line, letter);
    return { line, letter };
  }

  setLattice(lattice) {
    this.directions = lattice.map((row) => new Vector3(...row).normalize());
  }

  draw() {
    if (!this.directions) return;
    const turn = this.stage.camera.quaternion.clone().invert();
    this.directions.forEach((direction, axis) => {
      const { x, y } = direction.clone().applyQuaternion(turn);
      const { line, letter } = this.arms[axis];
      set(line, { x1: 0, y1: 0, x2: x * ARM, y2: -y * ARM });
      set(letter, { x: x * LETTER, y: -y * LETTER });
    });
  }

  dispose() {
    this.svg.remove();
  }
}

function element(name, attributes) {
  const node = document.createElementNS(SVG, name);
  set(node, attributes);
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

function titled(text) {
  const title = element('title', {});
  title.textContent = text;
  return title;
}

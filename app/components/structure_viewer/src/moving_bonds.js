// Bonds that move with their atoms. Each is drawn as two halves, one an atom, so that a bond through a face of the
// cell shows at both sides of it, as long as each half hangs on its own atom.

import { Color, Vector3 } from 'three';
import { Bars } from './bars.js';
import { BOND_RADIUS_A } from './layers.js';

const TORN = 1.4; // times its first length: no longer drawn
const SIDES = 8;

export class MovingBonds extends Bars {
  constructor(run, look) {
    super(run.bonds.length * 2, SIDES, look);
    this.halves = run.bonds.flatMap(([i, j, ...image]) => [
      { atom: i, other: j, image },
      { atom: j, other: i, image: image.map((value) => -value) },
    ]);
    this.halves.forEach((half, index) => {
      half.limit_a = TORN * this.reach(run, 0, half).length();
      this.mesh.setColorAt(index, new Color(run.elements[run.species[half.atom]].color));
    });
  }

  // From the atom to its neighbour, angstrom.
  reach(run, frame, { atom, other, image }) {
    const [from, to, cell] = [[0, 0, 0], [0, 0, 0], run.cell(frame)];
    run.position(frame, atom, from);
    run.position(frame, other, to);
    return new Vector3(
      ...to.map((value, axis) => value - from[axis] + image.reduce((sum, n, row) => sum + n * cell[row][axis], 0)),
    );
  }

  place(run, frame, { hidden, wrapped }) {
    const [point, shift, start] = [[0, 0, 0], [0, 0, 0], new Vector3()];
    this.halves.forEach((half, index) => {
      const reach = this.reach(run, frame, half);
      if (this.isHidden(run, half, hidden) || reach.length() > half.limit_a) {
        this.hide(index);
        return;
      }
      run.position(frame, half.atom, point);
      if (wrapped) run.shift(frame, half.atom, shift);
      start.set(point[0] + shift[0], point[1] + shift[1], point[2] + shift[2]);
      this.set(index, start, reach.multiplyScalar(0.5), BOND_RADIUS_A);
    });
    this.done();
  }

  isHidden(run, { atom, other }, hidden) {
    return hidden.has(run.species[atom]) || hidden.has(run.species[other]);
  }
}

// The ways that the working ions have come lately: thickest at the ion, thinner the longer ago.

import { Vector3 } from 'three';
import { Bars } from './bars.js';

const FRAMES = 80;
const THICK_A = 0.17;
const THIN_A = 0.03;
const SIDES = 6;

export class Trails extends Bars {
  constructor(run) {
    const ions = run.atomsOf(run.working_ion);
    super(ions.length * FRAMES, SIDES, { color: run.elements[run.working_ion]?.color ?? '#888888' });
    this.ions = ions;
  }

  // A trail hangs on its ion, in whichever image of the cell that is drawn: it may lead out of the cell, never across.
  place(run, frame, wrapped) {
    const [point, shift, from, along] = [[0, 0, 0], [0, 0, 0], new Vector3(), new Vector3()];
    this.ions.forEach((atom, ion) => {
      if (wrapped) run.shift(frame, atom, shift);
      run.position(frame, atom, point);
      for (let age = 0; age < FRAMES; age += 1) {
        from.fromArray(point);
        run.position(Math.max(frame - age - 1, 0), atom, point);
        along.fromArray(point).sub(from);
        for (let axis = 0; axis < 3; axis += 1) from.setComponent(axis, from.getComponent(axis) + shift[axis]);
        this.set(ion * FRAMES + age, from, along, THICK_A + (THIN_A - THICK_A) * (age / FRAMES));
      }
    });
    this.done();
  }
}

// A run as it came over the wire: header, cells, and positions as whole numbers that are only scaled when drawn.

import { Matrix3 } from 'three';

const SETTLED = 0.03; // of a cell: an atom that shakes about a face at first belongs to the inside
const RELUCTANCE = 0.08; // of a cell: how far past a face an atom goes before it is drawn at the other side

export function decodeTrajectory(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  return new Trajectory(header, new Uint16Array(bytes.slice(4 + size).buffer));
}

class Trajectory {
  constructor(header, packed) {
    Object.assign(this, header);
    this.packed = packed;
    this.n_atoms = this.species.length;
    this.n_frames = this.times_ps.length;
    this.start_ps = this.times_ps[0];
    this.end_ps = this.times_ps.at(-1);
    this.length_ps = this.end_ps - this.start_ps;
  }

  // The lattice vectors of a frame, row by row.
  cell(frame) {
    const flat = this.cells_a[Math.min(frame, this.cells_a.length - 1)];
    return [flat.slice(0, 3), flat.slice(3, 6), flat.slice(6, 9)];
  }

  atomsOf(element) {
    return this.species.flatMap((symbol, atom) => (symbol === element ? [atom] : []));
  }

  // Writes the unwrapped position of an atom into out, from place on.
  position(frame, atom, out, place = 0) {
    const from = (frame * this.n_atoms + atom) * 3;
    for (let axis = 0; axis < 3; axis += 1) {
      out[place + axis] = this.origin_a[axis] + this.step_a[axis] * this.packed[from + axis];
    }
  }

  // Writes how far a frame's atom is moved to lie in the cell; nothing where the picture is unwrapped.
  shift(frame, atom, out) {
    const from = (frame * this.n_atoms + atom) * 3;
    const [a, b, c] = this.cell(frame);
    const [i, j, k] = this.images.subarray(from, from + 3);
    for (let axis = 0; axis < 3; axis += 1) out[axis] = -(i * a[axis] + j * b[axis] + k * c[axis]);
  }

  // The newest frame that is not later than a time.
  frameAt(time) {
    let [low, high] = [0, this.n_frames - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times_ps[middle] <= time + 1e-9) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // In which image of the cell each atom is: a whole number a lattice vector, that changes only when the atom has
  // clearly left, so that one that shakes about a face does not flicker between two sides.
  get images() {
    this.known ??= imagesOf(this);
    return this.known;
  }
}

function imagesOf(run) {
  const images = new Int16Array(run.n_frames * run.n_atoms * 3);
  const [point, stride] = [[0, 0, 0], run.n_atoms * 3];
  for (let frame = 0; frame < run.n_frames; frame += 1) {
    if (frame === 0 || run.cells_a.length > 1) run.inverse = inverse(run.cell(frame));
    for (let atom = 0; atom < run.n_atoms; atom += 1) {
      run.position(frame, atom, point);
      for (let axis = 0; axis < 3; axis += 1) {
        const place = frame * stride + atom * 3 + axis;
        const along = point.reduce((sum, value, row) => sum + value * run.inverse[row][axis], 0);
        images[place] = frame ? stay(along, images[place - stride]) : Math.floor(along + SETTLED);
      }
    }
  }
  return images;
}

function stay(along, image) {
  const inside = along > image - RELUCTANCE && along < image + 1 + RELUCTANCE;
  return inside ? image : Math.floor(along);
}

// Rows of the matrix that takes a Cartesian row vector to fractional coordinates.
function inverse(cell) {
  const flat = new Matrix3().set(...cell.flat()).invert().transpose().elements;
  return [flat.slice(0, 3), flat.slice(3, 6), flat.slice(6, 9)];
}

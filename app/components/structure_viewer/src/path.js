// Where the working ion has been: closed surfaces of its density, a firm one around its sites, a sheer one along its ways.

import { BufferGeometry, DoubleSide, Float32BufferAttribute, Group, InstancedMesh, Matrix4, MeshStandardMaterial } from 'three';
import { latticeShifts } from './supercell.js';
import { surface } from './surface.js';

const SHEER = 0.42;
const FIRM = 0.8;

export function decodePath({ shape, values, levels }) {
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  return { shape, levels, values: new Uint16Array(bytes.buffer) };
}

export function buildPath(path, lattice, repeat, color) {
  const group = new Group();
  const shifts = latticeShifts(lattice, repeat).map((shift) => new Matrix4().makeTranslation(...shift));
  path.levels.forEach((level, index) => {
    const faces = new MeshStandardMaterial({
      color,
      transparent: true,
      opacity: index ? FIRM : SHEER,
      side: DoubleSide,
      roughness: 0.55,
    });
    const mesh = new InstancedMesh(geometry(surface(path, level), path.shape, lattice), faces, shifts.length);
    shifts.forEach((shift, place) => mesh.setMatrixAt(place, shift));
    mesh.frustumCulled = false;
    mesh.renderOrder = 2 - index; // after the polyhedra; the inner one first, so that it shines through
    group.add(mesh);
  });
  return group;
}

function geometry({ nodes, corners }, shape, lattice) {
  const positions = nodes.flatMap((node) =>
    [0, 1, 2].map((axis) => node.reduce((sum, value, row) => sum + (value / shape[row]) * lattice[row][axis], 0)),
  );
  const made = new BufferGeometry();
  made.setAttribute('position', new Float32BufferAttribute(positions, 3));
  made.setIndex(corners);
  made.computeVertexNormals();
  return made;
}

// Repeats a scene along its lattice vectors in the browser: no round trip, and shared atoms drawn once.

const GRAIN_A = 0.05;

export function atomCount(scene) {
  return scene.atoms.reduce((count, part) => count + part.positions.length, 0);
}

export function repeatScene(scene, repeat) {
  const cell = scene.lattice.map((row) => row.map((value) => value * repeat));
  if (repeat === 1) return { ...scene, cell };
  const shifts = latticeShifts(scene.lattice, repeat);
  return {
    ...scene,
    cell,
    atoms: scene.atoms.map((part) => repeatAtoms(part, shifts)),
    bonds: scene.bonds.map((part) => ({ ...part, segments: repeatUnique(part.segments, shifts) })),
    polyhedra: repeatSolids(scene.polyhedra, shifts),
  };
}

// The twelve edges of a cell as 24 end points.
export function cellEdges([a, b, c]) {
  const corner = (i, j, k) => [0, 1, 2].map((axis) => i * a[axis] + j * b[axis] + k * c[axis]);
  const edges = [];
  for (const [p, q] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
    edges.push(corner(0, p, q), corner(1, p, q));
    edges.push(corner(p, 0, q), corner(p, 1, q));
    edges.push(corner(p, q, 0), corner(p, q, 1));
  }
  return edges;
}

// Where each of the repeated cells begins.
export function latticeShifts(lattice, repeat) {
  const shifts = [];
  for (let i = 0; i < repeat; i += 1) {
    for (let j = 0; j < repeat; j += 1) {
      for (let k = 0; k < repeat; k += 1) {
        shifts.push([0, 1, 2].map((axis) => i * lattice[0][axis] + j * lattice[1][axis] + k * lattice[2][axis]));
      }
    }
  }
  return shifts;
}

// Moves a flat list of coordinates (x, y, z, x, y, z, ...).
function moved(flat, shift) {
  return flat.map((value, index) => value + shift[index % 3]);
}

function keyOf(flat) {
  return flat.map((value) => Math.round(value / GRAIN_A)).join();
}

function repeatUnique(items, shifts) {
  const kept = new Map();
  for (const shift of shifts) {
    for (const item of items) {
      const image = moved(item, shift);
      kept.set(keyOf(image), image);
    }
  }
  return [...kept.values()];
}

function repeatAtoms({ element, sites, positions }, shifts) {
  const kept = new Map();
  for (const shift of shifts) {
    positions.forEach((position, index) => {
      const image = moved(position, shift);
      kept.set(keyOf(image), [sites[index], image]);
    });
  }
  const atoms = [...kept.values()];
  return { element, sites: atoms.map(([site]) => site), positions: atoms.map(([, position]) => position) };
}

function repeatSolids(solids, shifts) {
  const kept = new Map();
  for (const shift of shifts) {
    for (const { element, positions } of solids) {
      const corners = positions.map((position) => moved(position, shift));
      kept.set(keyOf(corners[0]), { element, positions: corners });
    }
  }
  return [...kept.values()];
}

// Surface nets on a periodic grid: one vertex in every cube that the surface crosses, one face on every edge it cuts.

const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map((code) => [code & 1, (code >> 1) & 1, (code >> 2) & 1]);
const EDGES = [0, 1, 2].flatMap((axis) =>
  CORNERS.filter((corner) => !corner[axis]).map((corner) => [corner, corner.map((value, at) => value + (at === axis))]),
);

// Vertices in units of the grid, and three indices a triangle. The cubes below the first node are those of the next
// cell, moved: so the surfaces of neighbouring cells meet without a gap.
export function surface({ shape, values }, level) {
  const at = reader(shape, values, level);
  const [nodes, numbers] = [[], new Map()];
  const vertex = (cube) => {
    const key = cube.join();
    if (!numbers.has(key)) {
      numbers.set(key, nodes.length);
      nodes.push(crossing(at, cube));
    }
    return numbers.get(key);
  };
  const corners = [];
  for (let i = 0; i < shape[0]; i += 1) {
    for (let j = 0; j < shape[1]; j += 1) {
      for (let k = 0; k < shape[2]; k += 1) faces(at, [i, j, k], vertex, corners);
    }
  }
  return { nodes, corners };
}

function reader(shape, values, level) {
  const wrap = (index, size) => (index < 0 ? index + size : index >= size ? index - size : index);
  return (i, j, k) =>
    values[(wrap(i, shape[0]) * shape[1] + wrap(j, shape[1])) * shape[2] + wrap(k, shape[2])] - level;
}

function faces(at, node, vertex, corners) {
  const inside = at(...node) > 0;
  for (let axis = 0; axis < 3; axis += 1) {
    const next = [...node];
    next[axis] += 1;
    if (at(...next) > 0 === inside) continue;
    const [p, q] = [(axis + 1) % 3, (axis + 2) % 3];
    const around = [[-1, -1], [0, -1], [0, 0], [-1, 0]].map(([onP, onQ]) => {
      const cube = [...node];
      cube[p] += onP;
      cube[q] += onQ;
      return vertex(cube);
    });
    const [a, b, c, d] = inside ? around : around.reverse();
    corners.push(a, b, c, a, c, d);
  }
}

// The mean of the points where the cube's edges are cut.
function crossing(at, [i, j, k]) {
  const sum = [0, 0, 0];
  let cuts = 0;
  for (const [from, to] of EDGES) {
    const [low, high] = [from, to].map(([x, y, z]) => at(i + x, j + y, k + z));
    if (low > 0 === high > 0) continue;
    const share = low / (low - high);
    for (let axis = 0; axis < 3; axis += 1) sum[axis] += from[axis] + share * (to[axis] - from[axis]);
    cuts += 1;
  }
  return [i + sum[0] / cuts, j + sum[1] / cuts, k + sum[2] / cuts];
}

// Meshes from a scene: atoms, bonds, polyhedra and cell, a few draw calls each, switchable by element.

import {
  BufferGeometry,
  Color,
  CylinderGeometry,
  DoubleSide,
  EdgesGeometry,
  Float32BufferAttribute,
  Group,
  InstancedMesh,
  LineBasicMaterial,
  LineSegments,
  Matrix4,
  Mesh,
  MeshStandardMaterial,
  Quaternion,
  SphereGeometry,
  Vector3,
} from 'three';
import { ConvexGeometry } from 'three/examples/jsm/geometries/ConvexGeometry.js';
import { mergeGeometries } from 'three/examples/jsm/utils/BufferGeometryUtils.js';
import { buildPath } from './path.js';
import { atomCount, cellEdges } from './supercell.js';

export const BOND_RADIUS_A = 0.085;
const UP = new Vector3(0, 1, 0);
const UNIT = new Vector3(1, 1, 1);

export function buildLayers(scene, { theme, highlight, path, pathColor, repeat }) {
  const group = new Group();
  const atoms = scene.atoms.map((part) => buildAtoms(part, scene, highlight));
  const bonds = scene.bonds.map((part) => buildBonds(part, scene.elements[part.element].color));
  const solids = groupSolids(scene).map(([element, list]) => buildSolids(element, list, scene.elements[element].color));
  const cell = buildCell(scene.cell, theme);
  const way = path ? buildPath(path, scene.lattice, repeat, pathColor) : new Group();
  group.add(...atoms, ...bonds, ...solids, cell, way);
  return {
    group,
    setTheme: (colours) => cell.material.color.set(colours.line),
    setVisible({ hidden, bonds: showBonds, cell: showCell, path: showPath, solid }) {
      for (const part of atoms) part.visible = !hidden.has(part.userData.element);
      for (const part of bonds) part.visible = showBonds && !hidden.has(part.userData.element);
      for (const part of solids) part.visible = solid(part.userData.element) && !hidden.has(part.userData.element);
      cell.visible = showCell;
      way.visible = showPath;
    },
  };
}

function shiny(color) {
  return new MeshStandardMaterial({ color, roughness: 0.38, metalness: 0.0 });
}

// Fewer triangles the more atoms there are; a sphere of ten pixels needs no finer one.
export function sphere(atoms) {
  if (atoms < 200) return new SphereGeometry(1, 32, 20);
  return atoms < 1000 ? new SphereGeometry(1, 20, 14) : new SphereGeometry(1, 12, 8);
}

function buildAtoms({ element, sites, positions }, scene, highlight) {
  const { color, radius } = scene.elements[element];
  const mesh = new InstancedMesh(sphere(atomCount(scene)), shiny('#ffffff'), positions.length);
  const matrix = new Matrix4();
  positions.forEach((position, index) => {
    const marked = highlight[sites[index]] ?? {};
    const size = radius * (marked.scale ?? 1);
    mesh.setMatrixAt(index, matrix.makeScale(size, size, size).setPosition(...position));
    mesh.setColorAt(index, new Color(marked.color ?? color));
  });
  mesh.userData = { element, bounds: positions.map((position) => new Vector3(...position)) };
  return mesh;
}

function buildBonds({ element, segments }, color) {
  const mesh = new InstancedMesh(new CylinderGeometry(1, 1, 1, 12, 1, true), shiny(color), segments.length);
  const [start, end, along] = [new Vector3(), new Vector3(), new Vector3()];
  const [matrix, turn, size] = [new Matrix4(), new Quaternion(), UNIT.clone()];
  segments.forEach((segment, index) => {
    start.fromArray(segment, 0);
    end.fromArray(segment, 3);
    along.subVectors(end, start);
    size.set(BOND_RADIUS_A, along.length(), BOND_RADIUS_A);
    turn.setFromUnitVectors(UP, along.normalize());
    mesh.setMatrixAt(index, matrix.compose(start.add(end).multiplyScalar(0.5), turn, size));
  });
  mesh.userData = { element };
  return mesh;
}

function groupSolids(scene) {
  const groups = new Map();
  for (const solid of scene.polyhedra) {
    if (!groups.has(solid.element)) groups.set(solid.element, []);
    groups.get(solid.element).push(solid.positions.map((position) => new Vector3(...position)));
  }
  return [...groups];
}

function buildSolids(element, solids, color) {
  const hulls = solids.map((corners) => new ConvexGeometry(corners));
  const outlines = hulls.map((hull) => new EdgesGeometry(hull, 12));
  const faces = new MeshStandardMaterial({
    color,
    transparent: true,
    opacity: 0.34,
    side: DoubleSide,
    depthWrite: false,
    roughness: 0.7,
  });
  const group = new Group();
  group.add(
    new Mesh(mergeGeometries(hulls), faces),
    new LineSegments(
      mergeGeometries(outlines),
      new LineBasicMaterial({ color: new Color(color).multiplyScalar(0.72), transparent: true, opacity: 0.75 }),
    ),
  );
  for (const geometry of [...hulls, ...outlines]) geometry.dispose();
  group.userData = { element };
  return group;
}

export function buildCell(cell, theme) {
  const corners = cellEdges(cell);
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new Float32BufferAttribute(corners.flat(), 3));
  const lines = new LineSegments(geometry, new LineBasicMaterial({ color: theme.line, transparent: true, opacity: 0.55 }));
  lines.userData = { bounds: corners.map((corner) => new Vector3(...corner)) };
  return lines;
}

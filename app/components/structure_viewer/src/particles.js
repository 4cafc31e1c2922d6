// What moves in a trajectory: one instanced mesh an element, the framework's bonds, the cell's outline, the ions' trails.

import { DynamicDrawUsage, Group, InstancedMesh, Matrix4, MeshStandardMaterial, Vector3 } from 'three';
import { buildCell, sphere } from './layers.js';
import { MovingBonds } from './moving_bonds.js';
import { cellEdges } from './supercell.js';
import { Trails } from './trails.js';

const ION_SCALE = 1.2;
const OTHER_SCALE = 0.72;
const FAINT = { transparent: true, opacity: 0.62 }; // what is not the working ion

export class Particles {
  constructor(run, theme) {
    this.run = run;
    this.meshes = Object.keys(run.elements).map((element) => this.mesh(element));
    this.outline = buildCell(run.cell(0), theme);
    this.trails = new Trails(run);
    this.bonds = new MovingBonds(run, FAINT);
    this.group = new Group();
    this.group.add(...this.meshes, this.bonds.mesh, this.outline, this.trails.mesh);
  }

  mesh(element) {
    const { color, radius } = this.run.elements[element];
    const isIon = element === this.run.working_ion;
    const atoms = this.run.atomsOf(element);
    const material = new MeshStandardMaterial({ color, roughness: 0.38, ...(isIon ? {} : FAINT) });
    const mesh = new InstancedMesh(sphere(this.run.n_atoms), material, atoms.length);
    const size = radius * (isIon ? ION_SCALE : OTHER_SCALE);
    atoms.forEach((_, index) => mesh.setMatrixAt(index, new Matrix4().makeScale(size, size, size)));
    mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    mesh.frustumCulled = false;
    mesh.userData = { element, atoms };
    return mesh;
  }

  // Moves everything to where it is in a frame; of the same atoms, so a run that has grown needs no new meshes.
  place(frame, { hidden, wrapped, cell, trails }) {
    for (const mesh of this.meshes) {
      mesh.visible = !hidden.has(mesh.userData.element);
      this.placeAtoms(mesh, frame, wrapped);
    }
    this.bonds.place(this.run, frame, { hidden, wrapped });
    this.outline.visible = cell;
    this.placeOutline(frame);
    this.trails.mesh.visible = trails && !hidden.has(this.run.working_ion);
    if (this.trails.mesh.visible) this.trails.place(this.run, frame, wrapped);
  }

  placeAtoms(mesh, frame, wrapped) {
    const { array } = mesh.instanceMatrix;
    const [point, shift] = [[0, 0, 0], [0, 0, 0]];
    mesh.userData.atoms.forEach((atom, index) => {
      this.run.position(frame, atom, point);
      if (wrapped) this.run.shift(frame, atom, shift);
      for (let axis = 0; axis < 3; axis += 1) array[index * 16 + 12 + axis] = point[axis] + shift[axis];
    });
    mesh.instanceMatrix.needsUpdate = true;
  }

  placeOutline(frame) {
    const { position } = this.outline.geometry.attributes;
    position.array.set(cellEdges(this.run.cell(frame)).flat());
    position.needsUpdate = true;
  }

  // What the camera should hold: the cell, and unwrapped atoms wherever they are.
  setBounds(frame, wrapped) {
    const points = cellEdges(this.run.cell(frame)).map((corner) => new Vector3(...corner));
    if (!wrapped) {
      for (const { instanceMatrix, count } of this.meshes) {
        for (let index = 0; index < count; index += 1) {
          points.push(new Vector3().fromArray(instanceMatrix.array, index * 16 + 12));
        }
      }
    }
    this.outline.userData.bounds = points;
  }

  setTheme(theme) {
    this.outline.material.color.set(theme.line);
  }
}

// Finds the atom under the pointer by ray against spheres; exact, and no slower than a mesh test for thousands.

import { Matrix3, Raycaster, Sphere, Vector2, Vector3 } from 'three';

export class Hover {
  constructor(stage, tell) {
    this.stage = stage;
    this.tell = tell;
    this.hidden = new Set();
    this.atoms = [];
    this.caster = new Raycaster();
    this.move = (event) => this.onMove(event);
    this.leave = () => this.tell(null);
    stage.canvas.addEventListener('pointermove', this.move);
    stage.canvas.addEventListener('pointerleave', this.leave);
  }

  setAtoms(scene, lattice, highlight) {
    this.toFractional = new Matrix3().set(...[0, 1, 2].flatMap((axis) => lattice.map((row) => row[axis]))).invert();
    this.atoms = scene.atoms.flatMap(({ element, sites, positions }) =>
      positions.map((position, index) => ({
        element,
        site: sites[index],
        label: highlight[sites[index]]?.label,
        sphere: new Sphere(
          new Vector3(...position),
          scene.elements[element].radius * (highlight[sites[index]]?.scale ?? 1),
        ),
      })),
    );
  }

  onMove(event) {
    if (event.buttons) {
      this.tell(null);
      return;
    }
    const frame = this.stage.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    this.caster.setFromCamera(
      new Vector2((x / frame.width) * 2 - 1, 1 - (y / frame.height) * 2),
      this.stage.camera,
    );
    const atom = this.nearest(this.caster.ray);
    this.tell(atom && { ...atom, fractional: this.fractional(atom.sphere.center) }, x, y);
  }

  nearest(ray) {
    let [found, closest] = [null, Infinity];
    const point = new Vector3();
    for (const atom of this.atoms) {
      if (this.hidden.has(atom.element) || !ray.intersectSphere(atom.sphere, point)) continue;
      const distance = point.distanceToSquared(ray.origin);
      if (distance < closest) [found, closest] = [atom, distance];
    }
    return found;
  }

  // Into [0, 1), with a hair's breadth below 1 counted as 0.
  fractional(position) {
    const inside = (value) => Math.abs(value - Math.floor(value + 5e-4));
    return position.clone().applyMatrix3(this.toFractional).toArray().map(inside);
  }

  dispose() {
    this.stage.canvas.removeEventListener('pointermove', this.move);
    this.stage.canvas.removeEventListener('pointerleave', this.leave);
  }
}

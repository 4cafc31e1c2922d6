// Thin round bars between two points, all of one mesh: bonds and trails.

import { CylinderGeometry, DynamicDrawUsage, InstancedMesh, Matrix4, MeshStandardMaterial, Quaternion, Vector3 } from 'three';

const UP = new Vector3(0, 1, 0);
const NOWHERE = new Matrix4().makeScale(0, 0, 0);

export class Bars {
  constructor(count, sides, look) {
    const material = new MeshStandardMaterial({ roughness: 0.38, ...look });
    this.mesh = new InstancedMesh(new CylinderGeometry(1, 1, 1, sides, 1, true), material, count);
    this.mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    this.mesh.frustumCulled = false;
    [this.matrix, this.turn, this.size, this.along] = [new Matrix4(), new Quaternion(), new Vector3(), new Vector3()];
  }

  // From `start` along the vector `along`, both angstrom.
  set(index, start, along, radius) {
    const length = along.length();
    if (length < 1e-6) {
      this.hide(index);
      return;
    }
    this.turn.setFromUnitVectors(UP, this.along.copy(along).divideScalar(length));
    start.addScaledVector(along, 0.5);
    this.mesh.setMatrixAt(index, this.matrix.compose(start, this.turn, this.size.set(radius, length, radius)));
  }

  hide(index) {
    this.mesh.setMatrixAt(index, NOWHERE);
  }

  done() {
    this.mesh.instanceMatrix.needsUpdate = true;
  }
}

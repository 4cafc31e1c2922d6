// The three.js side that knows nothing of crystals but their lattice: renderer, camera, light, trackball.

import {
  AmbientLight,
  Color,
  DirectionalLight,
  OrthographicCamera,
  Scene,
  Box3,
  Vector3,
  WebGLRenderer,
} from 'three';
import { TrackballControls } from 'three/examples/jsm/controls/TrackballControls.js';

const CAMERA_DISTANCE = 1000;
const SETTLE_MS = 900; // how long the trackball may coast after the pointer lets go
const PICTURE_PIXEL_RATIO = 3;
const KEY_TURN = Math.PI / 24;
const MARGIN_A = 0.75; // room for the spheres of the outermost atoms

export class Stage {
  constructor(host) {
    this.host = host;
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    this.canvas = this.renderer.domElement;
    this.canvas.tabIndex = 0;
    host.append(this.canvas);
    this.scene = new Scene();
    this.camera = new OrthographicCamera(-1, 1, 1, -1, 0, 2 * CAMERA_DISTANCE);
    this.addLights();
    this.controls = this.addControls();
    this.onRender = [];
    this.insets = () => ({ top: 0, bottom: 0 }); // pixels that buttons cover
    this.until = 0;
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(host);
  }

  addLights() {
    const key = new DirectionalLight('#ffffff', 2.2);
    key.position.set(-0.6, 0.9, 1);
    const fill = new DirectionalLight('#ffffff', 0.7);
    fill.position.set(1, -0.4, 0.6);
    this.camera.add(key, fill);
    this.scene.add(this.camera, new AmbientLight('#ffffff', 1.25));
  }

  // The wheel zooms only while the picture has the focus, so that scrolling the page past it scrolls the page.
  addControls() {
    const controls = new TrackballControls(this.camera, this.canvas);
    Object.assign(controls, { rotateSpeed: 3.2, zoomSpeed: 1, dynamicDampingFactor: 0.16, noZoom: true, keys: [] });
    controls.addEventListener('change', () => this.render());
    controls.addEventListener('start', () => this.animate(Infinity));
    controls.addEventListener('end', () => this.animate(SETTLE_MS));
    this.canvas.addEventListener('focus', () => (controls.noZoom = false));
    this.canvas.addEventListener('blur', () => (controls.noZoom = true));
    this.canvas.addEventListener('pointerdown', () => this.canvas.focus({ preventScroll: true }));
    this.canvas.addEventListener('pointerleave', () => this.canvas.matches(':focus-visible') || this.canvas.blur());
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    return controls;
  }

  // Frames are drawn while something moves and not otherwise: a still picture costs nothing.
  animate(milliseconds) {
    const idle = this.until < performance.now();
    this.until = performance.now() + milliseconds;
    if (idle) this.frame();
  }

  frame() {
    if (this.disposed || performance.now() > this.until) return;
    this.controls.update();
    requestAnimationFrame(() => this.frame());
  }

  show(group, lattice, repeat, { resetCamera }) {
    this.clear();
    this.group = group;
    this.lattice = lattice.map((row) => new Vector3(...row));
    this.scene.add(group);
    this.centre = this.lattice
      .reduce((sum, vector) => sum.add(vector), new Vector3())
      .multiplyScalar(repeat / 2);
    if (resetCamera) this.resetCamera();
  }

  // c points up and b to the right, turned a little so that no row of atoms hides another.
  resetCamera() {
    const [, b, c] = this.lattice;
    const up = c.clone().normalize();
    const towards = new Vector3().crossVectors(b, c).normalize();
    const right = new Vector3().crossVectors(up, towards);
    this.lookAlong(towards.addScaledVector(right, 0.28).addScaledVector(up, 0.2), up);
  }

  lookAlong(towards, up) {
    this.controls.target.copy(this.centre);
    this.camera.up.copy(up);
    this.camera.zoom = 1;
    this.camera.position.copy(this.centre).addScaledVector(towards.normalize(), CAMERA_DISTANCE);
    this.camera.lookAt(this.centre);
    this.fit();
    this.resize();
  }

  // Looks from the end of lattice vector 0, 1 or 2, its follower to the right.
  lookDown(axis) {
    const right = this.lattice[(axis + 1) % 3];
    const towards = this.lattice[axis].clone();
    this.lookAlong(towards, new Vector3().crossVectors(towards, right).normalize());
  }

  // Half height and half width of what is seen from here, so that the picture fills its frame.
  fit() {
    this.camera.updateMatrixWorld();
    const seen = new Box3();
    this.group.traverse((part) => {
      if (!part.userData.bounds) return;
      for (const point of part.userData.bounds) {
        seen.expandByPoint(point.clone().applyMatrix4(this.camera.matrixWorldInverse));
      }
    });
    this.half = {
      x: Math.max(-seen.min.x, seen.max.x) + MARGIN_A,
      y: Math.max(-seen.min.y, seen.max.y) + MARGIN_A,
    };
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height || !this.half) return;
    this.fillHost(width, height);
    const { top, bottom } = this.insets();
    const free = Math.max(height - top - bottom, 1);
    const scale = Math.max((2 * this.half.x) / width, (2 * this.half.y) / free); // angstrom per pixel
    Object.assign(this.camera, {
      left: (-scale * width) / 2,
      right: (scale * width) / 2,
      top: scale * (free / 2 + top),
      bottom: -scale * (free / 2 + bottom),
    });
    this.camera.updateProjectionMatrix();
    this.controls.handleResize();
    this.controls.update();
    this.render();
  }

  // A new size throws the drawing buffer away, so it is only set where it differs.
  fillHost(width, height) {
    const ratio = this.renderer.getPixelRatio();
    const isFilled = this.canvas.width === Math.floor(width * ratio) && this.canvas.height === Math.floor(height * ratio);
    if (!isFilled) this.renderer.setSize(width, height, false);
  }

  // Whatever asks for a picture within one frame gets the same one: without a graphics card each takes a while.
  render() {
    this.asked ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.asked = undefined;
    if (this.disposed) return;
    this.renderer.render(this.scene, this.camera);
    for (const listener of this.onRender) listener();
  }

  key(event) {
    const turns = {
      ArrowLeft: [0, 1],
      ArrowRight: [0, -1],
      ArrowUp: [1, 1],
      ArrowDown: [1, -1],
    };
    const turn = turns[event.key];
    if (turn) this.turn(...turn);
    else if (event.key === '+' || event.key === '=') this.zoom(1.15);
    else if (event.key === '-') this.zoom(1 / 1.15);
    else if (event.key === '0') this.resetCamera();
    else return;
    event.preventDefault();
  }

  turn(vertical, sign) {
    const up = this.camera.up.clone().normalize();
    const away = this.camera.position.clone().sub(this.centre);
    const axis = vertical ? new Vector3().crossVectors(up, away).normalize() : up;
    this.camera.position.sub(this.centre).applyAxisAngle(axis, sign * -KEY_TURN).add(this.centre);
    this.camera.up.applyAxisAngle(axis, sign * -KEY_TURN);
    this.controls.update();
    this.render();
  }

  zoom(factor) {
    this.camera.zoom *= factor;
    this.camera.updateProjectionMatrix();
    this.render();
  }

  picture(background) {
    const ratio = this.renderer.getPixelRatio();
    this.renderer.setPixelRatio(PICTURE_PIXEL_RATIO);
    this.scene.background = new Color(background);
    this.resize();
    this.paint();
    const done = new Promise((resolve) => this.canvas.toBlob(resolve, 'image/png'));
    this.scene.background = null;
    this.renderer.setPixelRatio(ratio);
    return done.finally(() => this.resize());
  }

  clear() {
    if (!this.group) return;
    this.scene.remove(this.group);
    this.group.traverse((part) => {
      part.geometry?.dispose();
      part.material?.dispose();
      part.dispose?.();
    });
  }

  dispose() {
    this.disposed = true;
    this.resizing.disconnect();
    this.controls.dispose();
    this.clear();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}

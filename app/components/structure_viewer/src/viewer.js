// One viewer: keeps what the visitor chose, and joins stage (3D), layers (meshes) and panel (buttons, legend).

import { Axes } from './axes.js';
import { buildLayers } from './layers.js';
import { Panel } from './panel.js';
import { Hover } from './hover.js';
import { decodePath } from './path.js';
import { Stage } from './stage.js';
import { atomCount, repeatScene } from './supercell.js';
import { readTheme } from './theme.js';

const MAX_DRAWN_ATOMS = 6000;
const REPEATS = [1, 2, 3];

export class Viewer {
  constructor(host) {
    this.host = host;
    this.version = null;
    this.stage = new Stage(host);
    this.axes = new Axes(host, this.stage);
    this.panel = new Panel(host, {
      onElement: (element) => this.toggleElement(element),
      onPolyhedra: () => this.cyclePolyhedra(),
      onBonds: () => this.toggle('bonds'),
      onCell: () => this.toggle('cell'),
      onPath: () => this.toggle('path'),
      onRepeat: () => this.cycleRepeat(),
      onReset: () => this.stage.resetCamera(),
      onSave: () => this.save(),
    });
    this.stage.insets = () => this.panel.insets();
    this.stage.onRender.push(() => (this.host.dataset.ready = 'true'));
    this.hover = new Hover(this.stage, (atom, x, y) => this.panel.showTooltip(atom, x, y));
  }

  update(data) {
    this.theme = readTheme(this.host);
    if (data.version === this.version) {
      this.draw();
      return;
    }
    this.version = data.version;
    const sameScene = JSON.stringify(data.scene) === JSON.stringify(this.scene);
    this.scene = data.scene;
    const hadPath = Boolean(this.path);
    this.path = data.path && decodePath(data.path);
    this.highlight = data.highlight ?? {};
    this.workingIon = data.working_ion;
    if (!sameScene) this.chosen = this.firstChoices();
    if (this.path && !(sameScene && hadPath)) this.chosen.polyhedra = 'none'; // they would stand before the path
    this.rebuild({ resetCamera: !sameScene });
    this.host.dataset.formula = data.scene.formula;
  }

  firstChoices() {
    return { hidden: new Set(), polyhedra: this.polyhedraModes()[0], bonds: true, cell: true, path: true, repeat: 1 };
  }

  // Meshes depend on scene, repeats and theme colours; what is hidden is only switched off.
  rebuild({ resetCamera = false } = {}) {
    this.drawn = repeatScene(this.scene, this.chosen.repeat);
    this.layers = buildLayers(this.drawn, {
      theme: this.theme,
      highlight: this.highlight,
      path: this.path,
      pathColor: this.pathColor(),
      repeat: this.chosen.repeat,
    });
    this.hover.setAtoms(this.drawn, this.scene.lattice, this.highlight);
    this.axes.setLattice(this.scene.lattice);
    this.draw();
    this.stage.show(this.layers.group, this.scene.lattice, this.chosen.repeat, { resetCamera });
  }

  draw() {
    const { hidden, bonds, cell, path, polyhedra } = this.chosen;
    this.hover.hidden = hidden;
    this.layers.setTheme(this.theme);
    this.layers.setVisible({
      hidden,
      bonds,
      cell,
      path,
      solid: (element) => polyhedra === 'all' || (polyhedra === 'framework' && element !== this.workingIon),
    });
    this.panel.render({
      scene: this.scene,
      chosen: this.chosen,
      repeats: this.repeats(),
      polyhedraModes: this.polyhedraModes(),
      path: this.path && { ion: this.workingIon, color: this.pathColor() },
    });
    this.host.dataset.atoms = String(atomCount(this.drawn));
    this.stage.render();
  }

  // The first is what is shown at first: the framework alone, so that the working ion's places are seen.
  polyhedraModes() {
    const elements = new Set(this.scene.polyhedra.map((solid) => solid.element));
    if (!elements.size) return ['none'];
    if (!elements.has(this.workingIon)) return ['all', 'none'];
    return elements.size > 1 ? ['framework', 'all', 'none'] : ['none', 'all'];
  }

  pathColor() {
    return this.scene.elements[this.workingIon]?.color ?? this.theme.line;
  }

  repeats() {
    const atoms = atomCount(this.scene);
    return REPEATS.filter((repeat) => repeat === 1 || atoms * repeat ** 3 <= MAX_DRAWN_ATOMS);
  }

  toggle(name) {
    this.chosen[name] = !this.chosen[name];
    this.draw();
  }

  toggleElement(element) {
    if (!this.chosen.hidden.delete(element)) this.chosen.hidden.add(element);
    this.draw();
  }

  cyclePolyhedra() {
    this.chosen.polyhedra = next(this.polyhedraModes(), this.chosen.polyhedra);
    this.draw();
  }

  cycleRepeat() {
    this.chosen.repeat = next(this.repeats(), this.chosen.repeat);
    this.rebuild({ resetCamera: true });
  }

  async save() {
    const picture = await this.stage.picture(this.theme.background);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(picture);
    link.download = `${this.scene.formula.replace(/[^A-Za-z0-9]+/g, '_')}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  dispose() {
    this.hover.dispose();
    this.axes.dispose();
    this.panel.dispose();
    this.stage.dispose();
  }
}

function next(choices, current) {
  return choices[(choices.indexOf(current) + 1) % choices.length];
}

// Buttons, legend, note and tooltip over the picture. All text goes in by textContent: formulas are data.

const POLYHEDRA = {
  framework: ['Polyhedra', 'Polyhedra of the framework; click for all'],
  all: ['All polyhedra', 'All polyhedra; click for none'],
  none: ['Polyhedra', 'No polyhedra; click to show them'],
};

export function showMessage(host, text) {
  host.replaceChildren(node('p', { class: 'message', role: 'alert' }, text));
}

export class Panel {
  constructor(host, actions) {
    this.actions = actions;
    this.host = host;
    this.legend = node('div', { class: 'legend', role: 'group', 'aria-label': 'Elements' });
    this.tools = node('div', { class: 'tools', role: 'toolbar', 'aria-label': 'View' });
    this.note = node('div', { class: 'note' });
    this.hint = node('div', { class: 'hint' }, 'drag to turn · click, then scroll to zoom');
    this.tooltip = node('div', { class: 'tooltip', role: 'status' });
    host.append(this.legend, this.tools, this.note, this.hint, this.tooltip);
  }

  render({ scene, chosen, repeats, polyhedraModes, path }) {
    const focused = this.host.getRootNode().activeElement?.dataset?.name;
    this.legend.replaceChildren(...Object.entries(scene.elements).map((entry) => this.chip(entry, chosen.hidden)));
    if (path) this.legend.append(this.pathChip(path, chosen.path));
    this.tools.replaceChildren(...this.buttons({ scene, chosen, repeats, polyhedraModes }));
    this.note.textContent = scene.note ?? '';
    this.host.querySelector(`[data-name="${focused}"]`)?.focus();
    const canvas = this.host.querySelector('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Crystal structure of ${scene.formula}: arrow keys turn, plus and minus zoom`);
  }

  chip([element, { color, count }], hidden) {
    const chip = chipOf({ element, color, count }, () => this.actions.onElement(element));
    chip.setAttribute('aria-pressed', String(!hidden.has(element)));
    return chip;
  }

  pathChip({ ion, color }, shown) {
    const chip = button(`Where ${ion} has been over the run: show or hide`, 'path', this.actions.onPath);
    chip.setAttribute('aria-pressed', String(shown));
    const cloud = node('span', { class: 'cloud' });
    cloud.style.setProperty('--ion', color);
    chip.append(cloud, `${ion} path`);
    return chip;
  }

  buttons({ scene, chosen, repeats, polyhedraModes }) {
    const { onPolyhedra, onBonds, onCell, onRepeat, onReset, onSave } = this.actions;
    const times = Array(3).fill(chosen.repeat).join('×');
    const list = [];
    if (polyhedraModes.length > 1) {
      const [label, title] = POLYHEDRA[chosen.polyhedra];
      list.push(labelled(label, 'polyhedra', onPolyhedra, chosen.polyhedra !== 'none', title));
    }
    if (scene.bonded) list.push(labelled('Bonds', 'bonds', onBonds, chosen.bonds));
    list.push(labelled('Cell', 'cell', onCell, chosen.cell));
    if (repeats.length > 1) list.push(labelled(times, 'repeat', onRepeat, chosen.repeat > 1, 'Repeat the cell'));
    list.push(labelled('Reset', 'reset', onReset, null, 'Reset the camera'));
    list.push(labelled('PNG', 'save', onSave, null, 'Save the picture as PNG'));
    return list;
  }

  // Pixels at top and bottom that buttons cover; the style sheet puts the tools below the picture where it is narrow.
  insets() {
    const gap = this.legend.offsetTop;
    const reach = { top: this.legend.offsetHeight + gap, bottom: gap };
    const toolsBelow = this.tools.offsetTop > this.host.clientHeight / 2;
    const side = toolsBelow ? 'bottom' : 'top';
    reach[side] = Math.max(reach[side], this.tools.offsetHeight + gap);
    return reach;
  }

  showTooltip(atom, x, y) {
    this.tooltip.hidden = !atom;
    if (!atom) return;
    const coordinates = atom.fractional.map((value) => value.toFixed(3)).join(', ');
    const lines = [`${atom.element}, site ${atom.site + 1}`, `(${coordinates})`];
    if (atom.label) lines.push(atom.label);
    this.tooltip.replaceChildren(...lines.map((line) => node('div', {}, line)));
    const left = Math.min(x + 14, this.host.clientWidth - this.tooltip.offsetWidth - 6);
    this.tooltip.style.left = `${left}px`;
    this.tooltip.style.top = `${Math.max(y - 14 - this.tooltip.offsetHeight, 6)}px`;
  }

  dispose() {
    for (const part of [this.legend, this.tools, this.note, this.hint, this.tooltip]) part.remove();
  }
}

// The legend's entry of an element, which is its switch as well.
export function chipOf({ element, color, count }, onClick) {
  const chip = button(`${element} × ${count} in the cell: show or hide`, `element-${element}`, onClick);
  chip.dataset.element = element;
  const dot = node('span', { class: 'dot' });
  dot.style.background = color;
  chip.append(dot, element, node('span', { class: 'count' }, String(count)));
  return chip;
}

export function node(tag, attributes, text) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(title, name, onClick) {
  const made = node('button', { type: 'button', title, 'data-name': name });
  made.addEventListener('click', onClick);
  return made;
}

export function labelled(label, name, onClick, pressed, title = label) {
  const made = button(title, name, onClick);
  made.textContent = label;
  if (pressed !== null) made.setAttribute('aria-pressed', String(pressed));
  return made;
}

// One player: keeps the time and what the visitor chose, and joins stage (3D), particles (meshes) and its panel.

import { Axes } from './axes.js';
import { Particles } from './particles.js';
import { PlayerPanel } from './player_panel.js';
import { Stage } from './stage.js';
import { readTheme } from './theme.js';

const WHOLE_RUN_S = 25; // how long the run takes to play at speed 1
const CATCH_UP_S = 1.2; // how long the picture takes to the newest frame of a run that has grown
const SPEEDS = [0.25, 0.5, 1, 2, 4];

export class Player {
  constructor(host) {
    this.host = host;
    this.stage = new Stage(host);
    this.axes = new Axes(host, this.stage);
    this.panel = new PlayerPanel(host, {
      onElement: (element) => this.toggleElement(element),
      onTrails: () => this.toggle('trails'),
      onCell: () => this.toggle('cell'),
      onWrap: () => this.toggleWrap(),
      onReset: () => this.resetCamera(),
      onPlay: () => this.playOrPause(),
      onSeek: (share) => this.seek(this.run.start_ps + share * this.run.length_ps),
      onSpeed: () => this.cycleSpeed(),
      onFollow: () => this.follow(),
    });
    this.stage.insets = () => this.panel.insets();
    this.stage.canvas.addEventListener('keydown', (event) => this.key(event));
    this.calm = window.matchMedia('(prefers-reduced-motion: reduce)');
    this.pace = null; // ps of the run per second of the clock while it moves
  }

  update(run) {
    this.theme = readTheme(this.host);
    const [same, grown] = [run.run === this.run?.run, run.version !== this.run?.version];
    if (!same) this.start(run);
    else if (grown || run.live !== this.run.live) this.goOn(run);
    this.particles.setTheme(this.theme);
    this.draw();
  }

  start(run) {
    this.run = run;
    this.chosen = { hidden: new Set(), wrapped: true, cell: true, trails: false, speed: 1 };
    this.pace = null;
    this.following = run.live;
    this.time = run.live ? run.end_ps : run.start_ps;
    this.particles = new Particles(run, this.theme);
    this.particles.place(this.frame, this.chosen);
    this.particles.setBounds(this.frame, true);
    this.axes.setLattice(run.cell(0));
    this.panel.begin(run);
    this.stage.show(this.particles.group, run.cell(0), 1, { resetCamera: true });
    this.host.dataset.ready = 'true';
  }

  // The same run with more frames: meshes, camera and choices stay.
  goOn(run) {
    this.run = run;
    this.particles.run = run;
    this.following &&= run.live;
    if (this.following) this.catchUp();
  }

  catchUp() {
    if (this.calm.matches) this.time = this.run.end_ps;
    else this.move(Math.max((this.run.end_ps - this.time) / CATCH_UP_S, this.usualPace));
  }

  get frame() {
    return this.run.frameAt(this.time);
  }

  get usualPace() {
    return (this.run.length_ps / WHOLE_RUN_S) * this.chosen.speed;
  }

  get playing() {
    return this.pace !== null && !this.following;
  }

  draw() {
    const { frame } = this;
    this.particles.place(frame, this.chosen);
    this.panel.render({ run: this.run, frame, chosen: this.chosen, playing: this.playing, ...this.state() });
    this.host.dataset.frame = String(frame);
    this.host.dataset.frames = String(this.run.n_frames);
    this.stage.render();
  }

  state() {
    return { following: this.following, pace: this.usualPace };
  }

  move(pace) {
    const resting = this.pace === null;
    this.pace = pace;
    if (!resting) return;
    this.clock = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    if (this.disposed || this.pace === null) return;
    const before = this.frame;
    this.time += (this.pace * Math.max(now - this.clock, 0)) / 1000;
    this.clock = now;
    if (this.time >= this.run.end_ps) this.arrive();
    if (this.frame !== before || this.pace === null) this.draw();
    requestAnimationFrame((later) => this.tick(later));
  }

  // Whoever plays a growing run to its end is at the newest frame, and stays there.
  arrive() {
    this.time = this.run.end_ps;
    this.pace = null;
    this.following = this.run.live;
  }

  playOrPause() {
    if (this.playing) this.pace = null;
    else {
      if (this.time >= this.run.end_ps) this.time = this.run.start_ps;
      this.following = false;
      this.move(this.usualPace);
    }
    this.draw();
  }

  seek(time) {
    this.following = false;
    this.pace = null;
    this.time = time;
    this.draw();
  }

  follow() {
    this.following = true;
    this.catchUp();
    this.draw();
  }

  cycleSpeed() {
    this.chosen.speed = SPEEDS[(SPEEDS.indexOf(this.chosen.speed) + 1) % SPEEDS.length];
    if (this.playing) this.pace = this.usualPace;
    this.draw();
  }

  toggle(name) {
    this.chosen[name] = !this.chosen[name];
    this.draw();
  }

  toggleElement(element) {
    if (!this.chosen.hidden.delete(element)) this.chosen.hidden.add(element);
    this.draw();
  }

  toggleWrap() {
    this.toggle('wrapped');
    this.particles.setBounds(this.frame, this.chosen.wrapped);
    this.stage.fit();
    this.stage.resize();
  }

  resetCamera() {
    this.particles.setBounds(this.frame, this.chosen.wrapped);
    this.stage.resetCamera();
  }

  key(event) {
    if (event.key !== ' ') return;
    this.playOrPause();
    event.preventDefault();
  }

  dispose() {
    this.disposed = true;
    this.axes.dispose();
    this.panel.dispose();
    this.stage.dispose();
  }
}

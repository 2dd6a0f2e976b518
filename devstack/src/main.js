#!/usr/bin/env node
// Entry point: options, start, announcement, end.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `lumora-devstack: a local Solana on 127.0.0.1 (LiteSVM behind Solana's JSON-RPC)

Usage: lumora-devstack --state <folder> [options]

  --state <folder>          keeps genesis, journal and snapshots (made when missing)
  --port <n>                HTTP and WebSocket port; WebSocket is also on n+1 (default 8899; 0 takes free ones)
  --slot-ms <n>             length of a slot in milliseconds, 5 to 60000 (default 400)
  --finality-slots <n>      slots until a block is finalized, 2 to 150 (default 32)
  --parent-pipe             end when standard input closes, and leave Ctrl-C to the parent
  --help                    show this text

When it serves it prints one line of JSON: {"event":"ready","port":…,"genesisHash":…,"pid":…}.
The same facts stand in <folder>/devstack.json. Exit codes: 0 stopped, 1 failed, 2 wrong options.`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      state: { type: 'string' }, port: { type: 'string', default: '8899' },
      'slot-ms': { type: 'string', default: '400' }, 'finality-slots': { type: 'string', default: '32' },
      'parent-pipe': { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { help: true };
  if (!values.state) throw new Error('--state <folder> is required');
  return {
    state: resolve(values.state), port: number('port', values.port, 0, 65_534),
    slotMs: number('slot-ms', values['slot-ms'], 5, 60_000),
    finalitySlots: number('finality-slots', values['finality-slots'], 2, 150), parentPipe: values['parent-pipe'],
  };
}

function number(name, text, min, max) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) throw new Error(`--${name} is a number, ${min} to ${max}`);
  return value;
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n\n${HELP}`);
  process.exit(2);
}
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

// Loaded only now, so that --help answers at once and without the packages.
const [{ Chain }, { Server }, { StateFolder }] = await Promise.all([
  import('./chain.js'), import('./server.js'), import('./state.js'),
]);

try {
  const state = new StateFolder(options.state);
  const chain = await Chain.open(state, { ...options, log: (text) => console.error(text) });
  const server = new Server(chain);
  const port = await server.listen(options.port);
  chain.start();

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.close();
    chain.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  if (options.parentPipe) {
    process.on('SIGINT', () => {});
    process.on('SIGHUP', () => {});
    process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
  } else {
    process.on('SIGINT', stop);
  }
  const facts = { event: 'ready', port, webSocketPort: port + 1, genesisHash: chain.genesisHash, pid: process.pid };
  state.announce(facts);
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  console.log(JSON.stringify(facts));
} catch (error) {
  console.error(`devstack: ${error.message}`);
  process.exit(1);
}

// What survives kill -9: a state folder with genesis, journal, slot reservation and snapshots of the finalized machine.
import {
  closeSync, existsSync, fdatasyncSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, readdirSync,
  renameSync, rmSync, unlinkSync, writeFileSync, writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from './json.js';

/** Slots promised ahead with one write, so that no slot number is used twice after a crash. */
const SLOTS_RESERVED = 64;

export class StateFolder {
  #journal;
  #reserved = 0;

  constructor(path) {
    this.path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    this.#lock();
    this.genesis = this.#openGenesis();
    const slots = this.#readJson('slots.json');
    this.#reserved = slots?.reserved ?? 0;
    this.firstSlot = this.#reserved + 1;
  }

  /** Reads all journal records; a torn last line (never answered) is cut off, anything else damaged is refused. */
  readJournal() {
    const file = join(this.path, 'journal.ndjson');
    const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    const records = [];
    let offset = 0;
    while (offset < bytes.length) {
      const end = bytes.indexOf(10, offset);
      if (end < 0) break;
      try {
        records.push(JSON.parse(bytes.subarray(offset, end).toString('utf8')));
      } catch {
        throw new Error(`journal.ndjson is damaged at byte ${offset}; restore or remove ${this.path}`);
      }
      offset = end + 1;
    }
    this.#journal = openSync(file, 'a', 0o600);
    if (offset < bytes.length) ftruncateSync(this.#journal, offset);
    return records;
  }

  /** Appends one record and returns once it is on disk. */
  append(record) {
    const line = Buffer.from(`${stringify(record)}\n`);
    let written = 0;
    while (written < line.length) written += writeSync(this.#journal, line, written);
    fdatasyncSync(this.#journal);
  }

  /** Makes sure that `slot` is below the promise on disk. */
  reserve(slot) {
    if (slot < this.#reserved) return;
    this.#reserved = slot + SLOTS_RESERVED;
    this.#writeFile('slots.json', JSON.stringify({ reserved: this.#reserved }));
  }

  /** Keeps the newest snapshot: the finalized machine after its first `count` transactions. */
  saveSnapshot(count, bytes) {
    this.#writeFile(`finalized-${count}.svm`, bytes);
    for (const old of this.#snapshots().filter((snapshot) => snapshot.count !== count))
      unlinkSync(join(this.path, old.name));
  }

  loadSnapshot() {
    const newest = this.#snapshots().at(-1);
    return newest && { count: newest.count, bytes: readFileSync(join(this.path, newest.name)) };
  }

  close() {
    if (this.#journal !== undefined) closeSync(this.#journal);
    rmSync(join(this.path, 'lock'), { force: true });
  }

  /** Writes the file that tells others where this process listens. */
  announce(facts) {
    this.#writeFile('devstack.json', JSON.stringify(facts));
  }

  #snapshots() {
    return readdirSync(this.path)
      .map((name) => ({ name, count: Number(/^finalized-(\d+)\.svm$/.exec(name)?.[1] ?? NaN) }))
      .filter((snapshot) => !Number.isNaN(snapshot.count))
      .sort((a, b) => a.count - b.count);
  }

  #openGenesis() {
    const known = this.#readJson('genesis.json');
    if (known) return known;
    const genesis = { version: 1, seed: randomBytes(32).toString('hex'), createdAt: Math.floor(Date.now() / 1000) };
    this.#writeFile('genesis.json', JSON.stringify(genesis));
    return genesis;
  }

  #readJson(name) {
    const file = join(this.path, name);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  }

  /** Temporary name, fsync, rename, fsync of the folder: the file is whole or absent. */
  #writeFile(name, content) {
    const temporary = join(this.path, `${name}.tmp`);
    const file = openSync(temporary, 'w', 0o600);
    writeFileSync(file, content);
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, join(this.path, name));
    const folder = openSync(this.path, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  #lock() {
    const file = join(this.path, 'lock');
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const handle = openSync(file, 'wx', 0o600);
        writeSync(handle, String(process.pid));
        closeSync(handle);
        return;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
        const pid = Number(readFileSync(file, 'utf8'));
        if (isOurs(pid)) throw new Error(`another devstack (process ${pid}) uses ${this.path}`);
        rmSync(file, { force: true });
      }
    }
    throw new Error(`cannot lock ${this.path}`);
  }
}

/** True when the process lives and, where the system tells, is a devstack (process ids are used again). */
function isOurs(pid) {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes('devstack');
}

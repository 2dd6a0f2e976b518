// The chain: slots by timer, blockhashes, three commitments served by three machines, history and the journal.
import { EventEmitter } from 'node:events';
import { createKeyPairSignerFromPrivateKeyBytes } from '@solana/kit';
import { describeError, landsInBlock } from './errors.js';
import { History } from './history.js';
import { RpcError } from './json.js';
import { Machine } from './machine.js';
import { fromBase58, parseTransaction, sha256, signaturesVerify, toBase58 } from './wire.js';

/** Blocks for which a blockhash stays valid (MAX_PROCESSING_AGE). */
export const BLOCKHASH_AGE_MAX = 150;
/** Finalized transactions between two snapshots. */
const SNAPSHOT_EVERY = 1000;
const SYSTEM_PROGRAM = '11111111111111111111111111111111';

/** A machine that stands a fixed number of slots behind the tip. */
class Lane {
  constructor(name, lag, machine, applied) {
    Object.assign(this, { name, lag, machine, applied });
  }
}

/** Events: `slot`, `transaction` (lane, entry), `reorg`. */
export class Chain extends EventEmitter {
  #state;
  #forks = [];
  #hashes = new Map();
  #timer;

  static async open(state, { slotMs, finalitySlots, snapshotEvery = SNAPSHOT_EVERY, log = () => {} }) {
    const chain = new Chain();
    chain.setMaxListeners(0);
    chain.#state = state;
    chain.slotMs = slotMs;
    chain.snapshotEvery = snapshotEvery;
    const seed = Buffer.from(state.genesis.seed, 'hex');
    chain.seed = seed;
    chain.genesisHash = toBase58(sha256('lumora devstack genesis', seed));
    chain.identity = toBase58(sha256('lumora devstack identity', seed));
    chain.faucet = await createKeyPairSignerFromPrivateKeyBytes(sha256('lumora devstack faucet', seed));
    chain.history = new History();
    chain.#restore(finalitySlots, log);
    return chain;
  }

  /** The open slot; its block is closed by the next tick. */
  slot = 0;
  /** Unix times of recent slots. */
  times = new Map();

  start() {
    this.#timer = setInterval(() => this.tick(), this.slotMs);
  }

  stop() {
    clearInterval(this.#timer);
    this.#state.close();
  }

  /** Closes the open slot and moves every lane on. */
  tick() {
    this.#open(this.slot + 1);
    for (const lane of this.lanes) this.#follow(lane);
    this.emit('slot', this.slot);
  }

  lane(commitment = 'finalized') {
    const name = { recent: 'processed', single: 'confirmed', root: 'finalized', max: 'finalized' }[commitment];
    const lane = this.lanes.find((candidate) => candidate.name === (name ?? commitment));
    if (!lane) throw new RpcError(-32602, `Invalid params: unknown commitment ${commitment}`);
    return lane;
  }

  /** The newest slot that a commitment shows. */
  slotOf(lane) {
    return Math.max(this.slot - lane.lag, 0);
  }

  blockhash(slot) {
    const fork = this.#forks.filter((from) => from <= slot).length;
    return toBase58(sha256(this.seed, `block ${fork} ${slot}`));
  }

  /** Slot of a blockhash that is still young enough, else undefined. */
  slotOfBlockhash(blockhash) {
    const slot = this.#hashes.get(blockhash);
    return slot !== undefined && this.slot - slot <= BLOCKHASH_AGE_MAX ? slot : undefined;
  }

  /** Accepts a transaction as sendTransaction does; returns its entry, or null when it is silently lost. */
  send(raw, { skipPreflight = false } = {}) {
    const transaction = parseTransaction(raw);
    if (!signaturesVerify(transaction)) throw new RpcError(-32003, 'Transaction signature verification failure');
    const error = this.#check(transaction);
    if (error) {
      if (!skipPreflight) throw preflightFailure(error, {});
      return null;
    }
    if (!skipPreflight) {
      const simulated = this.lanes[0].machine.simulate(transaction);
      if (simulated.err) throw preflightFailure(simulated.err, simulated);
    }
    return this.#execute(transaction);
  }

  /** Why a transaction could not enter the open slot, or null. */
  #check(transaction) {
    if (this.history.get(transaction.signature)) return 'AlreadyProcessed';
    if (this.slotOfBlockhash(transaction.blockhash) === undefined && !this.#usesNonce(transaction))
      return 'BlockhashNotFound';
    return null;
  }

  checkForSimulation(transaction) {
    return this.#check(transaction);
  }

  /** Durable nonce: first instruction AdvanceNonceAccount, the stored nonce is the transaction's lifetime. */
  #usesNonce({ message, keys, blockhash }) {
    const first = message.instructions[0];
    if (!first || keys[first.programAddressIndex] !== SYSTEM_PROGRAM) return false;
    if (Buffer.from(first.data ?? []).toString('hex') !== '04000000') return false;
    const nonce = this.lanes[0].machine.account(keys[first.accountIndices[0]]);
    return nonce?.data.length === 80 && toBase58(nonce.data.subarray(40, 72)) === blockhash;
  }

  #execute(transaction) {
    const [processed] = this.lanes;
    const time = this.times.get(this.slot);
    processed.machine.enter(this.slot, time);
    const meta = processed.machine.execute(transaction);
    if (!landsInBlock(meta.err)) return null;
    const entry = { slot: this.slot, time, transaction, meta };
    this.#state.append({
      kind: 'transaction', slot: entry.slot, time, raw: Buffer.from(transaction.raw).toString('base64'), meta,
    });
    this.history.add(entry);
    processed.applied = this.history.entries.length;
    this.emit('transaction', processed, entry);
    return entry;
  }

  /** Drops the blocks of the last `slots` slots that are not finalized yet; their transactions are gone. */
  reorg(slots) {
    const oldest = this.lanes[2].applied < this.history.entries.length
      ? this.history.entries[this.lanes[2].applied].slot : this.slot;
    const from = Math.max(this.slot - slots + 1, this.slotOf(this.lanes[2]) + 1, Math.min(oldest, this.slot));
    this.#state.append({ kind: 'reorg', from });
    const dropped = this.#drop(from);
    const finalized = this.lanes[2];
    for (const lane of this.lanes.slice(0, 2)) {
      lane.machine = Machine.fromBytes(finalized.machine.toBytes());
      lane.applied = finalized.applied;
      this.#follow(lane, false);
    }
    this.#rehash();
    this.emit('reorg', from);
    return { from, dropped: dropped.map((entry) => entry.transaction.signature) };
  }

  #drop(from) {
    this.#forks.push(from);
    return this.history.dropFrom(from);
  }

  #follow(lane, notify = true) {
    const { entries } = this.history;
    while (lane.applied < entries.length && entries[lane.applied].slot <= this.slotOf(lane)) {
      const entry = entries[lane.applied++];
      lane.machine.enter(entry.slot, entry.time);
      lane.machine.execute(entry.transaction);
      if (notify) this.emit('transaction', lane, entry);
      if (lane.name === 'finalized' && lane.applied % this.snapshotEvery === 0)
        this.#state.saveSnapshot(lane.applied, lane.machine.toBytes());
    }
  }

  #open(slot) {
    this.#state.reserve(slot);
    this.slot = slot;
    const previous = this.times.get(slot - 1) ?? 0;
    this.times.set(slot, Math.max(previous, Math.floor(Date.now() / 1000)));
    this.times.delete(slot - 10_000);
    this.#hashes.set(this.blockhash(slot), slot);
    this.#hashes.delete(this.blockhash(slot - 2 * BLOCKHASH_AGE_MAX));
  }

  #rehash() {
    this.#hashes.clear();
    for (let slot = Math.max(this.slot - 2 * BLOCKHASH_AGE_MAX, 0); slot <= this.slot; slot++)
      this.#hashes.set(this.blockhash(slot), slot);
  }

  #restore(finalitySlots, log) {
    for (const record of this.#state.readJournal()) {
      if (record.kind === 'reorg') this.#drop(record.from);
      else this.history.add({
        slot: record.slot, time: record.time, meta: record.meta,
        transaction: parseTransaction(new Uint8Array(Buffer.from(record.raw, 'base64'))),
      });
    }
    const { entries } = this.history;
    const snapshot = this.#state.loadSnapshot();
    const count = snapshot?.count ?? 0;
    if (count > entries.length) throw new Error(`snapshot of ${count} transactions is ahead of the journal`);
    const base = snapshot?.bytes ?? Machine.genesis(this.faucet.address).toBytes();
    this.lanes = [['processed', 0], ['confirmed', 1], ['finalized', finalitySlots]]
      .map(([name, lag]) => new Lane(name, lag, Machine.fromBytes(new Uint8Array(base)), count));
    this.#open(Math.max(this.#state.firstSlot, (entries.at(-1)?.slot ?? 0) + 1));
    this.#rehash();
    for (const lane of this.lanes) this.#follow(lane, false);
    log(`restored ${entries.length} transactions (${entries.length - count} replayed), slot ${this.slot}`);
  }
}

function preflightFailure(err, simulated) {
  return new RpcError(-32002, `Transaction simulation failed: ${describeError(err)}`, {
    accounts: null, err, innerInstructions: null, logs: simulated.logs ?? [],
    returnData: simulated.returnData ?? null, unitsConsumed: Number(simulated.computeUnitsConsumed ?? 0),
    loadedAccountsDataSize: 0, replacementBlockhash: null,
  });
}

/** True for text that decodes to 64 bytes, the length of a signature. */
export function isSignature(text) {
  try {
    return typeof text === 'string' && fromBase58(text).length === 64;
  } catch {
    return false;
  }
}

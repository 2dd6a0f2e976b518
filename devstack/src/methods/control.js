// Methods that no real cluster has: status and ordered faults.
import { BLOCKHASH_AGE_MAX } from '../chain.js';
import { invalidParams } from '../json.js';

const SLOTS_MAX = 10_000;

export const controlMethods = (chain, { faults }) => ({
  devstackStatus: () => ({
    pid: process.pid, genesisHash: chain.genesisHash, slot: chain.slot, slotMs: chain.slotMs,
    transactions: chain.history.entries.length, faults: faults.pending,
  }),

  /** Moves time on: `{ slots }`. */
  devstackAdvance: ([options]) => {
    const slots = options?.slots ?? 1;
    if (!Number.isInteger(slots) || slots < 1 || slots > SLOTS_MAX) throw invalidParams(`slots is 1 to ${SLOTS_MAX}`);
    for (let index = 0; index < slots; index++) chain.tick();
    return chain.slot;
  },

  /** Orders a fault, see README: `{ kind, method, count, ms, code, message, status, slots }`. */
  devstackFault: ([order]) => {
    switch (order?.kind) {
      case 'clear':
        faults.clear();
        return null;
      case 'expire':
        for (let index = 0; index <= BLOCKHASH_AGE_MAX; index++) chain.tick();
        return chain.slot;
      case 'reorg':
        return chain.reorg(order.slots ?? 1);
      default:
        faults.add(order);
        return null;
    }
  },
});

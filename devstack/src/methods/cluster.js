// Methods about the cluster, its slots and blocks.
import { BLOCKHASH_AGE_MAX } from '../chain.js';
import { RpcError, invalidParams } from '../json.js';
import { blockToJson } from '../present.js';

const SLOTS_PER_EPOCH = 432_000;
const BLOCKS_MAX = 500_000;

export const clusterMethods = (chain, { context, laneOf }) => ({
  getHealth: () => 'ok',
  getVersion: () => ({ 'solana-core': '3.0.0', 'feature-set': 0 }),
  getGenesisHash: () => chain.genesisHash,
  getIdentity: () => ({ identity: chain.identity }),
  getSlot: ([config]) => chain.slotOf(laneOf(config)),
  getBlockHeight: ([config]) => chain.slotOf(laneOf(config)),
  getFirstAvailableBlock: () => 0,
  minimumLedgerSlot: () => 0,
  getTransactionCount: ([config]) => laneOf(config).applied,

  getEpochInfo: ([config]) => {
    const slot = chain.slotOf(laneOf(config));
    return {
      absoluteSlot: slot, blockHeight: slot, epoch: Math.floor(slot / SLOTS_PER_EPOCH),
      slotIndex: slot % SLOTS_PER_EPOCH, slotsInEpoch: SLOTS_PER_EPOCH, transactionCount: laneOf(config).applied,
    };
  },

  getLatestBlockhash: ([config]) => {
    const lane = laneOf(config);
    const slot = chain.slotOf(lane);
    return context(lane, { blockhash: chain.blockhash(slot), lastValidBlockHeight: slot + BLOCKHASH_AGE_MAX });
  },

  isBlockhashValid: ([blockhash, config]) => {
    const lane = laneOf(config);
    const slot = chain.slotOfBlockhash(blockhash);
    return context(lane, slot !== undefined && slot <= chain.slotOf(lane));
  },

  getRecentPrioritizationFees: () => {
    const newest = chain.slot;
    return Array.from({ length: Math.min(BLOCKHASH_AGE_MAX, newest) }, (_, index) => ({
      slot: newest - index, prioritizationFee: 0,
    })).reverse();
  },

  getBlockTime: ([slot]) => {
    requireSlot(slot);
    const time = timeOf(chain, slot);
    if (slot > chain.slotOf(chain.lane('confirmed')))
      throw new RpcError(-32004, `Block not available for slot ${slot}`);
    return time;
  },

  getBlocks: ([start, endOrConfig, config]) => {
    requireSlot(start);
    const lane = laneOf(typeof endOrConfig === 'object' && endOrConfig ? endOrConfig : config);
    const end = Math.min(typeof endOrConfig === 'number' ? endOrConfig : Infinity, chain.slotOf(lane));
    if (end - start > BLOCKS_MAX) throw invalidParams(`slot range too large; max ${BLOCKS_MAX}`);
    return end < start ? [] : Array.from({ length: end - start + 1 }, (_, index) => start + index);
  },

  getBlock: ([slot, config]) => {
    requireSlot(slot);
    const lane = laneOf(config);
    if (lane.name === 'processed') throw invalidParams('method does not support commitment below `confirmed`');
    if (slot > chain.slotOf(lane)) throw new RpcError(-32004, `Block not available for slot ${slot}`);
    return blockToJson(chain, slot, timeOf(chain, slot), config ?? {});
  },
});

function requireSlot(slot) {
  if (!Number.isSafeInteger(slot) || slot < 0) throw invalidParams('a slot number is expected');
}

/** Exact for recent slots and for slots with transactions, else null (the block was empty and long ago). */
function timeOf(chain, slot) {
  return chain.times.get(slot) ?? chain.history.inSlot(slot)[0]?.time ?? null;
}

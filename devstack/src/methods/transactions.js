// Methods that send, simulate and find transactions.
import {
  address, appendTransactionMessageInstructions, createTransactionMessage, getTransactionEncoder, lamports, pipe,
  setTransactionMessageFeePayerSigner, setTransactionMessageLifetimeUsingBlockhash, signTransactionMessageWithSigners,
} from '@solana/kit';
import { BLOCKHASH_AGE_MAX, isSignature } from '../chain.js';
import { RpcError, invalidParams } from '../json.js';
import { accountToJson, memoOf, transactionToJson } from '../present.js';
import { decodeParam, parseAddress, parseTransaction, signaturesVerify } from '../wire.js';

const SIGNATURES_MAX = 256;
const PAGE_MAX = 1000;
/** Slots for which statuses are known without searchTransactionHistory. */
const STATUS_CACHE_SLOTS = 300;
const AIRDROP_LAMPORTS_MAX = 1_000_000_000_000;
const SYSTEM = address('11111111111111111111111111111111');
const MEMO = address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr');

export const transactionMethods = (chain, { context, laneOf, faults }) => ({
  sendTransaction: async ([text, config]) => {
    const raw = decodeParam(text, config?.encoding ?? 'base58');
    const transaction = parseTransaction(raw);
    const fault = faults.take('sendTransaction');
    if (fault?.kind === 'drop') return transaction.signature;
    const options = { skipPreflight: config?.skipPreflight === true };
    // Handed over twice, as by a proxy that tries again: the second answer is the one that comes back.
    if (faults.take('sendTransaction', 'duplicate')) chain.send(raw, options);
    chain.send(raw, options);
    return transaction.signature;
  },

  simulateTransaction: ([text, config]) => {
    const transaction = parseTransaction(decodeParam(text, config?.encoding ?? 'base58'));
    if (config?.sigVerify && !signaturesVerify(transaction))
      throw new RpcError(-32003, 'Transaction signature verification failure');
    const lane = laneOf({ commitment: 'processed', ...config });
    const refused = config?.replaceRecentBlockhash ? null : chain.checkForSimulation(transaction);
    const result = refused ? { err: refused, logs: [], accounts: new Map() } : lane.machine.simulate(transaction);
    return context(lane, {
      err: result.err, logs: result.logs, returnData: result.returnData ?? null,
      unitsConsumed: result.computeUnitsConsumed ?? 0, loadedAccountsDataSize: 0,
      innerInstructions: config?.innerInstructions ? result.innerInstructions ?? [] : null,
      accounts: simulatedAccounts(lane, result, config?.accounts),
      replacementBlockhash: config?.replaceRecentBlockhash
        ? { blockhash: chain.blockhash(chain.slot), lastValidBlockHeight: chain.slot + BLOCKHASH_AGE_MAX } : null,
    });
  },

  getSignatureStatuses: ([signatures, config]) => {
    if (!Array.isArray(signatures) || signatures.length > SIGNATURES_MAX)
      throw invalidParams(`too many inputs provided; max ${SIGNATURES_MAX}`);
    for (const signature of signatures) requireSignature(signature);
    return context(chain.lane('processed'), signatures.map((signature) => statusOf(chain, signature, config)));
  },

  getTransaction: ([signature, config]) => {
    requireSignature(signature);
    const lane = laneOf(typeof config === 'string' ? {} : config);
    if (lane.name === 'processed') throw invalidParams('method does not support commitment below `confirmed`');
    const entry = chain.history.get(signature);
    return entry && entry.slot <= chain.slotOf(lane) ? transactionToJson(entry, config) : null;
  },

  getSignaturesForAddress: ([account, config]) => {
    parseAddress(account);
    const lane = laneOf(config);
    if (lane.name === 'processed') throw invalidParams('method does not support commitment below `confirmed`');
    const limit = config?.limit ?? PAGE_MAX;
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX)
      throw invalidParams(`invalid limit; max ${PAGE_MAX}`);
    const page = pageOf(chain, lane, account, config ?? {}, limit);
    return faults.take('getSignaturesForAddress', 'duplicate') ? page.flatMap((row) => [row, row]) : page;
  },

  getFeeForMessage: ([text, config]) => {
    const message = decodeParam(text, 'base64');
    const lane = laneOf(config);
    const versioned = (message[0] & 0x80) !== 0;
    return context(lane, 5000 * message[versioned ? 1 : 0]);
  },

  requestAirdrop: async ([recipient, amount]) => {
    parseAddress(recipient);
    if (!Number.isSafeInteger(amount) || amount < 1 || amount > AIRDROP_LAMPORTS_MAX)
      throw invalidParams(`airdrops are 1 to ${AIRDROP_LAMPORTS_MAX} lamports`);
    const raw = await airdrop(chain, recipient, amount);
    chain.send(raw);
    return parseTransaction(raw).signature;
  },
});

let airdrops = 0;

/** An ordinary transfer from the genesis faucet; the memo keeps two equal airdrops apart. */
async function airdrop(chain, recipient, amount) {
  const data = new Uint8Array(12);
  new DataView(data.buffer).setUint32(0, 2, true);
  new DataView(data.buffer).setBigUint64(4, BigInt(amount), true);
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(chain.faucet, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash({
      blockhash: chain.blockhash(chain.slot), lastValidBlockHeight: lamports(BigInt(chain.slot + BLOCKHASH_AGE_MAX)),
    }, m),
    (m) => appendTransactionMessageInstructions([
      { programAddress: MEMO, data: new TextEncoder().encode(`airdrop ${process.pid} ${++airdrops}`) },
      {
        programAddress: SYSTEM, data,
        accounts: [{ address: chain.faucet.address, role: 3 }, { address: address(recipient), role: 1 }],
      },
    ], m));
  return new Uint8Array(getTransactionEncoder().encode(await signTransactionMessageWithSigners(message)));
}

function requireSignature(text) {
  if (!isSignature(text)) throw invalidParams('Invalid signature');
}

function statusOf(chain, signature, config) {
  const entry = chain.history.get(signature);
  if (!entry) return null;
  const depth = chain.slot - entry.slot;
  if (depth > STATUS_CACHE_SLOTS && config?.searchTransactionHistory !== true) return null;
  const { err } = entry.meta;
  const [, confirmed, finalized] = chain.lanes;
  const confirmationStatus = depth >= finalized.lag ? 'finalized' : depth >= confirmed.lag ? 'confirmed' : 'processed';
  return {
    slot: entry.slot, confirmations: confirmationStatus === 'finalized' ? null : depth,
    err, status: err ? { Err: err } : { Ok: null }, confirmationStatus,
  };
}

function pageOf(chain, lane, account, { before, until }, limit) {
  const newest = chain.slotOf(lane);
  const entries = chain.history.of(account);
  const rows = [];
  let skipping = before !== undefined && chain.history.get(before) !== undefined;
  for (let index = entries.length - 1; index >= 0 && rows.length < limit; index--) {
    const { slot, time, transaction, meta } = entries[index];
    if (transaction.signature === until) break;
    if (skipping) {
      skipping = transaction.signature !== before;
      continue;
    }
    if (slot > newest) continue;
    rows.push({
      signature: transaction.signature, slot, err: meta.err, memo: memoOf(transaction), blockTime: time,
      confirmationStatus: statusOf(chain, transaction.signature, { searchTransactionHistory: true }).confirmationStatus,
    });
  }
  return rows;
}

function simulatedAccounts(lane, result, wanted) {
  if (!wanted) return null;
  return wanted.addresses.map((key) => {
    const account = result.accounts.get(parseAddress(key)) ?? lane.machine.account(key);
    return accountToJson(account, { encoding: wanted.encoding ?? 'base64' }, (mint) => lane.machine.account(mint));
  });
}

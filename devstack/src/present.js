// Transactions, blocks and accounts in the RPC's encodings.
import { RpcError, invalidParams } from './json.js';
import { parseTokenData } from './token.js';
import { isWritable, messageToJson, toBase58 } from './wire.js';

const MEMO_PROGRAMS = new Set([
  'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr', 'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo',
]);

const configOf = (value) => (typeof value === 'string' ? { encoding: value } : value ?? {});

/** Answer of getTransaction for an entry of the history. */
export function transactionToJson(entry, value) {
  const config = configOf(value);
  return {
    slot: entry.slot,
    blockTime: entry.time,
    ...encodeTransaction(entry, config.encoding ?? 'json', config.maxSupportedTransactionVersion),
  };
}

function encodeTransaction({ transaction, meta }, encoding, versionMax) {
  if (transaction.version !== 'legacy' && versionMax === undefined)
    throw new RpcError(-32015,
      `Transaction version (${transaction.version}) is not supported by the requesting client. `
      + 'Please try the request again with the following configuration parameter: "maxSupportedTransactionVersion": 0');
  return {
    transaction: encodeBody(transaction, encoding),
    meta: metaToJson(meta),
    ...(versionMax === undefined ? {} : { version: transaction.version }),
  };
}

function encodeBody(transaction, encoding) {
  const signatures = transaction.signatures.map(toBase58);
  switch (encoding) {
    case 'json': return { signatures, message: messageToJson(transaction) };
    case 'jsonParsed': return { signatures, message: parsedMessage(transaction) };
    case 'base64': return [Buffer.from(transaction.raw).toString('base64'), 'base64'];
    case 'base58': return [toBase58(transaction.raw), 'base58'];
    default: throw invalidParams(`unknown encoding ${encoding}`);
  }
}

function parsedMessage(transaction) {
  const { message, keys } = transaction;
  return {
    accountKeys: keys.map((pubkey, index) => ({
      pubkey, signer: index < message.header.numSignerAccounts, writable: isWritable(transaction, index),
      source: 'transaction',
    })),
    recentBlockhash: message.lifetimeToken,
    instructions: message.instructions.map((instruction) => parsedInstruction(instruction, keys)),
    ...(message.version === 'legacy' ? {} : { addressTableLookups: [] }),
  };
}

function parsedInstruction(instruction, keys) {
  const programId = keys[instruction.programAddressIndex];
  const data = instruction.data ?? new Uint8Array();
  if (MEMO_PROGRAMS.has(programId))
    return { program: 'spl-memo', programId, parsed: Buffer.from(data).toString('utf8'), stackHeight: 1 };
  return {
    programId, accounts: (instruction.accountIndices ?? []).map((index) => keys[index]), data: toBase58(data),
    stackHeight: 1,
  };
}

function metaToJson(meta) {
  return {
    err: meta.err, status: meta.err ? { Err: meta.err } : { Ok: null }, fee: meta.fee,
    preBalances: meta.preBalances, postBalances: meta.postBalances,
    innerInstructions: meta.innerInstructions, logMessages: meta.logs,
    preTokenBalances: meta.preTokenBalances, postTokenBalances: meta.postTokenBalances,
    rewards: [], loadedAddresses: { readonly: [], writable: [] },
    ...(meta.returnData ? { returnData: meta.returnData } : {}),
    computeUnitsConsumed: meta.computeUnitsConsumed,
  };
}

/** The memo text as getSignaturesForAddress lists it: `[length] text`, several joined with `; `. */
export function memoOf({ message, keys }) {
  const memos = message.instructions
    .filter((instruction) => MEMO_PROGRAMS.has(keys[instruction.programAddressIndex]))
    .map((instruction) => `[${instruction.data?.length ?? 0}] ${Buffer.from(instruction.data ?? []).toString('utf8')}`);
  return memos.length === 0 ? null : memos.join('; ');
}

/** Answer of getBlock. */
export function blockToJson(chain, slot, time, config) {
  const entries = chain.history.inSlot(slot);
  const details = config.transactionDetails ?? 'full';
  return {
    blockhash: chain.blockhash(slot),
    previousBlockhash: chain.blockhash(Math.max(slot - 1, 0)),
    parentSlot: Math.max(slot - 1, 0),
    blockHeight: slot,
    blockTime: time,
    ...(details === 'signatures' ? { signatures: entries.map((entry) => entry.transaction.signature) } : {}),
    ...(details === 'full' || details === 'accounts' ? {
      transactions: entries.map((entry) => encodeTransaction(
        entry, config.encoding ?? 'json', config.maxSupportedTransactionVersion)),
    } : {}),
    ...(config.rewards === false ? {} : { rewards: [] }),
  };
}

/** An account as getAccountInfo answers it. */
export function accountToJson(account, config, mintOf) {
  return account && {
    data: encodeData(account, config ?? {}, mintOf),
    executable: account.executable,
    lamports: account.lamports,
    owner: account.programAddress,
    rentEpoch: 18446744073709551615n,
    space: account.data.length,
  };
}

function encodeData(account, { encoding = 'base58', dataSlice }, mintOf) {
  const data = dataSlice
    ? account.data.subarray(dataSlice.offset, dataSlice.offset + dataSlice.length) : account.data;
  switch (encoding) {
    case 'jsonParsed': {
      const parsed = parseTokenData(account, mintOf);
      return parsed ?? [Buffer.from(data).toString('base64'), 'base64'];
    }
    case 'base64': return [Buffer.from(data).toString('base64'), 'base64'];
    case 'base58':
      if (data.length > 128)
        throw new RpcError(-32600, 'Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.');
      return [toBase58(data), 'base58'];
    default: throw invalidParams(`unsupported encoding ${encoding}`);
  }
}

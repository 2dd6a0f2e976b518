// Reading of transactions: the envelope by @solana/kit's codecs, our own view of what a block explorer shows.
import {
  getBase58Decoder, getBase58Encoder, getCompiledTransactionMessageDecoder, getTransactionDecoder,
} from '@solana/kit';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { invalidParams } from './json.js';

/** IPv6 MTU less headers: Solana's limit for a serialized transaction. */
export const TRANSACTION_BYTES_MAX = 1232;

const base58Encoder = getBase58Encoder();
const base58Decoder = getBase58Decoder();
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

export const toBase58 = (bytes) => base58Decoder.decode(bytes);
export const fromBase58 = (text) => new Uint8Array(base58Encoder.encode(text));
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** A 32-byte base58 address, or an RPC error that says which parameter was wrong. */
export function parseAddress(text, what = 'address') {
  try {
    if (typeof text === 'string' && fromBase58(text).length === 32) return text;
  } catch { /* reported below */ }
  throw invalidParams(`${what} is no base58 public key`);
}

/** Decodes a base58 or base64 parameter. */
export function decodeParam(text, encoding) {
  if (typeof text !== 'string') throw invalidParams('a string is expected');
  try {
    return encoding === 'base64' ? new Uint8Array(Buffer.from(text, 'base64')) : fromBase58(text);
  } catch {
    throw invalidParams(`invalid ${encoding} encoding`);
  }
}

/** Parses raw transaction bytes. */
export function parseTransaction(raw) {
  if (raw.length > TRANSACTION_BYTES_MAX)
    throw invalidParams(`transaction too large: ${raw.length} bytes (max: ${TRANSACTION_BYTES_MAX} bytes)`);
  try {
    const envelope = getTransactionDecoder().decode(raw);
    const message = getCompiledTransactionMessageDecoder().decode(envelope.messageBytes);
    const signatures = Object.values(envelope.signatures);
    return {
      raw, envelope, message,
      messageBytes: envelope.messageBytes,
      signatures: signatures.map((bytes) => bytes ?? new Uint8Array(64)),
      signature: toBase58(signatures[0] ?? new Uint8Array(64)),
      keys: message.staticAccounts,
      blockhash: message.lifetimeToken,
      version: message.version,
    };
  } catch (error) {
    throw invalidParams(`failed to deserialize transaction: ${error.message}`);
  }
}

/** True when every required signature verifies. */
export function signaturesVerify(transaction) {
  return transaction.signatures.every((signature, index) => {
    const key = createPublicKey({
      key: Buffer.concat([SPKI_ED25519, fromBase58(transaction.keys[index])]), format: 'der', type: 'spki',
    });
    return verify(null, transaction.messageBytes, key, signature);
  });
}

/** Whether the static account at `index` is writable (header rule of the message format). */
export function isWritable({ message }, index) {
  const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = message.header;
  return index < numSignerAccounts
    ? index < numSignerAccounts - numReadonlySignerAccounts
    : index < message.staticAccounts.length - numReadonlyNonSignerAccounts;
}

/** The message in the RPC's `json` encoding. */
export function messageToJson({ message, keys }) {
  return {
    header: {
      numRequiredSignatures: message.header.numSignerAccounts,
      numReadonlySignedAccounts: message.header.numReadonlySignerAccounts,
      numReadonlyUnsignedAccounts: message.header.numReadonlyNonSignerAccounts,
    },
    accountKeys: keys,
    recentBlockhash: message.lifetimeToken,
    instructions: message.instructions.map((instruction) => ({
      programIdIndex: instruction.programAddressIndex,
      accounts: [...(instruction.accountIndices ?? [])],
      data: toBase58(instruction.data ?? new Uint8Array()),
      stackHeight: 1,
    })),
    ...(message.version === 'legacy' ? {} : {
      addressTableLookups: (message.addressTableLookups ?? []).map((lookup) => ({
        accountKey: lookup.lookupTableAddress,
        writableIndexes: [...lookup.writableIndexes],
        readonlyIndexes: [...lookup.readonlyIndexes],
      })),
    }),
  };
}

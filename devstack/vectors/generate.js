// Writes the wire vectors that Lumora.Chain's client is tested against, made by @solana/kit and the official program
// clients: `npm run vectors`. Keys are derived from names, so that the output is the same each time.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AccountRole, appendTransactionMessageInstructions, createKeyPairSignerFromPrivateKeyBytes, createTransactionMessage,
  getBase58Decoder, getTransactionEncoder, isWritableRole, isSignerRole, pipe, setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash, signTransactionMessageWithSigners,
} from '@solana/kit';
import { getSetComputeUnitLimitInstruction, getSetComputeUnitPriceInstruction } from '@solana-program/compute-budget';
import { getAddMemoInstruction } from '@solana-program/memo';
import {
  getAdvanceNonceAccountInstruction, getCreateAccountInstruction, getInitializeNonceAccountInstruction,
  getTransferSolInstruction,
} from '@solana-program/system';
import {
  TOKEN_PROGRAM_ADDRESS, findAssociatedTokenPda, getApproveInstruction, getCreateAssociatedTokenIdempotentInstruction,
  getCreateAssociatedTokenInstruction, getInitializeMint2Instruction, getMintToInstruction,
  getTransferCheckedInstruction, getTransferInstruction,
} from '@solana-program/token';

const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr';
const output = fileURLToPath(new URL(
  '../../tests/Lumora.Chain.Tests/Solana/vectors/transactions.json', import.meta.url));

const seedOf = (name) => createHash('sha256').update(`lumora vector ${name}`).digest();
const signer = (name) => createKeyPairSignerFromPrivateKeyBytes(seedOf(name));
const hex = (bytes) => Buffer.from(bytes).toString('hex');

const names = ['payer', 'mint', 'authority', 'alice', 'bob', 'nonce'];
const keys = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await signer(name)])));
const { payer, mint, authority, alice, bob, nonce } = keys;
const ataOf = async (owner) => (await findAssociatedTokenPda({
  owner: owner.address, mint: mint.address, tokenProgram: TOKEN_PROGRAM_ADDRESS,
}))[0];
const [source, destination] = [await ataOf(alice), await ataOf(bob)];
const checkpoint = 'lumora.invalid/vectors/main\n1234567\nx7AzlmhvrAUfKJKS9CK5Ru1C1LuKnFZVYaxVUjUWVJQ=\n';

const instructions = {
  transfer: getTransferSolInstruction({ source: payer, destination: bob.address, amount: 1_000_000_007n }),
  createAccount: getCreateAccountInstruction({
    payer, newAccount: mint, lamports: 1_461_600n, space: 82n, programAddress: TOKEN_PROGRAM_ADDRESS,
  }),
  advanceNonce: getAdvanceNonceAccountInstruction({ nonceAccount: nonce.address, nonceAuthority: authority }),
  initializeNonce: getInitializeNonceAccountInstruction({
    nonceAccount: nonce.address, nonceAuthority: authority.address,
  }),
  memo: getAddMemoInstruction({ memo: checkpoint }, { programAddress: MEMO }),
  signedMemo: getAddMemoInstruction({ memo: 'signed: ünïcödé', signers: [payer, authority] }, { programAddress: MEMO }),
  initializeMint: getInitializeMint2Instruction({
    mint: mint.address, decimals: 9, mintAuthority: authority.address,
  }),
  initializeMintWithFreeze: getInitializeMint2Instruction({
    mint: mint.address, decimals: 6, mintAuthority: authority.address, freezeAuthority: bob.address,
  }),
  mintTo: getMintToInstruction({
    mint: mint.address, token: source, mintAuthority: authority, amount: 18_446_744_073_709_551_615n,
  }),
  tokenTransfer: getTransferInstruction({ source, destination, authority: alice, amount: 5n }),
  transferChecked: getTransferCheckedInstruction({
    source, mint: mint.address, destination, authority: alice, amount: 1_250_000_000n, decimals: 9,
  }),
  approve: getApproveInstruction({ source, delegate: bob.address, owner: alice, amount: 77n }),
  createAta: getCreateAssociatedTokenInstruction({ payer, ata: source, owner: alice.address, mint: mint.address }),
  createAtaIdempotent: getCreateAssociatedTokenIdempotentInstruction({
    payer, ata: destination, owner: bob.address, mint: mint.address,
  }),
  computeUnitLimit: getSetComputeUnitLimitInstruction({ units: 30_000 }),
  computeUnitPrice: getSetComputeUnitPriceInstruction({ microLamports: 12_345n }),
};

const transactions = {
  transfer: ['transfer'],
  anchor: ['computeUnitLimit', 'computeUnitPrice', 'memo'],
  'signed memo': ['signedMemo'],
  'mint creation': ['createAccount', 'initializeMint', 'createAta', 'mintTo'],
  'token payment': ['createAtaIdempotent', 'transferChecked', 'memo'],
  'durable nonce': ['advanceNonce', 'transfer', 'signedMemo'],
  'everything at once': ['computeUnitLimit', 'transfer', 'approve', 'transferChecked', 'signedMemo', 'mintTo'],
};

function describe({ programAddress, accounts = [], data = new Uint8Array() }) {
  return {
    program: programAddress,
    accounts: accounts.map(({ address, role }) => ({
      address, signer: isSignerRole(role ?? AccountRole.READONLY), writable: isWritableRole(role ?? AccountRole.READONLY),
    })),
    data: hex(data),
  };
}

async function sign(version, list, name) {
  const blockhash = getBase58Decoder().decode(seedOf(`blockhash ${name}`));
  const message = pipe(
    createTransactionMessage({ version }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash({ blockhash, lastValidBlockHeight: 1n }, m),
    (m) => appendTransactionMessageInstructions(list.map((key) => instructions[key]), m));
  const transaction = await signTransactionMessageWithSigners(message);
  const wire = getTransactionEncoder().encode(transaction);
  return {
    name, version: String(version), blockhash, instructions: list, message: hex(transaction.messageBytes),
    wire: Buffer.from(wire).toString('base64'),
    signature: getBase58Decoder().decode(transaction.signatures[payer.address]),
  };
}

const vectors = {
  about: 'Made by devstack/vectors/generate.js with @solana/kit 8.4.0; do not edit.',
  checkpoint,
  keys: Object.fromEntries(names.map((name) => [name, { seed: hex(seedOf(name)), address: keys[name].address }])),
  instructions: Object.fromEntries(Object.entries(instructions).map(([name, value]) => [name, describe(value)])),
  transactions: await Promise.all(Object.entries(transactions).flatMap(([name, list]) =>
    ['legacy', 0].map((version) => sign(version, list, name)))),
  associatedTokenAccounts: await Promise.all(Array.from({ length: 16 }, async (_, index) => {
    const [owner, minted] = [await signer(`owner ${index}`), await signer(`minted ${index}`)];
    const [account, bump] = await findAssociatedTokenPda({
      owner: owner.address, mint: minted.address, tokenProgram: TOKEN_PROGRAM_ADDRESS,
    });
    return { owner: owner.address, mint: minted.address, account, bump };
  })),
};

mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, `${JSON.stringify(vectors, null, 2)}\n`);
console.log(`wrote ${output}`);

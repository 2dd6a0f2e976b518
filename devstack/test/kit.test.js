import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  airdropFactory, appendTransactionMessageInstructions, createSolanaRpc, createSolanaRpcSubscriptions,
  createTransactionMessage, generateKeyPairSigner, getSignatureFromTransaction, lamports, pipe,
  sendAndConfirmTransactionFactory, setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash, signTransactionMessageWithSigners,
} from '@solana/kit';
import { getAddMemoInstruction } from '@solana-program/memo';
import { getCreateAccountInstruction, getTransferSolInstruction } from '@solana-program/system';
import {
  TOKEN_PROGRAM_ADDRESS, findAssociatedTokenPda, getCreateAssociatedTokenIdempotentInstruction,
  getInitializeMint2Instruction, getMintSize, getMintToInstruction, getTransferCheckedInstruction,
} from '@solana-program/token';
import { startDevstack } from './devstack.js';

const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr';

let devstack, rpc, rpcSubscriptions, sendAndConfirm, payer;

before(async () => {
  devstack = await startDevstack();
  rpc = createSolanaRpc(devstack.http);
  rpcSubscriptions = createSolanaRpcSubscriptions(devstack.webSocket);
  sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
  payer = await generateKeyPairSigner();
  await airdropFactory({ rpc, rpcSubscriptions })({
    recipientAddress: payer.address, lamports: lamports(2_000_000_000n), commitment: 'confirmed',
  });
});

after(() => devstack.remove());

async function send(instructions, commitment = 'confirmed') {
  const { value: lifetime } = await rpc.getLatestBlockhash().send();
  const transaction = await signTransactionMessageWithSigners(pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m)));
  await sendAndConfirm(transaction, { commitment });
  return getSignatureFromTransaction(transaction);
}

test('an airdrop is a transaction that confirms', async () => {
  const { value } = await rpc.getBalance(payer.address, { commitment: 'confirmed' }).send();
  assert.equal(value, 2_000_000_000n);
});

test('a memo is sent, finalized and read back by instruction data', async () => {
  const signature = await send([getAddMemoInstruction({ memo: 'lumora checkpoint' }, { programAddress: MEMO })], 'finalized');
  const found = await rpc.getTransaction(signature, {
    encoding: 'json', maxSupportedTransactionVersion: 0, commitment: 'finalized',
  }).send();
  assert.equal(found.meta.err, null);
  assert.equal(found.version, 0);
  assert.equal(found.transaction.message.instructions.length, 1);
  const [row] = await rpc.getSignaturesForAddress(payer.address, { limit: 1 }).send();
  assert.equal(row.signature, signature);
  assert.equal(row.memo, '[17] lumora checkpoint');
});

test('SPL tokens are minted and transferred, and balances follow', async () => {
  const mint = await generateKeyPairSigner();
  const recipient = await generateKeyPairSigner();
  const space = BigInt(getMintSize());
  const rent = await rpc.getMinimumBalanceForRentExemption(space).send();
  const [source] = await findAssociatedTokenPda({
    mint: mint.address, owner: payer.address, tokenProgram: TOKEN_PROGRAM_ADDRESS,
  });
  const [target] = await findAssociatedTokenPda({
    mint: mint.address, owner: recipient.address, tokenProgram: TOKEN_PROGRAM_ADDRESS,
  });
  await send([
    getCreateAccountInstruction({
      payer, newAccount: mint, lamports: rent, space, programAddress: TOKEN_PROGRAM_ADDRESS,
    }),
    getInitializeMint2Instruction({ mint: mint.address, decimals: 9, mintAuthority: payer.address }),
    getCreateAssociatedTokenIdempotentInstruction({ payer, ata: source, owner: payer.address, mint: mint.address }),
    getMintToInstruction({ mint: mint.address, token: source, mintAuthority: payer, amount: 5_000_000_000n }),
  ]);
  await send([
    getCreateAssociatedTokenIdempotentInstruction({ payer, ata: target, owner: recipient.address, mint: mint.address }),
    getTransferCheckedInstruction({
      source, mint: mint.address, destination: target, authority: payer, amount: 1_250_000_000n, decimals: 9,
    }),
  ]);
  const balance = await rpc.getTokenAccountBalance(target, { commitment: 'confirmed' }).send();
  assert.equal(balance.value.uiAmountString, '1.25');
  const owned = await rpc.getTokenAccountsByOwner(
    recipient.address, { mint: mint.address }, { encoding: 'jsonParsed', commitment: 'confirmed' }).send();
  assert.equal(owned.value[0].account.data.parsed.info.tokenAmount.amount, '1250000000');
});

test('a transfer without funds is refused before it lands, with logs', async () => {
  const poor = await generateKeyPairSigner();
  await assert.rejects(
    send([getTransferSolInstruction({ source: payer, destination: poor.address, amount: 10n ** 15n })]),
    (error) => /simulation failed|custom program error|Transaction/i.test(error.message));
});

test('account and log notifications arrive', async () => {
  const watched = await generateKeyPairSigner();
  const abort = new AbortController();
  const accounts = await rpcSubscriptions.accountNotifications(watched.address, { commitment: 'confirmed' })
    .subscribe({ abortSignal: abort.signal });
  const logs = await rpcSubscriptions.logsNotifications({ mentions: [watched.address] }, { commitment: 'confirmed' })
    .subscribe({ abortSignal: abort.signal });
  const slots = await rpcSubscriptions.slotNotifications().subscribe({ abortSignal: abort.signal });
  const firstAccount = accounts[Symbol.asyncIterator]().next();
  const firstLog = logs[Symbol.asyncIterator]().next();
  const signature = await send([
    getTransferSolInstruction({ source: payer, destination: watched.address, amount: 1_000_000n })]);
  assert.equal((await firstAccount).value.value.lamports, 1_000_000n);
  assert.equal((await firstLog).value.value.signature, signature);
  assert.ok((await slots[Symbol.asyncIterator]().next()).value.slot > 0n);
  abort.abort();
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Connection, Keypair, LAMPORTS_PER_SOL, NONCE_ACCOUNT_LENGTH, NonceAccount, PublicKey, SystemProgram, Transaction,
  TransactionInstruction, sendAndConfirmTransaction,
} from '@solana/web3.js';
import { startDevstack } from './devstack.js';

let devstack, connection, payer;

before(async () => {
  devstack = await startDevstack();
  connection = new Connection(devstack.http, 'confirmed');
  payer = Keypair.generate();
  const signature = await connection.requestAirdrop(payer.publicKey, 3 * LAMPORTS_PER_SOL);
  await connection.confirmTransaction({ signature, ...await connection.getLatestBlockhash() });
});

after(() => devstack.remove());

test('a legacy transaction with a memo confirms through the socket on the next port', async () => {
  const recipient = Keypair.generate().publicKey;
  const signature = await sendAndConfirmTransaction(connection, new Transaction().add(
    SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: recipient, lamports: LAMPORTS_PER_SOL }),
    new TransactionInstruction({
      programId: new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'), keys: [], data: Buffer.from('hello'),
    })), [payer]);
  assert.equal(await connection.getBalance(recipient), LAMPORTS_PER_SOL);
  const parsed = await connection.getParsedTransaction(signature);
  assert.equal(parsed.transaction.message.instructions[1].parsed, 'hello');
  const transaction = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 });
  const block = await connection.getBlock(transaction.slot, { maxSupportedTransactionVersion: 0 });
  assert.deepEqual(block.transactions.map((entry) => entry.transaction.signatures[0]), [signature]);
});

test('a durable nonce outlives blockhashes and is used up once', async () => {
  const nonce = Keypair.generate();
  await sendAndConfirmTransaction(connection, new Transaction().add(SystemProgram.createNonceAccount({
    fromPubkey: payer.publicKey, noncePubkey: nonce.publicKey, authorizedPubkey: payer.publicKey,
    lamports: await connection.getMinimumBalanceForRentExemption(NONCE_ACCOUNT_LENGTH),
  })), [payer, nonce]);
  const stored = NonceAccount.fromAccountData((await connection.getAccountInfo(nonce.publicKey)).data);
  await devstack.call('devstackFault', { kind: 'expire' });
  const recipient = Keypair.generate().publicKey;
  const transaction = new Transaction({ feePayer: payer.publicKey, recentBlockhash: stored.nonce }).add(
    SystemProgram.nonceAdvance({ noncePubkey: nonce.publicKey, authorizedPubkey: payer.publicKey }),
    SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: recipient, lamports: LAMPORTS_PER_SOL }));
  transaction.sign(payer);
  await connection.sendRawTransaction(transaction.serialize());
  const later = NonceAccount.fromAccountData((await connection.getAccountInfo(nonce.publicKey, 'processed')).data);
  assert.notEqual(later.nonce, stored.nonce);
  await assert.rejects(connection.sendRawTransaction(transaction.serialize()), /already been processed/);
});

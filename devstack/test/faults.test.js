import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Connection, Keypair, SystemProgram, Transaction } from '@solana/web3.js';
import { startDevstack, until } from './devstack.js';

let devstack, connection, payer;

before(async () => {
  devstack = await startDevstack({ finalitySlots: 100 });
  connection = new Connection(devstack.http, 'confirmed');
  payer = Keypair.generate();
  await devstack.call('requestAirdrop', payer.publicKey.toBase58(), 1_000_000_000);
  await devstack.call('devstackAdvance', { slots: 101 });
});

after(() => devstack.remove());

async function transfer(amount) {
  const { blockhash } = await connection.getLatestBlockhash('confirmed');
  const transaction = new Transaction({ feePayer: payer.publicKey, recentBlockhash: blockhash })
    .add(SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: payer.publicKey, lamports: amount }));
  transaction.sign(payer);
  return transaction.serialize();
}

const status = async (signature) => (await devstack.call('getSignatureStatuses', [signature])).value[0];

test('a dropped transaction is answered and never seen', async () => {
  await devstack.call('devstackFault', { kind: 'drop', method: 'sendTransaction' });
  const raw = await transfer(1);
  const signature = await connection.sendRawTransaction(raw);
  await devstack.call('devstackAdvance', { slots: 2 });
  assert.equal(await status(signature), null);
  assert.equal(await connection.sendRawTransaction(raw), signature);
  assert.ok(await status(signature));
});

test('a transaction that is handed over twice lands once and is answered as processed already', async () => {
  const raw = await transfer(5);
  await devstack.call('devstackFault', { kind: 'duplicate', method: 'sendTransaction' });
  await assert.rejects(connection.sendRawTransaction(raw), /already been processed/);
  const { transactions } = await devstack.call('devstackStatus');
  await assert.rejects(connection.sendRawTransaction(raw), /already been processed/);
  assert.equal((await devstack.call('devstackStatus')).transactions, transactions);
});

test('an expired blockhash is refused', async () => {
  const raw = await transfer(2);
  await devstack.call('devstackFault', { kind: 'expire' });
  await assert.rejects(connection.sendRawTransaction(raw), /Blockhash not found/);
});

test('an ordered error and a delay reach the next call only', async () => {
  await devstack.call('devstackFault', { kind: 'error', method: 'getSlot', code: -32005, message: 'behind' });
  await assert.rejects(devstack.call('getSlot'), { code: -32005, message: 'behind' });
  await devstack.call('devstackFault', { kind: 'delay', method: 'getSlot', ms: 150 });
  const started = performance.now();
  await devstack.call('getSlot');
  assert.ok(performance.now() - started >= 140);
  await devstack.call('getSlot');
});

test('a reorg before finality takes a transaction back, which can be sent again', async () => {
  const raw = await transfer(3);
  const signature = await connection.sendRawTransaction(raw);
  await until(async () => (await status(signature))?.confirmationStatus === 'confirmed');
  const { dropped } = await devstack.call('devstackFault', { kind: 'reorg', slots: 50 });
  assert.ok(dropped.includes(signature));
  assert.equal(await status(signature), null);
  await devstack.call('devstackAdvance', { slots: 1 });
  const again = await connection.sendRawTransaction(await transfer(4));
  assert.ok(await status(again));
});

test('other faults are refused with a message', async () => {
  await assert.rejects(devstack.call('devstackFault', { kind: 'earthquake' }), /kind is one of/);
  await assert.rejects(devstack.call('noSuchMethod'), { code: -32601 });
});

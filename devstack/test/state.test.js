import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDevstack, temporaryFolder, until } from './devstack.js';

const recipient = 'AqaKyHyrXVhKZDDPkFGoVQHvMD1nJPWnnnwmcrqyL8Dk';
const finalized = (devstack, signature) => until(async () =>
  (await devstack.call('getSignatureStatuses', [signature])).value[0]?.confirmationStatus === 'finalized');

test('genesis, history and balances survive kill -9, and slots never go back', async () => {
  const first = await startDevstack();
  const early = await first.call('requestAirdrop', recipient, 1_000_000_000);
  await finalized(first, early);
  const late = await first.call('requestAirdrop', recipient, 500_000_000);
  const slot = await first.call('getSlot', { commitment: 'processed' });
  const { value: { blockhash } } = await first.call('getLatestBlockhash', { commitment: 'processed' });
  await first.kill();

  const second = await startDevstack({ folder: first.folder });
  assert.equal(second.genesisHash, first.genesisHash);
  assert.ok(await second.call('getSlot', { commitment: 'processed' }) > slot);
  assert.equal((await second.call('isBlockhashValid', blockhash, { commitment: 'processed' })).value, true);
  await finalized(second, late);
  assert.equal((await second.call('getBalance', recipient)).value, 1_500_000_000);
  const rows = await second.call('getSignaturesForAddress', recipient);
  assert.deepEqual(rows.map((row) => row.signature), [late, early]);
  await second.remove();
});

test('a torn last line is dropped and a damaged one is refused', async () => {
  const first = await startDevstack();
  await first.call('requestAirdrop', recipient, 1_000_000_000);
  await first.kill();
  const journal = join(first.folder, 'journal.ndjson');
  appendFileSync(journal, '{"kind":"transaction","slot":');
  const second = await startDevstack({ folder: first.folder });
  assert.equal((await second.call('devstackStatus')).transactions, 1);
  await second.kill();
  writeFileSync(journal, 'nonsense\n');
  await assert.rejects(startDevstack({ folder: first.folder }), /damaged at byte 0/);
});

test('a second devstack on the same folder is refused, and a closed parent pipe ends the first', async () => {
  const folder = temporaryFolder();
  const first = await startDevstack({ folder });
  await assert.rejects(startDevstack({ folder }), /another devstack/);
  first.child.stdin.end();
  await first.exited;
  assert.equal(first.child.exitCode, 0);
});

test('state is rebuilt from a snapshot and the journal after it', async () => {
  const { StateFolder } = await import('../src/state.js');
  const { Chain } = await import('../src/chain.js');
  const folder = temporaryFolder();
  const options = { slotMs: 1000, finalitySlots: 4, snapshotEvery: 20 };
  const open = async () => Chain.open(new StateFolder(folder), options);
  const chain = await open();
  const { allMethods } = await import('../src/methods/index.js');
  const { Faults } = await import('../src/faults.js');
  const methods = allMethods(chain, new Faults());
  for (let index = 0; index < 43; index++) {
    if (index % 10 === 0) chain.tick();
    await methods.requestAirdrop([recipient, 1_000_000]);
  }
  for (let index = 0; index < 5; index++) chain.tick();
  const account = (lane) => lane.machine.account(recipient).lamports;
  assert.deepEqual(chain.lanes.map(account), [43_000_000n, 43_000_000n, 43_000_000n]);
  chain.stop();
  let said = '';
  const again = await Chain.open(new StateFolder(folder), { ...options, log: (text) => { said = text; } });
  assert.match(said, /restored 43 transactions \(3 replayed\)/);
  again.tick();
  assert.equal(account(again.lanes[0]), 43_000_000n);
  again.stop();
});

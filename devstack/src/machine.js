// One LiteSVM: the real Solana virtual machine with the real SPL programs. Given the same transactions at the same
// slots and times, every machine reaches the same state; that is what journal and lagging commitment rest on.
import { Clock, FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { errorToJson } from './errors.js';
import { toBase58 } from './wire.js';
import { tokenBalance } from './token.js';

/** 5 million SOL: every balance stays exact as a JSON number. */
const FAUCET_LAMPORTS = 5_000_000n * 1_000_000_000n;
const SYSTEM_PROGRAM = '11111111111111111111111111111111';

export class Machine {
  #svm;
  #slot;

  constructor(svm) {
    // Blockhash age and duplicates are the chain's business (it has blocks; LiteSVM has none).
    this.#svm = svm.withBlockhashCheck(false).withTransactionHistory(0n);
    this.#slot = Number(svm.getClock().slot);
  }

  /** A new machine whose only wealth is the airdrop account's. */
  static genesis(faucetAddress) {
    const machine = new Machine(new LiteSVM());
    machine.#svm.setAccount({
      address: faucetAddress, lamports: FAUCET_LAMPORTS, data: new Uint8Array(),
      executable: false, programAddress: SYSTEM_PROGRAM, space: 0n,
    });
    return machine;
  }

  static fromBytes(bytes) {
    return new Machine(LiteSVM.fromBytes(bytes));
  }

  toBytes() {
    return this.#svm.toBytes();
  }

  /** Moves the clock; a fresh LiteSVM blockhash for each slot with transactions keeps durable nonces moving. */
  enter(slot, time) {
    if (slot === this.#slot) return;
    this.#slot = slot;
    const clock = this.#svm.getClock();
    this.#svm.setClock(new Clock(
      BigInt(slot), clock.epochStartTimestamp, BigInt(Math.floor(slot / 432_000)), clock.leaderScheduleEpoch,
      BigInt(time)));
    this.#svm.expireBlockhash();
  }

  /** Executes a transaction and returns the `meta` that history keeps. */
  execute(transaction) {
    const before = this.#balances(transaction.keys);
    const outcome = this.#svm.sendTransaction(transaction.envelope);
    const after = this.#balances(transaction.keys);
    return {
      ...readOutcome(outcome),
      fee: 5000 * transaction.signatures.length,
      preBalances: before.lamports, postBalances: after.lamports,
      preTokenBalances: before.tokens, postTokenBalances: after.tokens,
    };
  }

  /** Runs a transaction without keeping its effects. */
  simulate(transaction, { sigVerify = false } = {}) {
    this.#svm.withSigverify(sigVerify);
    try {
      const outcome = this.#svm.simulateTransaction(transaction.envelope);
      const result = readOutcome(outcome instanceof FailedTransactionMetadata ? outcome : outcome.meta(), outcome);
      const accounts = outcome instanceof FailedTransactionMetadata ? [] : outcome.postAccounts();
      return { ...result, accounts: new Map(accounts.map((account) => [account.address, account])) };
    } finally {
      this.#svm.withSigverify(true);
    }
  }

  /** The account, or null where there is none. */
  account(address) {
    const account = this.#svm.getAccount(address);
    return account.exists && (account.lamports > 0n || account.data.length > 0) ? account : null;
  }

  accountsOf(program) {
    return this.#svm.getProgramAccounts(program);
  }

  rentExemption(bytes) {
    return this.#svm.minimumBalanceForRentExemption(BigInt(bytes));
  }

  #balances(keys) {
    const accounts = keys.map((key) => this.account(key));
    return {
      lamports: accounts.map((account) => account?.lamports ?? 0n),
      tokens: accounts.flatMap((account, accountIndex) => {
        const balance = account && tokenBalance(account, (mint) => this.account(mint));
        return balance ? [{ accountIndex, ...balance }] : [];
      }),
    };
  }
}

function readOutcome(outcome) {
  const failed = outcome instanceof FailedTransactionMetadata;
  const meta = failed ? outcome.meta() : outcome;
  const returned = meta.returnData();
  return {
    err: failed ? errorToJson(outcome.err()) : null,
    logs: meta.logs(),
    computeUnitsConsumed: meta.computeUnitsConsumed(),
    innerInstructions: meta.innerInstructions().flatMap((list, index) => list.length === 0 ? [] : [{
      index,
      instructions: list.map((inner) => {
        const instruction = inner.instruction();
        return {
          programIdIndex: instruction.programIdIndex(), accounts: [...instruction.accounts()],
          data: toBase58(instruction.data()), stackHeight: inner.stackHeight(),
        };
      }),
    }]),
    returnData: returned.data().length === 0 ? null : {
      programId: toBase58(returned.programId()), data: [Buffer.from(returned.data()).toString('base64'), 'base64'],
    },
  };
}

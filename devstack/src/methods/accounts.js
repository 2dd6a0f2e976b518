// Methods that read accounts, on the machine of the commitment asked for.
import { RpcError, invalidParams } from '../json.js';
import { accountToJson } from '../present.js';
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM, readMint, readTokenAccount, uiAmount } from '../token.js';
import { fromBase58, parseAddress } from '../wire.js';

const ACCOUNTS_MAX = 100;

export const accountMethods = (chain, { context, laneOf }) => ({
  getBalance: ([address, config]) => {
    const lane = laneOf(config);
    return context(lane, lane.machine.account(parseAddress(address))?.lamports ?? 0);
  },

  getAccountInfo: ([address, config]) => {
    const lane = laneOf(config);
    return context(lane, present(lane, parseAddress(address), config));
  },

  getMultipleAccounts: ([addresses, config]) => {
    if (!Array.isArray(addresses) || addresses.length > ACCOUNTS_MAX)
      throw invalidParams(`too many inputs provided; max ${ACCOUNTS_MAX}`);
    const lane = laneOf(config);
    return context(lane, addresses.map((address) =>
      present(lane, parseAddress(address), { encoding: 'base64', ...config })));
  },

  getMinimumBalanceForRentExemption: ([bytes]) => {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw invalidParams('a data length is expected');
    return chain.lane('processed').machine.rentExemption(bytes);
  },

  getTokenAccountBalance: ([address, config]) => {
    const lane = laneOf(config);
    const account = lane.machine.account(parseAddress(address));
    const token = account && readTokenAccount(account);
    if (!token) throw invalidParams(account ? 'not a Token account' : 'could not find account');
    return context(lane, uiAmount(token.amount, readMint(lane.machine.account(token.mint)).decimals));
  },

  getTokenSupply: ([address, config]) => {
    const lane = laneOf(config);
    const account = lane.machine.account(parseAddress(address));
    const mint = account && readMint(account);
    if (!mint) throw invalidParams(account ? 'not a Token mint' : 'could not find account');
    return context(lane, uiAmount(mint.supply, mint.decimals));
  },

  getTokenAccountsByOwner: ([owner, filter, config]) => {
    parseAddress(owner);
    const lane = laneOf(config);
    const programs = programsOf(lane, filter);
    const found = programs.flatMap((program) => lane.machine.accountsOf(program)).filter((account) => {
      const token = readTokenAccount(account);
      return token?.owner === owner && (!filter.mint || token.mint === filter.mint);
    });
    return context(lane, found.map((account) => ({
      pubkey: account.address, account: accountToJson(account, config, (mint) => lane.machine.account(mint)),
    })));
  },

  getProgramAccounts: ([program, config]) => {
    parseAddress(program);
    const lane = laneOf(config);
    const found = lane.machine.accountsOf(program)
      .filter((account) => (config?.filters ?? []).every((filter) => matches(account, filter)))
      .map((account) => ({
        pubkey: account.address, account: accountToJson(account, config, (mint) => lane.machine.account(mint)),
      }));
    return config?.withContext ? context(lane, found) : found;
  },
});

const present = (lane, address, config) =>
  accountToJson(lane.machine.account(address), config, (mint) => lane.machine.account(mint));

function programsOf(lane, filter) {
  if (filter?.mint) {
    const mint = lane.machine.account(parseAddress(filter.mint, 'mint'));
    if (!mint || !readMint(mint)) throw invalidParams('could not find mint');
    return [mint.programAddress];
  }
  const program = parseAddress(filter?.programId, 'programId');
  if (program !== TOKEN_PROGRAM && program !== TOKEN_2022_PROGRAM)
    throw new RpcError(-32602, 'Invalid params: unrecognized Token program id');
  return [program];
}

function matches(account, { dataSize, memcmp }) {
  if (dataSize !== undefined) return account.data.length === dataSize;
  if (!memcmp) throw invalidParams('unknown filter');
  const bytes = memcmp.encoding === 'base64' ? Buffer.from(memcmp.bytes, 'base64') : fromBase58(memcmp.bytes);
  return Buffer.compare(account.data.subarray(memcmp.offset, memcmp.offset + bytes.length), bytes) === 0;
}

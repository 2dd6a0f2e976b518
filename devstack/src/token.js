// SPL Token accounts and mints as the RPC shows them (layouts: spl-token state.rs; Token-2022 shares the prefix).
import { toBase58 } from './wire.js';

export const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
export const TOKEN_2022_PROGRAM = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb';
const ACCOUNT_BYTES = 165;
const MINT_BYTES = 82;
const ACCOUNT_TYPE_ACCOUNT = 2;

const isTokenProgram = (program) => program === TOKEN_PROGRAM || program === TOKEN_2022_PROGRAM;
const programName = (program) => (program === TOKEN_PROGRAM ? 'spl-token' : 'spl-token-2022');
const view = (data) => new DataView(data.buffer, data.byteOffset, data.byteLength);
const option = (data, offset) =>
  view(data).getUint32(offset, true) === 1 ? toBase58(data.subarray(offset + 4, offset + 36)) : null;

/** The parts of an initialized token account, or null when `account` is none. */
export function readTokenAccount({ programAddress, data }) {
  if (!isTokenProgram(programAddress) || data.length < ACCOUNT_BYTES || data[108] === 0) return null;
  if (data.length > ACCOUNT_BYTES && data[ACCOUNT_BYTES] !== ACCOUNT_TYPE_ACCOUNT) return null;
  return {
    mint: toBase58(data.subarray(0, 32)),
    owner: toBase58(data.subarray(32, 64)),
    amount: view(data).getBigUint64(64, true),
    delegate: option(data, 72),
    state: data[108] === 2 ? 'frozen' : 'initialized',
    isNative: view(data).getUint32(109, true) === 1,
    delegatedAmount: view(data).getBigUint64(121, true),
    closeAuthority: option(data, 129),
  };
}

/** The parts of an initialized mint, or null. */
export function readMint({ programAddress, data }) {
  if (!isTokenProgram(programAddress) || data.length < MINT_BYTES || data[45] !== 1) return null;
  if (data.length !== MINT_BYTES && data[ACCOUNT_BYTES] !== 1) return null;
  return {
    mintAuthority: option(data, 0),
    supply: view(data).getBigUint64(36, true),
    decimals: data[44],
    freezeAuthority: option(data, 46),
  };
}

/** `UiTokenAmount` of the RPC. */
export function uiAmount(amount, decimals) {
  const digits = amount.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  const text = fraction ? `${whole}.${fraction}` : whole;
  return { amount: amount.toString(), decimals, uiAmount: Number(text), uiAmountString: text };
}

/** An entry of `pre/postTokenBalances`, or null when the account holds no tokens. */
export function tokenBalance(account, mintOf) {
  const token = readTokenAccount(account);
  const mintAccount = token && mintOf(token.mint);
  const mint = mintAccount && readMint(mintAccount);
  return mint && {
    mint: token.mint, owner: token.owner, programId: account.programAddress,
    uiTokenAmount: uiAmount(token.amount, mint.decimals),
  };
}

/** `jsonParsed` data of a token account or mint, or null. */
export function parseTokenData(account, mintOf) {
  const wrap = (type, info) => ({
    program: programName(account.programAddress), parsed: { type, info }, space: account.data.length,
  });
  const token = readTokenAccount(account);
  if (token) {
    const mint = mintOf(token.mint);
    const decimals = (mint && readMint(mint))?.decimals ?? 0;
    return wrap('account', {
      isNative: token.isNative, mint: token.mint, owner: token.owner, state: token.state,
      tokenAmount: uiAmount(token.amount, decimals),
      ...(token.delegate && { delegate: token.delegate, delegatedAmount: uiAmount(token.delegatedAmount, decimals) }),
      ...(token.closeAuthority && { closeAuthority: token.closeAuthority }),
    });
  }
  const mint = readMint(account);
  return mint && wrap('mint', {
    mintAuthority: mint.mintAuthority, supply: mint.supply.toString(), decimals: mint.decimals,
    isInitialized: true, freezeAuthority: mint.freezeAuthority,
  });
}

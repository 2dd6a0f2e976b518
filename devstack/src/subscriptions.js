// WebSocket subscriptions: signature, account, logs, slot (and root).
import { RpcError, invalidParams, stringify } from './json.js';
import { accountToJson } from './present.js';
import { isSignature } from './chain.js';
import { isWritable, parseAddress } from './wire.js';

const SUBSCRIPTIONS_MAX = 1000;
/** Bytes waiting for a slow reader before it is cut off. */
const BACKLOG_BYTES_MAX = 16 * 1024 * 1024;

let nextId = 0;

/** The subscriptions of one connection. */
export class Subscriptions {
  #chain;
  #socket;
  #active = new Map();
  #onSlot = (slot) => this.#slot(slot);
  #onTransaction = (lane, entry) => this.#transaction(lane, entry);

  constructor(chain, socket) {
    this.#chain = chain;
    this.#socket = socket;
    chain.on('slot', this.#onSlot);
    chain.on('transaction', this.#onTransaction);
  }

  close() {
    this.#chain.off('slot', this.#onSlot);
    this.#chain.off('transaction', this.#onTransaction);
    this.#active.clear();
  }

  /** Handles a (un)subscribe call; undefined when the method is none. */
  call(method, params) {
    const kind = /^(signature|account|logs|slot|root)(Unsubscribe|Subscribe)$/.exec(method);
    if (!kind) return undefined;
    if (kind[2] === 'Unsubscribe') {
      if (!this.#active.delete(params[0])) throw new RpcError(-32602, 'Invalid subscription id.');
      return true;
    }
    if (this.#active.size >= SUBSCRIPTIONS_MAX) throw new RpcError(-32005, 'too many subscriptions');
    const subscription = this.#parse(kind[1], params);
    this.#active.set(subscription.id, subscription);
    if (kind[1] === 'signature') setImmediate(() => this.#signatureAlreadyThere(subscription));
    return subscription.id;
  }

  #parse(kind, params) {
    const id = nextId++;
    switch (kind) {
      case 'signature':
        if (!isSignature(params[0])) throw invalidParams('Invalid signature');
        return { id, kind, signature: params[0], lane: this.#chain.lane(params[1]?.commitment ?? undefined) };
      case 'account':
        return {
          id, kind, address: parseAddress(params[0]), config: params[1] ?? {},
          lane: this.#chain.lane(params[1]?.commitment ?? undefined),
        };
      case 'logs':
        return { id, kind, mentions: mentionsOf(params[0]), lane: this.#chain.lane(params[1]?.commitment ?? undefined) };
      default:
        return { id, kind };
    }
  }

  #signatureAlreadyThere(subscription) {
    const entry = this.#chain.history.get(subscription.signature);
    if (entry && entry.slot <= this.#chain.slotOf(subscription.lane)) this.#signature(subscription, entry);
  }

  #signature(subscription, entry) {
    if (!this.#active.delete(subscription.id)) return;
    this.#notify(subscription, this.#context(subscription.lane, { err: entry.meta.err }));
  }

  #transaction(lane, entry) {
    const { transaction, meta } = entry;
    for (const subscription of [...this.#active.values()]) {
      if (subscription.lane !== lane) continue;
      if (subscription.kind === 'signature' && subscription.signature === transaction.signature)
        this.#signature(subscription, entry);
      else if (subscription.kind === 'account' && touches(transaction, subscription.address))
        this.#notify(subscription, this.#context(lane, accountToJson(
          lane.machine.account(subscription.address), subscription.config, (mint) => lane.machine.account(mint))));
      else if (subscription.kind === 'logs' && mentioned(transaction, subscription.mentions))
        this.#notify(subscription, this.#context(
          lane, { signature: transaction.signature, err: meta.err, logs: meta.logs }));
    }
  }

  #slot(slot) {
    const root = this.#chain.slotOf(this.#chain.lane('finalized'));
    for (const subscription of this.#active.values()) {
      if (subscription.kind === 'slot') this.#notify(subscription, { slot, parent: slot - 1, root });
      else if (subscription.kind === 'root') this.#notify(subscription, root);
    }
  }

  #context(lane, value) {
    return { context: { slot: this.#chain.slotOf(lane) }, value };
  }

  #notify(subscription, result) {
    if (this.#socket.bufferedAmount > BACKLOG_BYTES_MAX) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(stringify({
      jsonrpc: '2.0', method: `${subscription.kind}Notification`, params: { result, subscription: subscription.id },
    }));
  }
}

function touches(transaction, address) {
  const index = transaction.keys.indexOf(address);
  return index >= 0 && isWritable(transaction, index);
}

function mentionsOf(filter) {
  if (filter === 'all' || filter === 'allWithVotes') return null;
  if (Array.isArray(filter?.mentions) && filter.mentions.length === 1) return parseAddress(filter.mentions[0]);
  throw invalidParams('the filter is "all", "allWithVotes" or {"mentions":[one address]}');
}

const mentioned = (transaction, address) => address === null || transaction.keys.includes(address);

// Faults that a test orders. Each order holds for the next `count` calls it fits, in the order given.
import { invalidParams } from './json.js';

const KINDS = ['drop', 'delay', 'duplicate', 'error', 'expire', 'reorg'];
const ORDERS_MAX = 1000;

export class Faults {
  #orders = [];

  /** `{ kind, method?, count?, ms?, code?, message?, status? }`; without a method it fits every method. */
  add(order) {
    if (!KINDS.includes(order?.kind)) throw invalidParams(`kind is one of ${KINDS.join(', ')}`);
    if (this.#orders.length >= ORDERS_MAX) throw invalidParams('too many faults are ordered');
    const count = order.count ?? 1;
    if (!Number.isInteger(count) || count < 1) throw invalidParams('count is a positive number');
    this.#orders.push({ ...order, count });
  }

  clear() {
    this.#orders = [];
  }

  /** Takes the next order for `method` (of `kind`, else of any kind that a method itself carries out). */
  take(method, kind) {
    const kinds = kind ? [kind] : ['drop'];
    const index = this.#orders.findIndex((order) =>
      kinds.includes(order.kind) && (order.method ?? method) === method);
    if (index < 0) return null;
    const order = this.#orders[index];
    if (--order.count === 0) this.#orders.splice(index, 1);
    return order;
  }

  get pending() {
    return this.#orders.map((order) => ({ ...order }));
  }
}

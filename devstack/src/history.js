// Transactions in their order, found by signature and by address.

export class History {
  /** In the order of execution: `{ slot, time, transaction, meta }`. */
  entries = [];
  #bySignature = new Map();
  #byAddress = new Map();

  add(entry) {
    this.entries.push(entry);
    this.#bySignature.set(entry.transaction.signature, entry);
    for (const address of entry.transaction.keys) {
      const list = this.#byAddress.get(address);
      if (list) list.push(entry);
      else this.#byAddress.set(address, [entry]);
    }
  }

  get(signature) {
    return this.#bySignature.get(signature);
  }

  /** Entries that name `address`, oldest first. */
  of(address) {
    return this.#byAddress.get(address) ?? [];
  }

  inSlot(slot) {
    let low = 0;
    for (let high = this.entries.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].slot < slot) low = middle + 1;
      else high = middle;
    }
    const found = [];
    for (; low < this.entries.length && this.entries[low].slot === slot; low++) found.push(this.entries[low]);
    return found;
  }

  /** Takes back everything from slot `from` on and returns it. */
  dropFrom(from) {
    const keep = this.entries.findIndex((entry) => entry.slot >= from);
    if (keep < 0) return [];
    const dropped = this.entries.splice(keep);
    for (const { transaction } of dropped) {
      this.#bySignature.delete(transaction.signature);
      for (const address of transaction.keys) {
        const list = this.#byAddress.get(address);
        list.splice(list.findIndex((entry) => entry.slot >= from));
      }
    }
    return dropped;
  }
}

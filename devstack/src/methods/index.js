// All methods by name.
import { RpcError } from '../json.js';
import { accountMethods } from './accounts.js';
import { clusterMethods } from './cluster.js';
import { controlMethods } from './control.js';
import { transactionMethods } from './transactions.js';

/** Every HTTP method: name → function of the parameter list. */
export function allMethods(chain, faults) {
  const shared = {
    faults,
    context: (lane, value) => ({ context: { apiVersion: '3.0.0', slot: chain.slotOf(lane) }, value }),
    laneOf: (config) => {
      const lane = chain.lane(config?.commitment ?? undefined);
      const wanted = config?.minContextSlot;
      if (wanted !== undefined && wanted !== null && chain.slotOf(lane) < wanted)
        throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: chain.slotOf(lane) });
      return lane;
    },
  };
  return {
    ...clusterMethods(chain, shared), ...accountMethods(chain, shared), ...transactionMethods(chain, shared),
    ...controlMethods(chain, shared),
  };
}

import type { Hub, HubService } from '../api/types';

/** The services of the hub that do not do their work, the worst first. */
export function faultsOf(hub: Hub | null): HubService[] {
  const rank = { missing: 0, stopped: 0, degraded: 1, running: 2 };
  return (hub?.services ?? [])
    .filter((service) => service.state !== 'running')
    .sort((a, b) => rank[a.state] - rank[b.state] || (a.name < b.name ? -1 : 1));
}

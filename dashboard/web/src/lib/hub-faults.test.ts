import { expect, test } from 'vitest';
import { faultsOf } from './hub-faults';

test('what is gone comes before what limps, and what runs is not mentioned', () => {
  const service = (name: string, state: 'running' | 'degraded' | 'stopped' | 'missing') => ({
    name,
    state,
  });
  const hub = {
    name: 'hub',
    version: '0',
    time: '1970-01-01T00:00:00Z',
    services: [
      service('api', 'degraded'),
      service('broker', 'running'),
      service('ingest', 'missing'),
    ],
    addresses: [],
  };
  // The cast: the names of services are an open set here.
  expect(faultsOf(hub as never).map((fault) => fault.name)).toEqual(['ingest', 'api']);
  expect(faultsOf(null)).toEqual([]);
});

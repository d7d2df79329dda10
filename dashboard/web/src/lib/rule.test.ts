import { expect, test } from 'vitest';
import { readRule } from './rule';

test('the names of rules are those of the contract', () => {
  const all = {
    cpu: { kind: 'cpu' },
    'samples-lost': { kind: 'samples-lost' },
    'disk-root': { kind: 'disk', target: '/' },
    'disk-var-log': { kind: 'disk', target: '/var/log' },
    'disk-var~2dlog': { kind: 'disk', target: '/var-log' },
    'disk-trend-home': { kind: 'disk-trend', target: '/home' },
    'disk-~2f~2froot': { kind: 'disk', target: '/root' },
    'inodes-mnt-Donn~c3~a9es~20~231': { kind: 'inodes', target: '/mnt/Données #1' },
    'service-a-b~2fc~25': { kind: 'service', target: 'a-b/c%' },
    'service-~ff': { kind: 'service', target: '~ff' },
  };
  for (const [name, rule] of Object.entries(all)) expect(readRule(name), name).toEqual(rule);
});

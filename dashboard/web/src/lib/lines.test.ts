import { expect, test } from 'vitest';
import { linesOf } from './lines';

test('received and sent of an interface stand together and keep their colours', () => {
  const lines = linesOf(
    ['tx:wlan0', 'rx:eth0', 'tx:eth0', 'rx:wlan0', 'cpu'],
    ['rx', 'tx'],
    6,
    (kind, port) => `${port} ${kind}`,
  );
  expect(lines.map((line) => `${line.label} ${String(line.color)}`)).toEqual([
    'eth0 rx 1',
    'eth0 tx 2',
    'wlan0 rx 3',
    'wlan0 tx 4',
  ]);
});

test('there are at most six, and no interface with half of its lines', () => {
  const names = Array.from({ length: 9 }, (_, at) => [`rx:e${String(at)}`, `tx:e${String(at)}`]);
  expect(linesOf(names.flat(), ['rx', 'tx'], 6, (_kind, port) => port)).toHaveLength(6);
  expect(linesOf(['disk:/', 'disk:/srv:old'], ['disk'], 6, (_kind, mount) => mount)).toEqual([
    { name: 'disk:/', label: '/', color: 1 },
    { name: 'disk:/srv:old', label: '/srv:old', color: 2 },
  ]);
});

import { expect, test } from 'vitest';
import { busiestOf } from './busiest';
import { NOTHING, type Band } from './history';

const band = (mean: (number | null)[]): Band => ({ mean, min: mean, max: mean });

test('the containers that need most are drawn, by name, and idle ones do not take turns', () => {
  const series = {
    cpu: band([99]),
    'container_cpu:web': band([10, null, 30]),
    'container_cpu:zip': band([0.4, 0.4]),
    'container_cpu:db': band([50, 50]),
    'container_cpu:cache': band([0.1, 0.1]),
    'container_cpu:old': band([null, null]),
  };
  expect(busiestOf({ ...NOTHING, series }, 'container_cpu', 3)).toEqual(['cache', 'db', 'web']);
  expect(busiestOf(NOTHING, 'container_cpu', 3)).toEqual([]);
});

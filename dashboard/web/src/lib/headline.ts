import type { Device, Trouble } from '../api/types';
import { conditionOf, inOrder, troublesOf } from './troubles';

/** A device that needs someone, and why. */
export interface Needing {
  device: Device;
  troubles: Trouble[];
}

/** What the first line of the fleet says, before it is put into words. */
export type Headline =
  | { kind: 'empty' }
  | { kind: 'well'; total: number }
  | { kind: 'unknown'; total: number; unknown: number }
  | { kind: 'trouble'; total: number; needing: Needing[]; shown: Needing[] };

/** A sentence with more names than this is not read. */
const SHOWN = 4;

export function headlineOf(devices: readonly Device[], language: string): Headline {
  const total = devices.length;
  if (total === 0) return { kind: 'empty' };
  const needing = inOrder(devices, language)
    .filter((device) => ['trouble', 'offline'].includes(conditionOf(device)))
    .map((device) => ({ device, troubles: troublesOf(device) }));
  if (needing.length > 0) {
    // "and 1 more" would be as long as the one it hides.
    const shown = needing.length <= SHOWN + 1 ? needing : needing.slice(0, SHOWN);
    return { kind: 'trouble', total, needing, shown };
  }
  const unknown = devices.filter((device) => device.status === 'unknown').length;
  return unknown > 0 ? { kind: 'unknown', total, unknown } : { kind: 'well', total };
}

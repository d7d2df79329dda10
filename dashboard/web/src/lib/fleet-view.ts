import type { Device } from '../api/types';

/** Whether what somebody looks for is in a device's names, groups, system or addresses. */
export function isFound(device: Device, text: string): boolean {
  const { id, name, groups, info } = device;
  const addresses = info?.interfaces.flatMap((it) => it.addresses) ?? [];
  const places = [name, id, ...groups, info?.os ?? '', ...addresses];
  const wanted = text.trim().toLowerCase();
  return places.some((place) => place.toLowerCase().includes(wanted));
}

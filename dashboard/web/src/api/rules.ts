import { answer, client, onlyIf, tagged, type Tagged } from './http';
import type { Preview, RuleChange, RulePage } from './types';

/** The rules of all devices and of the hub, or those of one device. */
export function getRules(device: string | null): Promise<Tagged<RulePage>> {
  if (device === null) return tagged(client.GET('/rules'));
  return tagged(client.GET('/devices/{id}/rules', { params: { path: { id: device } } }));
}

/**
 * Changes rules by their names, unless somebody else has done so since they had this tag (412);
 * `null` takes back all that is set of one.
 */
export function changeRules(
  device: string | null,
  rules: Record<string, RuleChange | null>,
  tag: string,
): Promise<Tagged<RulePage>> {
  // The types of the API do not tell that null takes back a whole rule.
  const body = { rules: rules as Record<string, RuleChange> };
  const header = onlyIf(tag);
  if (device === null) return tagged(client.PATCH('/rules', { params: { header }, body }));
  const params = { header, path: { id: device } };
  return tagged(client.PATCH('/devices/{id}/rules', { params, body }));
}

/** How often a rule would have fired in the past days; of all devices, or of one. */
export function previewRule(
  device: string | null,
  rule: string,
  settings: RuleChange,
  days: number,
): Promise<Preview> {
  const about = device === null ? {} : { device };
  const body = { ...about, rule, settings, days };
  return answer(client.POST('/rules/preview', { body }));
}

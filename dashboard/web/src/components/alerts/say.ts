import type { Alert } from '../../api/types';
import { figure, isOfHub } from '../../lib/alerts';
import { deviceHref } from '../../lib/router';
import { readRule } from '../../lib/rule';
import { fleet } from '../../state/fleet.svelte';
import type { Words } from '../words';

export interface Said {
  /** Who it is about. */
  subject: string;
  /** The page of the device, if there is one. */
  href: string | undefined;
  /** What is wrong: `disk /srv 96 %`. */
  problem: string;
  limit: string | undefined;
  /** More about it. */
  reason: string | undefined;
  /** All of it, for those who hear a button without its surroundings. */
  name: string;
}

/** Begins with a capital, unless a name begins it. */
function capitalised(text: string, name: string | undefined): string {
  const isName = name !== undefined && text.startsWith(name);
  return isName ? text : text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

export function nameOf(device: string): string {
  return fleet.devices.get(device)?.name ?? device;
}

export function ruleName(alert: Alert, { t }: Words): string {
  return t.alerts.rule(alert.kind, alert.target ?? readRule(alert.rule).target ?? '');
}

/** An alert in words. */
export function say(alert: Alert, words: Words): Said {
  const { t, f } = words;
  const figures = { units: t.units, days: t.alerts.days };
  const number = (value: number | undefined) =>
    value === undefined ? undefined : figure(value, alert.unit, f, figures);
  const limit = number(alert.limit);
  const { kind, detail } = alert;
  // What it hangs behind says it all.
  const isBehind = alert.muted === 'uplink';
  const isHub = isOfHub(alert);
  const subject = isHub ? t.alerts.hub : nameOf(alert.device);
  const text = t.alerts.problem({
    kind,
    target: alert.target ?? readRule(alert.rule).target ?? '',
    detail: detail === undefined || kind !== 'settings' ? detail : nameOf(detail),
    value: number(alert.value),
  });
  const problem = capitalised(text, detail);
  return {
    subject,
    href: !isHub && fleet.devices.has(alert.device) ? deviceHref(alert.device) : undefined,
    problem,
    limit: limit === undefined ? undefined : t.alerts.limit(limit),
    reason: detail === undefined || isBehind ? undefined : t.alerts.reason(kind, detail),
    name: `${subject}, ${text}`,
  };
}

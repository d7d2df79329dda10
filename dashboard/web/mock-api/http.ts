/** What every part of the mock needs to answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SCENARIOS, type Scenario } from './world.ts';

/** A request of somebody who is logged in. */
export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  /** `GET /alerts`. */
  what: string;
  /** The address below `/api/v1`. */
  path: string;
  query: URLSearchParams;
  scenario: Scenario;
  /** Milliseconds since 1970. */
  now: number;
}

/** Answers, unless the request is none of its own. */
export type Part = (call: Call) => boolean | Promise<boolean>;

export function cookies(request: IncomingMessage): Map<string, string> {
  const pairs = (request.headers.cookie ?? '').split(/; */).map((pair) => pair.split('='));
  return new Map(pairs.map(([name = '', value = '']) => [name, value]));
}

export function scenarioOf(request: IncomingMessage): Scenario {
  const asked = cookies(request).get('mock');
  return SCENARIOS.find((scenario) => scenario === asked) ?? 'fleet';
}

export async function bodyOf<T = Record<string, string>>(request: IncomingMessage): Promise<T> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return (text === '' ? {} : JSON.parse(text)) as T;
}

export function send(response: ServerResponse, value: unknown, status = 200): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(value === undefined ? '' : JSON.stringify(value));
}

export function problem(response: ServerResponse, status: number, detail: string): void {
  response.setHeader('Content-Type', 'application/problem+json');
  send(response, { type: 'about:blank', title: 'No', status, detail }, status);
}

import type { Part } from './http.ts';

export const answerChannels: Part = () => false;

import type { Part } from './http.ts';

export const answerRules: Part = () => false;

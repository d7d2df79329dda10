import type { Part } from './http.ts';

export const answerLog: Part = () => false;

import type { enRules } from './en-rules';

export const frRules: typeof enRules = {
  title: 'Règles',
};

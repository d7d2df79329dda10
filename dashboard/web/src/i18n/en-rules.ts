/** What rules are, and how they are set. */
export const enRules = {
  title: 'Rules',
};

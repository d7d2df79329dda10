/** The page of the log. */
export const enLog = {
  title: 'Log',
};

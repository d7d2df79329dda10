/** How people are told. */
export const enChannels = {
  title: 'Messages',
};

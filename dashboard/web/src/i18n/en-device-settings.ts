/** What is set about one device. */
export const enDeviceSettings = {
  title: (name: string) => `Settings of ${name}`,
};

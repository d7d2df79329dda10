/** The page of alerts. */
export const enAlertsPage = {
  title: 'Alerts',
};

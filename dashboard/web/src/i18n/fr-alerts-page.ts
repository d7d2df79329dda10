import type { enAlertsPage } from './en-alerts-page';

export const frAlertsPage: typeof enAlertsPage = {
  title: 'Alertes',
};

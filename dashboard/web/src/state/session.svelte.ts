import { getAccount, onSessionEnded } from '../api/client';
import type { Account } from '../api/types';

/** Who is logged in. */
class Session {
  /** `undefined` until the hub has answered, `null` when nobody is. */
  account = $state<Account | null | undefined>(undefined);
  /** Whether there was a session that has ended by itself. */
  expired = $state(false);
  /** Whether the hub could not even be asked. */
  unreachable = $state(false);

  constructor() {
    onSessionEnded(() => {
      if (this.account) this.expired = true;
      this.account = null;
    });
  }

  async ask(): Promise<void> {
    try {
      this.account = await getAccount();
      this.unreachable = false;
    } catch {
      this.unreachable = true;
    }
  }

  begin(account: Account): void {
    this.account = account;
    this.expired = false;
  }

  end(): void {
    this.account = null;
    this.expired = false;
  }
}

export const session = new Session();

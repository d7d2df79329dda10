/** The shortest password that the hub takes, in characters. */
export const PASSWORD_MIN = 10;

/** How many characters are missing; 0: it is long enough. */
export function missingIn(password: string): number {
  return Math.max(0, PASSWORD_MIN - [...password].length);
}

/** The shortest password that the hub takes, in characters. */
export const PASSWORD_MIN = 10;

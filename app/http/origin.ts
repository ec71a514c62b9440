/** Whether this is an origin, to the letter: `https://app.example.com`, with a port only where it is not the usual one. */
export const isOrigin = (value: string): boolean =>
  URL.canParse(value) && /^https?:/.test(value) && new URL(value).origin === value;

/** Whether a row with that key is there already: Prisma's P2002, on both databases. */
export const isUniqueViolation = (error: unknown): boolean =>
  (error as { code?: unknown }).code === 'P2002';

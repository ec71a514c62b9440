/** How long a transaction may wait for its turn, and then take, in ms: SQLite has one at a time. */
export const transactionOptions = { maxWait: 5000, timeout: 5000 };

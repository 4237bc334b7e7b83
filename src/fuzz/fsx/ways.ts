/** How the descriptors of a file are opened: to read and write, by its other name, to append, only to read, round the cache. */
export const WAYS = ["plain", "second", "append", "reader", "direct"] as const;
export type Way = (typeof WAYS)[number];

export const PLAIN = WAYS.indexOf("plain");
export const SECOND = WAYS.indexOf("second");
export const READER = WAYS.indexOf("reader");

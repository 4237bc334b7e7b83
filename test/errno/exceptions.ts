/** Pairs of the kernel that are not compared with it, with reasons. At most one in twenty (table.test.ts). */
export const EXCEPTIONS: Readonly<Record<string, string>> = {};

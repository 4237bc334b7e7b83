// errseq: a writeback error that every open file sees exactly once, without a list of who has seen it.
//
//   | counter (19 bits) | SEEN (1) | errno (12) |
//
// Recording an error bumps the counter only if somebody has seen the value before, so unseen errors cost no counter.
// A file samples the value when it is opened and reports whatever differs from its sample later.
//
// Compare Linux lib/errseq.c.
const ERRNO_MASK: u32 = 0xfff;
const SEEN: u32 = 1 << 12;
const COUNTER: u32 = 1 << 13;

/** Value after error `errno` (1 to 4095) happened. */
export function errseqSet(value: u32, errno: u32): u32 {
  const next = (value & ~(ERRNO_MASK | SEEN)) | (errno & ERRNO_MASK);
  return value & SEEN ? next + COUNTER : next;
}

/** What a new file remembers: 0 when an error is there that nobody has seen yet, so that it will. */
export function errseqSample(value: u32): u32 {
  return value & SEEN ? value : 0;
}

/** Looks for an error since a sample was taken. @returns its negated errno, 0 = none */
export function errseqCheck(value: u32, since: u32): i32 {
  return value == since ? 0 : -<i32>(value & ERRNO_MASK);
}

/** Value with the mark that somebody saw it; the file's new sample. */
export function errseqMarkSeen(value: u32): u32 {
  return value == 0 ? 0 : value | SEEN;
}

/** What was before what, where calls interleave: two works of one millisecond, too. */

let moments = 0;

/** A number larger than all before it. */
export function moment(): number {
  return ++moments;
}

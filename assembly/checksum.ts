// Checksum of snapshots: four 64-bit lanes of multiply and rotate, folded at the end. It guards against accident, not
// against malice. Every step is a bijection of its lane, so that a change of one bit always shows.
//
// The rounds are those of xxHash64 (Y. Collet, 2012); the folding is ours.
import { RESULT_EXTRA } from "./abi";
import { setResult } from "./kernel";

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;

// @ts-ignore: decorator
@inline function round(lane: u64, word: u64): u64 {
  return rotl<u64>(lane + word * P2, 31) * P1;
}

// @ts-ignore: decorator
@inline function fold(hash: u64, lane: u64): u64 {
  return rotl<u64>(hash ^ lane, 27) * P1 + P3;
}

/** @param bytes a multiple of 32 @returns low word; high word in RESULT_EXTRA */
export function checksum(address: usize, bytes: u32, low: u32, high: u32): u32 {
  const seed = ((<u64>high) << 32) | low;
  let a = seed + P1;
  let b = seed ^ P2;
  let c = seed + P3;
  let d = seed ^ P1;
  for (let at = address, end = address + bytes; at < end; at += 32) {
    a = round(a, load<u64>(at));
    b = round(b, load<u64>(at, 8));
    c = round(c, load<u64>(at, 16));
    d = round(d, load<u64>(at, 24));
  }
  const hash = fold(fold(fold(fold(<u64>bytes * P3, a), b), c), d);
  setResult(RESULT_EXTRA, <f64>(<u32>(hash >> 32)));
  return <u32>hash;
}

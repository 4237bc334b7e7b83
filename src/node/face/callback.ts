/** What callback forms call. */
import type { ErrnoException } from "./platform-types.ts";

export type DoneCallback = (error: ErrnoException | null) => void;
/** The result is undefined where there is an error. */
export type Callback<Result> = (error: ErrnoException | null, result: Result) => void;
/** Reads and writes also give back what they were given. */
export type TransferCallback<Data> = (error: ErrnoException | null, bytes: number, data: Data) => void;

/**
 * An event as bytes: end and start (64 bits each), span id and trace id, six names, the session if there is one, then what it brings into the groups of
 * each correlation. A text is a varint, twice its number in the block; at its first place one more, and then the text itself.
 */
export const [idBytes, traceBytes] = [8, 16] as const;

/** Where the start of the span stands. */
export const startAt = 8;

/** Where the ids begin; so far all events are alike. */
export const idAt = 16;

/** What ids or a value are. */
export const kinds = { text: 0, hex: 1, number: 2 } as const;

/** When the span began, as a group has it. */
export const start = { none: 0, ofEvent: 1, other: 2 } as const;

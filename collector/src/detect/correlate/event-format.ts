/**
 * An event as bytes: end and start (64 bits each), span id and trace id, six names, then what it brings into the groups of
 * each correlation. A text is a varint, 0 and the text itself, or the number of one before it in the block, plus one.
 */
export const [idBytes, traceBytes] = [8, 16] as const;

/** Where the span id begins; so far all events are alike. */
export const idAt = 16;

/** What an id or a value is. */
export const kinds = { text: 0, hex: 1, number: 2 } as const;

/** When the span began, as a group has it. */
export const start = { none: 0, ofEvent: 1, other: 2 } as const;

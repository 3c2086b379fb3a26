import { contentBytesMax } from '../content.ts';
import type { PatchContext } from '../patch.ts';
import { closeLater } from '../pending.ts';
import { attr } from '../semconv.ts';
import type { SpanHandle } from '../spans.ts';
import type { CallObserver } from './api-promise.ts';
import { type Api, isObject, type Json, type SpanAttributes } from './model-api.ts';
import { isSdkStream, observeStream, type SdkStream } from './stream.ts';

/** How long after the answer a body that nobody parses is waited for. */
const unparsedMs = 1000;

/** Tells one call of a model on its span, from the answer or from the stream that brings it, and ends the span. */
export function modelCallObserver(handle: SpanHandle, api: Api, context: PatchContext): CallObserver {
  const startedAt = performance.now();
  let cancelClose: (() => void) | undefined;
  let parsed = false;
  const quietly = (where: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      context.failed(`${where} ${api.label}`, error);
      handle.end();
    }
  };
  return {
    value: (value) =>
      quietly('read', () => {
        parsed = true;
        cancelClose?.();
        if (isSdkStream(value)) watchStream(value, handle, api, context, startedAt);
        else endWith(handle, isObject(value) ? value : {}, api, context);
      }),
    error: (error) =>
      quietly('fail', () => {
        cancelClose?.();
        handle.fail(error);
      }),
    answered: () =>
      quietly('await', () => {
        if (!parsed && !handle.ended) cancelClose = closeLater(unparsedMs, () => handle.end());
      }),
    unknown: () => handle.end(),
  };
}

function watchStream(stream: SdkStream, handle: SpanHandle, api: Api, context: PatchContext, startedAt: number): void {
  const assembly = api.assemble(contentBytesMax());
  let first = true;
  const finish = (how: string): void => {
    cancelClose();
    handle.set({ [attr.streamEnd]: how });
    endWith(handle, assembly.reply(), api, context);
  };
  // An exiting process ends the span with what came so far.
  const cancelClose = closeLater(undefined, () => finish('abandoned'));
  observeStream(stream, {
    chunk(chunk) {
      if (first) handle.set({ [attr.responseTimeToFirstChunk]: (performance.now() - startedAt) / 1000 });
      first = false;
      if (isObject(chunk)) assembly.add(chunk);
    },
    error(error) {
      cancelClose();
      handle.fail(error, replyOf(assembly.reply(), api, context));
    },
    end: finish,
  });
}

function endWith(handle: SpanHandle, reply: Json, api: Api, context: PatchContext): void {
  const attributes = replyOf(reply, api, context);
  const failure = api.failure?.(reply);
  if (failure) handle.fail(new Error(failure.message), attributes, failure.code);
  else handle.end(attributes);
}

function replyOf(reply: Json, api: Api, context: PatchContext): SpanAttributes {
  try {
    return api.reply(reply, context.contentMode);
  } catch (error) {
    context.failed(`describe ${api.label}`, error);
    return {};
  }
}

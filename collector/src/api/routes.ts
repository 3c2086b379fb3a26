import express, { type Router } from 'express';

export interface ApiOptions {
  /** Reasons why the collector is not ready; empty when it is. */
  notReady(): readonly string[];
  /** What runs, but not as somebody wanted it: readiness is not affected. */
  warnings(): readonly string[];
  /** Whether an `Authorization` header is that of somebody who may change things. */
  authorised(header: string | undefined): boolean;
  /** Reads the rules again. */
  reload(): { readonly rules: number; readonly changed: number } | { readonly problems: readonly string[] };
  /** Prometheus text exposition. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * What a platform asks a service: /healthz answers as long as the process runs, /readyz says 503 with reasons while
 * something is missing, /metrics is for Prometheus, and POST /-/reload reads the rules again.
 */
export function apiRouter(options: ApiOptions): Router {
  const router = express.Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', (_request, response) => {
    const reasons = options.notReady();
    response
      .status(reasons.length === 0 ? 200 : 503)
      .json({ status: reasons.length === 0 ? 'ok' : 'not ready', reasons, warnings: options.warnings() });
  });
  router.post('/-/reload', (request, response) => {
    // A page in a browser on this machine could send it, too; such requests say where they come from.
    const foreign = request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined;
    if (foreign || !options.authorised(request.headers.authorization)) {
      response.status(401).json({ code: 'SW_HTTP_UNAUTHENTICATED', message: 'send Authorization: Bearer <token>' });
      return;
    }
    const outcome = options.reload();
    if ('problems' in outcome) response.status(422).json({ status: 'refused', ...outcome });
    else response.json({ status: 'reloaded', ...outcome });
  });
  router.get('/metrics', async (_request, response) => {
    const { contentType, body } = await options.metrics();
    response.setHeader('content-type', contentType);
    response.end(body);
  });
  return router;
}

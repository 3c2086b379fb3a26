import express, { type Router } from 'express';

export interface ApiOptions {
  /** Reasons why the collector is not ready; empty when it is. */
  notReady(): readonly string[];
  /** Prometheus text exposition. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * What a platform asks a service: /healthz answers as long as the process runs, /readyz says 503 with reasons while
 * something is missing, /metrics is for Prometheus.
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
      .json({ status: reasons.length === 0 ? 'ok' : 'not ready', reasons });
  });
  router.get('/metrics', async (_request, response) => {
    const { contentType, body } = await options.metrics();
    response.setHeader('content-type', contentType);
    response.end(body);
  });
  return router;
}
